"""Filtered sampling over texel footprints."""

from __future__ import annotations

import numpy as np
import pytest

from backend.imaging.sampling import Footprint, sample_image


def grid(count: int, step_x: float, step_y: float) -> tuple[np.ndarray, Footprint]:
    """Pixels at the centres of count x count texels of step_x x step_y pixels each, and their footprints."""
    index = np.arange(count) + 0.5
    x, y = np.meshgrid(index * step_x, index * step_y)
    jacobian = np.broadcast_to(np.diag([step_x, step_y]), (count * count, 2, 2))
    return np.stack([x.ravel(), y.ravel()], axis=1), Footprint(jacobian)


def test_one_texel_a_pixel_gives_the_pixels_back() -> None:
    image = np.random.default_rng(0).random((16, 16, 3), dtype=np.float32)
    pixels, footprint = grid(16, 1, 1)
    np.testing.assert_allclose(sample_image(image, pixels, footprint).reshape(16, 16, 3), image, atol=1e-6)


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_minification_averages_so_that_a_checkerboard_turns_grey(factor: int) -> None:
    checks = (np.indices((64, 64)).sum(0) % 2).astype(np.float32)[..., None]
    pixels, footprint = grid(64 // factor, factor, factor)
    grey = sample_image(checks, pixels, footprint).reshape(64 // factor, -1)
    np.testing.assert_allclose(grey[1:-1, 1:-1], 0.5, atol=0.03)


def test_a_footprint_long_along_one_axis_keeps_the_other_axis_sharp() -> None:
    stripes = np.zeros((32, 32, 1), np.float32)
    stripes[::2] = 1  # rows alternate; texels are four pixels wide and one high
    pixels, _ = grid(8, 4, 1)
    pixels = pixels[:64]
    narrow = Footprint(np.broadcast_to(np.diag([4.0, 1.0]), (64, 2, 2)))
    values = sample_image(stripes, pixels, narrow).reshape(8, 8)
    np.testing.assert_allclose(values[::2], 1, atol=1e-5)
    np.testing.assert_allclose(values[1::2], 0, atol=1e-5)


def test_footprints_follow_the_affine_map_of_each_triangle() -> None:
    rng = np.random.default_rng(1)
    texels = rng.random((5, 3, 2)) * 10
    matrices = rng.normal(size=(5, 2, 2))
    pixels = np.einsum("nij,nkj->nki", matrices, texels) + 7.0
    np.testing.assert_allclose(Footprint.of_triangles(pixels, texels).jacobian, matrices, atol=1e-9)


def test_a_triangle_without_texels_has_no_footprint() -> None:
    footprint = Footprint.of_triangles(np.ones((1, 3, 2)), np.ones((1, 3, 2)))
    assert np.isfinite(footprint.jacobian).all()
