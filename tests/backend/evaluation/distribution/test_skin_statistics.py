"""What is counted on maps of skin, on patches whose right values are known."""

from __future__ import annotations

import numpy as np
import pytest

from backend.evaluation.distribution.skin_statistics import (
    MAP_NAMES,
    Ground,
    band_energies,
    energy_index,
    ground,
    light_share,
    photo_figures,
    skin_differences,
    small_log,
)
from backend.imaging.colour import linear_to_srgb
from backend.imaging.filters import masked_blur
from backend.rendering.spherical_harmonics import basis
from backend.texture.maps import SkinMaps
from backend.texture.regions import FaceRegions

SIDE, PER_MM = 128, 1.0
SKIN = np.array([0.5, 0.3, 0.22], np.float32)


def regions() -> FaceRegions:
    nothing, face = np.zeros((SIDE, SIDE), np.float32), np.ones((SIDE, SIDE), np.float32)
    brows = nothing.copy()
    brows[20:30, 30:60] = 1
    return FaceRegions(nothing, nothing, nothing, brows, nothing, nothing, face, PER_MM)


def where() -> Ground:
    return ground(np.ones((SIDE, SIDE), np.float32), regions())


def skin(log_light: np.ndarray) -> np.ndarray:
    """sRGB [R, R, 3] of skin under a light whose logarithm is [R, R]."""
    return linear_to_srgb(SKIN * np.exp(log_light)[..., None]).astype(np.float32)


def noise(width_mm: float, seed: int = 0) -> np.ndarray:
    """Unit noise with structures of about a width."""
    rough = np.random.default_rng(seed).standard_normal((SIDE, SIDE)).astype(np.float32)
    smooth = masked_blur(rough, np.ones_like(rough), width_mm / 2.3548 * PER_MM) if width_mm else rough
    return (smooth / smooth.std()).astype(np.float32)


def maps(log_light: np.ndarray) -> SkinMaps:
    flat = np.zeros((SIDE, SIDE, 3), np.float32) + np.array([0, 0, 1], np.float32)
    gloss = np.full((SIDE, SIDE), 0.4, np.float32)
    return SkinMaps(skin(log_light), skin(0 * log_light), gloss, flat, np.ones((SIDE, SIDE), np.float32))


def test_the_ground_is_seen_plain_skin_off_its_border() -> None:
    visibility = np.ones((SIDE, SIDE), np.float32)
    visibility[:, :40] = 0
    found = ground(visibility, regions())
    assert not found.plain[:, :42].any()
    assert found.plain[60, 60]
    assert not found.plain[25, 45]
    assert found.brows[25, 45]


def test_the_same_maps_have_an_index_of_one_and_smoothed_ones_less() -> None:
    rough = band_energies(maps(0.1 * noise(8)), where())
    again = band_energies(maps(0.1 * noise(8, seed=1)), where())
    half = band_energies(maps(0.05 * noise(8)), where())
    for name in MAP_NAMES:
        assert energy_index([rough[name][0]], [rough[name][0]]) == pytest.approx(1.0)
    assert energy_index([rough["T"][0]], [again["T"][0]]) == pytest.approx(1.0, abs=0.25)
    assert energy_index([half["T"][0]], [rough["T"][0]]) == pytest.approx(0.25, rel=0.02)


def test_blotches_and_pores_are_told_apart() -> None:
    blotched, pored = (band_energies(maps(0.1 * noise(w)), where())["T"] for w in (10.0, 0.0))
    assert blotched[0] > 5 * blotched[1]
    assert pored[1] > 5 * pored[0]


def test_one_outlier_does_not_move_the_index() -> None:
    assert energy_index([1.0] * 9 + [1000.0], [1.0]) < 2.1


def test_a_light_explains_a_lit_albedo_and_nothing_of_another_texture() -> None:
    line = np.linspace(-1, 1, SIDE, dtype=np.float32)
    x, y = np.meshgrid(line, -line)
    normals = np.dstack([0.7 * x, 0.7 * y, np.sqrt(1 - 0.49 * (x**2 + y**2))])
    light = basis(normals) @ np.array([0, 0.2, 0, 0.5, 0.1, 0, 0.2, 0, 0])
    albedo = skin(0.2 * noise(4))
    lit = linear_to_srgb(np.clip(SKIN * np.exp(0.2 * noise(4) + light - 1)[..., None], 0, 1)).astype(np.float32)
    assert light_share(lit, albedo, normals, where()) > 0.999
    other = skin(0.2 * noise(4, seed=1) - 0.5)
    assert light_share(other, albedo, normals, where()) < 0.1


def test_a_highlight_is_counted_by_its_area() -> None:
    light = np.zeros((SIDE, SIDE), np.float32)
    light[60:70, 60:70] = 0.55
    plain = where().plain
    figures = photo_figures(skin(light), where())
    assert figures["highlights"] == pytest.approx(100 / plain.sum(), rel=0.1)
    assert figures["burnt"] == 0
    assert photo_figures(np.ones((SIDE, SIDE, 3), np.float32), where())["burnt"] == 1


def test_a_shadow_edge_is_sharper_than_a_soft_one() -> None:
    step = np.where(np.arange(SIDE) % 40 < 20, -0.4, 0.0).astype(np.float32) * np.ones((SIDE, 1), np.float32)
    soft = masked_blur(step, np.ones_like(step), 10.0)
    hard_edge, soft_edge = (photo_figures(skin(image), where())["edges"] for image in (step, soft))
    # At its steepest, a step of 0.4 blurred to 1.5 mm has 0.4 / (sqrt(2 pi) 0.64) = 0.25 a mm.
    assert 0.15 < hard_edge < 0.25
    assert soft_edge < 0.4 * hard_edge


def test_brows_are_told_by_how_much_darker_they_are() -> None:
    light = np.log(np.where(where().brows, 0.5, 1.0)).astype(np.float32)
    assert photo_figures(skin(light), where())["brows"] == pytest.approx(np.log(0.5), abs=0.01)


def test_green_patches_are_hue_blotches_and_light_is_none() -> None:
    green = np.exp(0.15 * noise(10)[..., None] * np.array([-1, 0.3, 0], np.float32))
    blotched = linear_to_srgb(np.clip(SKIN * green, 0, 1)).astype(np.float32)
    shaded = skin(0.1 * noise(10))
    assert photo_figures(blotched, where())["hue blotches"] > 3 * photo_figures(shaded, where())["hue blotches"]


def test_a_skin_is_nearest_to_itself_whatever_its_tone_and_the_way_it_is_turned() -> None:
    own, other = small_log(skin(0.2 * noise(8)), 64), small_log(skin(0.2 * noise(8, seed=1)), 64)
    known = np.ones((64, 64), bool)
    known[:, :20] = False
    darker, turned = own - 0.3, own[:, ::-1]
    found = skin_differences(own, np.stack([darker, turned, other]), known)
    assert found[:2] == pytest.approx([0, 0], abs=1e-6)
    assert found[2] > 0.1
