"""Continued detail, relief and specular albedo."""

from __future__ import annotations

import numpy as np

from backend.head.model import load_head_model
from backend.texture.detail import CONTINUED_SHARE, band_deviations, solid_detail
from backend.texture.regions import FaceRegions, face_regions, landmark_texels
from backend.texture.relief import (
    SPECULAR_LIPS,
    SPECULAR_SKIN,
    cavity,
    height_normals,
    regional_specular,
    relief_height,
)
from backend.texture.uv_space import mirror, uv_space


def test_continued_detail_has_the_strength_of_what_was_seen() -> None:
    rng = np.random.default_rng(0)
    seen = rng.normal(0, 0.02, (256, 256, 3)).astype(np.float32)
    bands = band_deviations(seen, np.ones((256, 256), np.float32), texels_per_mm=2.0)
    assert [round(wavelength, 2) for wavelength, _ in bands] == [6.0, 3.0, 1.5]
    points = rng.uniform(0, 80, (20_000, 3)).astype(np.float32)
    noise = solid_detail(points, bands, seed=1)
    expected = CONTINUED_SHARE * np.sqrt(sum(np.square(deviation) for _, deviation in bands))
    np.testing.assert_allclose(noise[:, 0].std(), expected[0], rtol=0.2)


def test_continued_detail_is_a_function_of_place_and_seed() -> None:
    bands = [(1.5, np.full(3, 0.02))]
    points = np.random.default_rng(0).uniform(-90, 90, (500, 3)).astype(np.float32)
    first, again = solid_detail(points, bands, 4), solid_detail(points[::-1], bands, 4)[::-1]
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - solid_detail(points, bands, 5)).max() > 0.01


def test_too_little_skin_has_no_measured_detail() -> None:
    assert band_deviations(np.zeros((32, 32, 3), np.float32), np.zeros((32, 32), np.float32), 2.0) == []


def test_dark_detail_lies_deep_and_brows_and_even_skin_are_flat() -> None:
    regions, texels = real_regions()
    spot, height_at = np.zeros((256, 256, 3), np.float32), {}
    for landmark in (205, 105):  # cheek, brow
        column, row = np.round(texels[landmark]).astype(int)
        spot[row, column] = -0.3
    height = relief_height(spot, regions, np.ones((256, 256), bool))
    for landmark in (205, 105):
        column, row = np.round(texels[landmark]).astype(int)
        height_at[landmark] = height[row, column]
    assert height_at[205] < -0.02
    assert abs(height_at[105]) < 0.3 * abs(height_at[205])
    assert abs(height[5, 5]) < 1e-4


def test_normals_lean_away_from_what_is_higher() -> None:
    ramp = np.tile(np.arange(8, dtype=np.float32) * 0.1, (8, 1))
    inner = (slice(2, -2), slice(2, -2))
    normals = height_normals(ramp, np.ones((8, 8), np.float32))[inner]
    np.testing.assert_allclose(normals[..., 0] / normals[..., 2], -0.1, atol=1e-5)
    upward = height_normals(np.ascontiguousarray(ramp.T[::-1]), np.ones((8, 8), np.float32))[inner]
    np.testing.assert_allclose(upward[..., 1] / upward[..., 2], -0.1, atol=1e-5)
    assert not np.array_equal(normals, mirror(upward))


def real_regions(resolution: int = 256) -> tuple[FaceRegions, np.ndarray]:
    model = load_head_model()
    return face_regions(model, uv_space(model, resolution)), landmark_texels(model, resolution)


def test_regions_lie_where_the_landmarks_are_and_are_the_same_on_both_sides() -> None:
    regions, texels = real_regions()
    column, row = np.round(texels).astype(int).T
    for mask, landmark in ((regions.lips, 17), (regions.nose, 4), (regions.brows, 105), (regions.forehead, 151)):
        assert mask[row[landmark], column[landmark]] > 0.5
    assert regions.lips[row[4], column[4]] < 0.05
    assert regions.beard[row[152], column[152]] > 0.9  # the chin
    assert regions.beard[row[151], column[151]] == 0
    for mask in (regions.lips, regions.brows, regions.eyes, regions.beard):
        assert np.abs(mask - mirror(mask)).mean() < 0.01


def test_specular_albedo_is_constant_by_region() -> None:
    regions, texels = real_regions()
    plain = regional_specular(regions)
    column, row = np.round(texels).astype(int).T
    assert abs(plain[row[17], column[17]] - SPECULAR_LIPS) < 0.01
    assert abs(plain[row[205], column[205]] - SPECULAR_SKIN) < 0.01


def test_a_pit_is_a_cavity() -> None:
    height = np.zeros((64, 64), np.float32)
    height[32, 32] = -0.05
    deep = cavity(height, np.ones((64, 64), bool), texels_per_mm=4.0)
    assert deep[32, 32] > 0.045
    assert abs(deep[5, 5]) < 1e-6
