"""What of the seen skin is trusted, on drawn regions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.delight.trust import trusted, without_slivers
from backend.texture.regions import FaceRegions

SIDE = 160
TEXELS_PER_MM = 1.0
SKIN = np.array([0.4, 0.25, 0.18], np.float32)


@pytest.fixture
def regions() -> FaceRegions:
    """A face without features: a square in the middle."""
    face = np.zeros((SIDE, SIDE), np.float32)
    face[20:110, 30:130] = 1
    none = np.zeros_like(face)
    return FaceRegions(none, none, none, none, none, none, face, TEXELS_PER_MM)


def test_a_strip_of_neck_over_a_collar_is_left_out_and_a_whole_neck_is_not(regions: FaceRegions) -> None:
    strip, neck = regions.face.copy(), regions.face.copy()
    strip[125:135, 40:120] = 1
    neck[118:158, 40:120] = 1
    np.testing.assert_array_equal(without_slivers(strip, regions), regions.face)
    np.testing.assert_array_equal(without_slivers(neck, regions), neck)


def test_an_ear_apart_from_the_face_is_kept_and_its_rim_is_not(regions: FaceRegions) -> None:
    ear, rim = regions.face.copy(), regions.face.copy()
    ear[50:75, 5:20] = 1
    rim[50:75, 8:13] = 1
    np.testing.assert_array_equal(without_slivers(ear, regions), ear)
    np.testing.assert_array_equal(without_slivers(rim, regions), regions.face)


def test_strands_of_hair_at_the_border_are_not_trusted_and_skin_there_is(regions: FaceRegions) -> None:
    rng = np.random.default_rng(0)
    log_albedo = np.zeros((SIDE, SIDE, 3), np.float32) + rng.normal(0, 0.02, (SIDE, SIDE, 1)).astype(np.float32)
    hairy = log_albedo.copy()
    hairy[50:80, 30:40] += rng.normal(0, 0.25, (30, 10, 1)).astype(np.float32)
    bare, haired = (trusted(image, regions.face, regions)[55:75, 34:38].mean() for image in (log_albedo, hairy))
    assert haired < 0.3 * bare


def test_hair_is_followed_from_the_border_deep_into_the_forehead_and_a_rough_patch_inside_is_skin(
    regions: FaceRegions,
) -> None:
    rng = np.random.default_rng(0)
    regions = replace(regions, forehead=regions.face)
    plain = np.zeros((SIDE, SIDE, 3), np.float32) + rng.normal(0, 0.02, (SIDE, SIDE, 1)).astype(np.float32)
    fringe, inner = plain.copy(), plain.copy()
    strands = rng.normal(0, 0.2, (30, 40, 1)).astype(np.float32)
    fringe[20:60, 60:90] += strands.transpose(1, 0, 2)
    inner[50:80, 60:100] += strands
    assert trusted(fringe, regions.face, regions)[45:55, 70:80].max() < 0.2
    assert trusted(inner, regions.face, regions)[55:75, 70:90].min() > 0.9


def test_a_brow_above_its_region_that_meets_a_fringe_is_trusted_and_the_fringe_is_not(regions: FaceRegions) -> None:
    rng = np.random.default_rng(0)
    brows = np.zeros_like(regions.face)
    brows[62:70, 55:110] = 1
    log_albedo = np.zeros((SIDE, SIDE, 3), np.float32) + rng.normal(0, 0.02, (SIDE, SIDE, 1)).astype(np.float32)
    log_albedo[20:58, 70:90] += rng.normal(0, 0.2, (1, 20, 1)).astype(np.float32)
    log_albedo[60:70, 60:105] += rng.normal(-0.5, 0.2, (10, 45, 1)).astype(np.float32)
    kept = trusted(log_albedo, regions.face, replace(regions, forehead=regions.face, brows=brows))
    assert kept[65:68, 96:103].min() > 0.7
    assert kept[25:52, 74:86].max() < 0.2


def test_a_grey_brow_on_brown_skin_is_trusted_and_background_at_the_border_beside_it_is_not(
    regions: FaceRegions,
) -> None:
    rng = np.random.default_rng(0)
    brows = np.zeros_like(regions.face)
    brows[60:70, 30:80] = 1
    log_albedo = np.log(SKIN) + rng.normal(0, 0.02, (SIDE, SIDE, 1)).astype(np.float32)
    log_albedo[61:69, 45:78] = np.log(0.03)
    log_albedo[61:69, 30:35] = np.log([0.2, 0.3, 0.6])
    kept = trusted(log_albedo.astype(np.float32), regions.face, replace(regions, brows=brows))
    assert kept[62:68, 48:76].min() > 0.9
    assert kept[62:68, 30:34].max() < 0.1


def test_a_grey_brow_is_trusted_up_to_the_fringe_that_it_goes_on_under(regions: FaceRegions) -> None:
    rng = np.random.default_rng(0)
    brows, seen = np.zeros_like(regions.face), regions.face.copy()
    brows[60:70, 50:110] = 1
    seen[20:75, 80:] = 0  # the fringe
    log_albedo = np.log(SKIN) + rng.normal(0, 0.02, (SIDE, SIDE, 1)).astype(np.float32)
    log_albedo[61:69, 55:80] = np.log(0.03)
    kept = trusted(log_albedo.astype(np.float32), seen, replace(regions, brows=brows))
    assert kept[62:68, 55:68].min() > 0.85
    assert kept[62:68, 70:73].mean() > 0.4  # within the feather


def test_a_grey_beard_is_trusted_and_a_smooth_grey_scarf_in_its_place_is_not(regions: FaceRegions) -> None:
    rng = np.random.default_rng(0)
    regions = replace(regions, beard=regions.face * (np.arange(SIDE)[:, None] > 70))
    skin = np.log(SKIN) + rng.normal(0, 0.02, (SIDE, SIDE, 1))
    scarf = skin.copy()
    scarf[78:108, 45:115] += np.log(0.5) - np.log(SKIN)
    beard = scarf.copy()
    beard[78:108, 45:115] += rng.normal(0, 0.3, (30, 70, 1))
    kept = [trusted(image.astype(np.float32), regions.face, regions)[82:92, 55:105].mean() for image in (beard, scarf)]
    assert kept[0] > 0.9
    assert kept[1] < 0.8


def test_a_brow_on_the_side_without_light_is_not_trusted_and_one_in_the_light_is(regions: FaceRegions) -> None:
    lit, unlit = np.zeros((2, SIDE, SIDE), np.float32)
    lit[45:52, 44:60] = 1
    unlit[45:52, 104:120] = 1
    browed = replace(regions, brows=lit + unlit)
    light = np.where(np.arange(SIDE) < 84, 0.0, -2.5)[None, :, None]
    log_albedo = (light - 0.9 * browed.brows[..., None] + np.zeros(3)).astype(np.float32)
    weight = trusted(log_albedo, regions.face, browed)
    assert weight[lit > 0].mean() > 0.9
    assert weight[unlit > 0].max() < 0.05
