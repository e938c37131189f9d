"""Tinted glass before the eyes is found by what it does to skin and to the white of the eye, and is no skin."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.photo.face_detector import Face, FaceDetector
from backend.photo.landmark_table import EYE_LEFT, EYE_RIGHT
from backend.photo.outlines import disc, inside
from backend.photo.reading import Photo
from backend.photo.skin.censoring import find_censoring
from backend.photo.skin.coverings import GLASSES, find_coverings
from backend.photo.skin.segmentation import Segmenter
from backend.photo.skin.skin_mask import skin_mask
from backend.photo.skin.tinted_glass import tinted_glass
from backend.photo.view import find_view
from tests.backend.photo.painted_coverings import with_bar, with_mask, with_spectacles

YELLOW, ROSE, BLUE = (0.95, 0.7, 0.15), (0.9, 0.4, 0.45), (0.2, 0.4, 0.75)


@pytest.mark.parametrize("tint", [YELLOW, ROSE, BLUE], ids=["yellow", "rose", "blue"])
def test_skin_behind_tinted_glass_is_no_skin(
    segmenter: Segmenter, portrait: np.ndarray, face: Face, tint: tuple[float, float, float]
) -> None:
    painted, covered = with_spectacles(portrait, face, tint)
    photo = Photo(painted)
    segmentation = segmenter.segment(photo, face)
    found = tinted_glass(painted, face.landmarks_px, segmentation)
    assert found[covered].mean() > 0.9
    near = cv2.dilate(covered.astype(np.uint8), disc(0.15 * face.interocular_px)) > 0
    bare = Photo(portrait)
    skin = skin_mask(bare, face, segmentation=segmenter.segment(bare, face)) > 0.5
    assert (found & skin & ~near).sum() < 0.02 * covered.sum()
    coverings = find_coverings(photo, face, segmentation)
    assert set(coverings.shares) == {GLASSES}
    assert coverings.warning is not None
    assert coverings.warning.startswith("Glasses seem to cover ")
    assert skin_mask(photo, face, segmentation=coverings.segmentation)[covered].mean() < 0.1


def test_eyes_behind_tinted_glass_tell_nothing_of_the_light(
    detector: FaceDetector, segmenter: Segmenter, portrait: np.ndarray, face: Face
) -> None:
    for image, told in ((portrait, True), (with_spectacles(portrait, face, YELLOW)[0], False)):
        view = find_view(bytes(cv2.imencode(".png", image[..., ::-1])[1]), detector, None, segmenter)
        assert view.white is not None
        assert (view.white.confidence > 0) == told
        assert (view.white.level == 1).all() == (not told)
        assert view.white.white_share > 0


def test_clear_glass_paint_light_and_masks_are_no_tinted_glass(
    segmenter: Segmenter, portrait: np.ndarray, face: Face
) -> None:
    def is_tinted(image: np.ndarray) -> bool:
        return bool(tinted_glass(image, face.landmarks_px, segmenter.segment(Photo(image), face)).any())

    assert not is_tinted(portrait)
    assert not is_tinted(with_spectacles(portrait, face, (0.9, 0.9, 0.9), 20)[0])
    assert not is_tinted(np.round(255 * linear_to_srgb(srgb_to_linear(portrait / 255) * YELLOW)).astype(np.uint8))
    assert not is_tinted(with_mask(portrait, face, (140.0, 180.0, 205.0))[0])
    painted = with_spectacles(portrait, face, YELLOW)[0]
    for eye in (EYE_LEFT, EYE_RIGHT):
        bare = inside(face.landmarks_px, eye, portrait.shape)
        painted[bare] = portrait[bare]
    assert not is_tinted(painted)


@pytest.mark.parametrize("level", [0, 255])
def test_rims_of_one_colour_are_no_bar(portrait: np.ndarray, face: Face, level: int) -> None:
    painted, _ = with_spectacles(portrait, face, (1.0, 1.0, 1.0), level)
    assert not find_censoring(painted, face.landmarks_px).bars.any()
    assert find_censoring(with_bar(portrait, face, level)[0], face.landmarks_px).bars.any()
