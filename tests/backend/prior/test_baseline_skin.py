"""What of the seen skin is trusted, and burnt-out highlights, on drawn regions."""

from __future__ import annotations

import numpy as np
import pytest

from backend.prior.baseline_skin import over_burnt, trusted, without_slivers
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


def test_a_burnt_out_highlight_takes_the_skin_around_it(regions: FaceRegions) -> None:
    texture = np.zeros((SIDE, SIDE, 3), np.float32) + SKIN
    texture[60:66, 70:76] = 1
    log_albedo = np.log(texture)
    mended = over_burnt(log_albedo, texture, regions.face, regions)
    np.testing.assert_allclose(mended[63, 73], np.log(SKIN), atol=0.05)
    np.testing.assert_array_equal(mended[30:50, 40:60], log_albedo[30:50, 40:60])
