"""Continued detail, relief and specular albedo."""

from __future__ import annotations

import numpy as np

from backend.head.model import load_head_model
from backend.imaging.solid_noise import solid_noise
from backend.texture.regions import FaceRegions, face_regions, landmark_texels
from backend.texture.relief import (
    SPECULAR_LIPS,
    SPECULAR_SKIN,
    cavity,
    regional_specular,
    relief_height,
)
from backend.texture.uv_space import mirror, uv_space


def test_solid_noise_has_unit_deviation_and_the_wavelength_asked_for() -> None:
    line = np.zeros((40_000, 3), np.float32)
    line[:, 0] = np.arange(40_000) * 0.05
    noise = solid_noise(line, wavelength_mm=2.0, seed=1)
    assert 0.8 < noise.std() < 1.2
    crossings = np.count_nonzero(np.diff(np.sign(noise)))
    assert 0.5 < 2 * 40_000 * 0.05 / crossings / 2.0 < 2.5


def test_solid_noise_is_a_function_of_place_and_seed() -> None:
    points = np.random.default_rng(0).uniform(-90, 90, (500, 3)).astype(np.float32)
    first, again = solid_noise(points, 1.5, 4), solid_noise(points[::-1], 1.5, 4)[::-1]
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - solid_noise(points, 1.5, 5)).max() > 0.5


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
