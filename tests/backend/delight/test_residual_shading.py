"""Light that is left in the albedo is taken out where skins do not differ so much, on drawn regions."""

from __future__ import annotations

import numpy as np
import pytest

from backend.delight.parameters import ResidualShadingSettings
from backend.delight.residual_shading import without_left_light
from backend.imaging.colour import LUMINANCE
from backend.texture.regions import FaceRegions

SETTINGS = ResidualShadingSettings()
SIDE = 120
SKIN = np.log(np.array([0.4, 0.25, 0.18], np.float32))
LIPS, BROWS, NOSE = (slice(90, 102), slice(45, 75)), (slice(25, 31), slice(30, 90)), (slice(60, 75), slice(60, 75))
CHEEK = (slice(62, 82), slice(25, 45))
SHADE = 0.9


@pytest.fixture
def regions() -> FaceRegions:
    def drawn(*areas: tuple[slice, slice]) -> np.ndarray:
        image = np.zeros((SIDE, SIDE), np.float32)
        for area in areas:
            image[area] = 1
        return image

    face = drawn((slice(5, 115), slice(10, 110)))
    beard = drawn((slice(80, 115), slice(15, 105)))
    nothing = drawn()
    return FaceRegions(drawn(LIPS), drawn(NOSE), nothing, drawn(BROWS), nothing, beard, face, 1.0)


def softened(log_albedo: np.ndarray, regions: FaceRegions, nostrils: np.ndarray | None = None) -> np.ndarray:
    island = np.ones((SIDE, SIDE), bool)
    inside = np.zeros((SIDE, SIDE), np.float32) if nostrils is None else nostrils
    return without_left_light(log_albedo, skin(), regions.face, inside, island, regions)


def skin() -> np.ndarray:
    return np.zeros((SIDE, SIDE, 3), np.float32) + SKIN


def middle(image: np.ndarray, area: tuple[slice, slice]) -> np.ndarray:
    rows, columns = area
    return image[(rows.start + rows.stop) // 2, (columns.start + columns.stop) // 2] - SKIN


def test_shade_and_casts_on_a_cheek_end_at_what_skins_differ_by(regions: FaceRegions) -> None:
    shaded, red = skin(), skin()
    shaded[CHEEK] -= SHADE
    red[CHEEK] += np.array([0.5, -0.2, -0.6], np.float32)
    assert abs(middle(softened(shaded, regions), CHEEK) @ LUMINANCE) <= SETTINGS.largest
    left = middle(softened(red, regions), CHEEK)
    assert np.abs(left - left @ LUMINANCE).max() <= SETTINGS.largest_colour


def test_small_differences_and_fine_detail_stay(regions: FaceRegions) -> None:
    rng = np.random.default_rng(0)
    pores = rng.normal(0, 0.1, (SIDE, SIDE, 1)).astype(np.float32)
    faint = skin()
    faint[CHEEK] += 0.05
    assert 0.03 < middle(softened(faint, regions), CHEEK) @ LUMINANCE < 0.05
    rough = softened(skin() + pores, regions) - skin()
    assert np.corrcoef(rough[..., 1].ravel(), pores.ravel())[0, 1] > 0.95
    assert rough[..., 1].std() > 0.85 * pores.std()


def test_nothing_pale_stands_beside_a_dark_fold(regions: FaceRegions) -> None:
    across = np.abs(np.arange(SIDE, dtype=np.float32) - 40)[None, :, None]
    fold = np.array([-1.0, -1.4, -1.8], np.float32) * np.exp(-np.square(across / 1.0) / 2)
    left = softened((skin() + fold).astype(np.float32), regions)[70:100] - SKIN
    beside = left[:, [34, 35, 36, 37, 43, 44, 45, 46]]
    assert (beside @ LUMINANCE).max() < 0.04
    assert np.abs(beside - (beside @ LUMINANCE)[..., None]).max() < 0.04


def test_brows_and_the_inside_of_the_nose_stay_as_dark_as_they_are(regions: FaceRegions) -> None:
    dark = skin()
    dark[BROWS] -= SHADE
    dark[NOSE] -= SHADE
    np.testing.assert_allclose(middle(softened(dark, regions), BROWS), -SHADE, atol=0.02)
    np.testing.assert_allclose(middle(softened(dark, regions, regions.nose), NOSE), -SHADE, atol=0.02)
    assert abs(middle(softened(dark, regions), NOSE) @ LUMINANCE) <= SETTINGS.largest


def test_the_hair_of_brows_keeps_its_colour(regions: FaceRegions) -> None:
    brown = np.array([-0.5, -0.9, -1.5], np.float32)
    haired = skin()
    haired[BROWS] += brown
    haired[CHEEK] += brown
    np.testing.assert_allclose(middle(softened(haired, regions), BROWS), brown, atol=0.06)
    assert np.abs(middle(softened(haired, regions), CHEEK) - brown).max() > 0.3


def test_painted_lips_keep_their_colour_and_lose_what_lies_on_a_part_of_them(regions: FaceRegions) -> None:
    lipstick = np.array([0.3, -1.2, -0.8], np.float32)
    painted = skin()
    painted[LIPS] += lipstick
    np.testing.assert_allclose(middle(softened(painted, regions), LIPS), lipstick, atol=0.02)
    rows, columns = LIPS
    glow = painted.copy()
    glow[rows, columns.start : columns.start + 10] += 0.8
    end = softened(glow, regions)[(rows.start + rows.stop) // 2, columns.start + 5] - SKIN
    assert abs((end - lipstick) @ LUMINANCE) < SETTINGS.largest + 0.02


def test_a_beard_keeps_what_it_has_on_both_sides_and_not_the_shade_on_one(regions: FaceRegions) -> None:
    rng = np.random.default_rng(0)
    bearded = skin()
    bearded[regions.beard > 0] += rng.normal(-0.6, 0.25, (int(regions.beard.sum()), 1)).astype(np.float32)
    shade = (slice(82, 114), slice(82, 105))
    shaded = bearded.copy()
    shaded[shade] -= SHADE
    jaw, other = (slice(92, 104), slice(90, 98)), (slice(92, 104), slice(SIDE - 98, SIDE - 90))
    in_shade, in_light = ((softened(shaded, regions)[area] - SKIN).mean() for area in (jaw, other))
    assert (softened(bearded, regions)[jaw] - SKIN).mean() == pytest.approx(-0.6, abs=0.1)
    assert in_light == pytest.approx(-0.6, abs=0.1)
    assert in_shade > -0.6 - SETTINGS.largest - 0.25
