"""Rasterising in texture space, in numpy alone."""

from __future__ import annotations

import numpy as np

from blender_addon.anatomy.uv_raster import covered, look_up, painted, resized

# A square of two triangles in the middle of texture space.
SQUARE = np.array([[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]])
TRIANGLES = SQUARE[[[0, 1, 2], [0, 2, 3]]]


def test_texels_are_covered_whose_centres_lie_inside() -> None:
    coverage = covered(TRIANGLES, 8)
    assert sorted(zip(coverage.rows.tolist(), coverage.columns.tolist(), strict=True)) == [
        (row, column) for row in range(2, 6) for column in range(2, 6)
    ]


def test_corner_values_are_mixed_to_where_the_texel_lies() -> None:
    coverage = covered(TRIANGLES, 16)
    places = coverage.mix(TRIANGLES)
    np.testing.assert_allclose(places[:, 0], (coverage.columns + 0.5) / 16, atol=1e-6)
    np.testing.assert_allclose(places[:, 1], 1 - (coverage.rows + 0.5) / 16, atol=1e-6)


def test_margin_goes_on_with_the_border_and_the_rest_is_background() -> None:
    coverage = covered(TRIANGLES, 16)
    image = painted(coverage, np.full((len(coverage.rows), 1), 0.7, np.float32), 0.1)
    np.testing.assert_allclose(image[3, 8], 0.7, atol=1e-6)
    np.testing.assert_allclose(image[0, 0], 0.1, atol=1e-6)


def test_a_map_is_looked_up_where_its_texels_are() -> None:
    image = np.random.default_rng(0).random((6, 9, 2)).astype(np.float32)
    rows, columns = np.mgrid[0:6, 0:9]
    uv = np.stack([(columns.ravel() + 0.5) / 9, 1 - (rows.ravel() + 0.5) / 6], axis=-1)
    np.testing.assert_allclose(look_up(image, uv).reshape(6, 9, 2), image, atol=1e-6)


def test_a_ramp_keeps_its_slope_at_another_size() -> None:
    ramp = np.broadcast_to(((np.arange(8) + 0.5) / 8)[None, :, None], (8, 8, 1)).astype(np.float32)
    larger = resized(ramp, 16, 32)
    assert larger.shape == (16, 32, 1)
    np.testing.assert_allclose(larger[4, 4:-4, 0], (np.arange(32)[4:-4] + 0.5) / 32, atol=1e-6)
