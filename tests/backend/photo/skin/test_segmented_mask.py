"""With the segmentation, hair, strands of hair and hands are no skin; beards, brows, paint and marks are.

The picture is NASA's public-domain portrait of Eileen Collins, which comes with scikit-image.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.photo.face_detector import Face
from backend.photo.landmark_table import (
    BROW_LEFT,
    BROW_RIGHT,
    CHEEK_POINTS,
    EYE_LEFT,
    EYE_RIGHT,
    FACE_OVAL,
    FOREHEAD_TOP,
    NOSE_BASE,
)
from backend.photo.outlines import inside
from backend.photo.reading import Photo
from backend.photo.skin.face_crop import FaceCrop, face_crop, region_around
from backend.photo.skin.parameters import SkinMaskSettings
from backend.photo.skin.segmentation import BODY_SKIN, FACE_SKIN, HAIR, Segmentation, Segmenter
from backend.photo.skin.segmented_mask import hands, skin_by_segmentation
from backend.photo.skin.skin_mask import skin_mask
from backend.photo.skin.strands import strands
from tests.backend.photo.skin.test_skin_mask import bearded, chin_and_jaw


@pytest.fixture(scope="module")
def segmentation(segmenter: Segmenter, portrait: np.ndarray, face: Face) -> Segmentation:
    return segmenter.segment(Photo(portrait), face)


@pytest.fixture(scope="module")
def mask(portrait: np.ndarray, face: Face, segmentation: Segmentation) -> np.ndarray:
    return skin_mask(Photo(portrait), face, segmentation=segmentation)


def test_cheeks_and_brows_are_skin_and_eyes_hair_clothes_and_backdrop_are_not(mask: np.ndarray, face: Face) -> None:
    assert mask.dtype == np.float32
    assert mask.min() >= 0
    assert mask.max() <= 1
    for point in CHEEK_POINTS:
        assert mask[tuple(face.landmarks_px[point].astype(int)[::-1])] > 0.95
    brows = inside(face.landmarks_px, BROW_LEFT, mask.shape) | inside(face.landmarks_px, BROW_RIGHT, mask.shape)
    assert mask[brows].mean() > 0.9
    for eye in (EYE_LEFT, EYE_RIGHT):
        assert mask[inside(face.landmarks_px, eye, mask.shape)].mean() < 0.1
    assert mask[80:140, 380:520].mean() < 0.02  # hair above the forehead
    assert mask[450:700, 300:600].mean() < 0.02  # the suit
    assert mask[:, 700:].max() == 0  # what is behind her


def test_its_border_is_soft_and_lies_on_the_photo_s_edges(mask: np.ndarray, portrait: np.ndarray) -> None:
    between = (mask > 0.1) & (mask < 0.9)
    assert 0.01 < between.sum() / (mask > 0.5).sum() < 0.4
    grey = cv2.GaussianBlur(cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.0)
    slope = np.hypot(*np.gradient(grey))
    assert slope[between].mean() > 2 * slope[mask > 0.95].mean()


@pytest.mark.parametrize(
    ("colour", "grain"),
    [((38.0, 30.0, 26.0), 8.0), ((210.0, 210.0, 212.0), 30.0), ((62.0, 22.0, 16.0), 8.0)],
    ids=["dark", "grey", "reddish brown"],
)
def test_a_full_beard_counts_as_skin_where_the_network_calls_it_skin_or_hair(
    portrait: np.ndarray, face: Face, segmentation: Segmentation, colour: tuple[float, float, float], grain: float
) -> None:
    photo = Photo(bearded(portrait, face, colour, grain))
    assert min(chin_and_jaw(skin_mask(photo, face, segmentation=segmentation), face)) > 0.9
    below = np.arange(segmentation.probabilities.shape[0])[:, None] > _row_in_crop(face, segmentation, NOSE_BASE)
    as_hair = segmentation.probabilities.copy()
    beard = below & (as_hair.argmax(-1) == FACE_SKIN)
    as_hair[beard] = np.eye(6, dtype=np.float32)[HAIR]
    mask = skin_mask(photo, face, segmentation=Segmentation(as_hair, segmentation.to_crop))
    assert min(chin_and_jaw(mask, face)) > 0.9


def _row_in_crop(face: Face, segmentation: Segmentation, landmark: int) -> float:
    return float(segmentation.to_crop[1, :2] @ face.landmarks_px[landmark] + segmentation.to_crop[1, 2])


def test_paint_of_any_colour_stays_skin(portrait: np.ndarray, face: Face, segmentation: Segmentation) -> None:
    bare = skin_mask(Photo(portrait), face, segmentation=segmentation)
    cheek = inside(face.landmarks_px, (117, 118, 101, 36, 205, 187, 123), portrait.shape)
    painted = portrait.copy()
    painted[cheek] = (0.3 * painted[cheek] + 0.7 * np.array([20, 150, 40])).astype(np.uint8)
    mask = skin_mask(Photo(painted), face, segmentation=segmentation)
    assert mask[cheek & (bare > 0.9)].mean() > 0.95


@pytest.mark.parametrize(
    ("colour", "most_left"),
    [((60, 42, 26), 0.3), ((150, 148, 149), 0.7)],
    ids=["brown", "grey, as bright as the skin"],
)
def test_a_strand_across_brow_and_cheek_is_taken_out_and_little_else(
    colour: tuple[int, int, int],
    most_left: float,
    portrait: np.ndarray,
    face: Face,
    segmentation: Segmentation,
    mask: np.ndarray,
) -> None:
    points, unit = face.landmarks_px, face.interocular_px
    line = np.zeros(portrait.shape[:2], np.uint8)
    start, end = points[FOREHEAD_TOP] + (0.15 * unit, -0.3 * unit), points[425]
    cv2.line(line, tuple(np.round(start).astype(int)), tuple(np.round(end).astype(int)), 255, 2, cv2.LINE_AA)
    strength = line[..., None] / 255
    painted = (portrait * (1 - strength) + np.array(colour) * strength).astype(np.uint8)
    found = skin_mask(Photo(painted), face, segmentation=segmentation)
    on_strand = (line > 200) & (mask > 0.9)
    assert on_strand.sum() > 100
    assert found[on_strand].mean() < most_left
    beside = (cv2.dilate(line, np.ones((13, 13), np.uint8)) == 0) & (mask > 0.9)
    assert (mask - found)[beside].mean() < 0.005


def test_lines_that_do_not_reach_the_hair_are_no_strands(face: Face, portrait: np.ndarray) -> None:
    shape, points, unit = portrait.shape[:2], face.landmarks_px, face.interocular_px
    hair, skin = np.zeros(shape, bool), inside(points, FACE_OVAL, shape)
    hair[: int(points[FOREHEAD_TOP, 1])] = True
    luminance, grey = np.full(shape, -1.5, np.float32), np.zeros(shape, np.float32)
    wrinkle = np.round(points[[71, 301]] + (0, -0.1 * unit)).astype(int)
    cv2.line(luminance, tuple(wrinkle[0]), tuple(wrinkle[1]), -2.2, 2)
    assert strands(luminance, grey, hair, skin, points, unit).max() == 0
    assert strands(luminance, grey, np.zeros(shape, bool), skin, points, unit).max() == 0
    top = np.round(points[FOREHEAD_TOP] - (0, 0.1 * unit)).astype(int)
    cv2.line(luminance, tuple(top), tuple(np.round(points[CHEEK_POINTS[0]]).astype(int)), -2.2, 2)
    assert strands(luminance, grey, hair, skin, points, unit).max() > 0.5


@pytest.fixture(scope="module")
def crop(portrait: np.ndarray, face: Face) -> FaceCrop:
    photo = Photo(portrait)
    return face_crop(photo, face, region_around(face, photo.height, photo.width), None, SkinMaskSettings())


def test_a_hand_on_the_cheek_is_no_skin_of_the_face_and_the_neck_is(
    crop: FaceCrop, face: Face, segmentation: Segmentation
) -> None:
    height, width = crop.region.shape
    chosen = SkinMaskSettings()
    probabilities = segmentation.over(crop.box, (width, height))
    assert hands(crop, probabilities, chosen).mean() < 0.002
    rows, columns = np.mgrid[0:height, 0:width]
    cheek = crop.points[425]
    hand = np.hypot(columns - cheek[0], rows - cheek[1]) < 0.25 * crop.unit
    with_hand = np.where(hand[..., None], np.eye(6, dtype=np.float32)[BODY_SKIN], probabilities)
    assert hands(crop, with_hand, chosen)[hand].mean() > 0.95
    skin = skin_by_segmentation(crop, with_hand, chosen)
    assert skin[hand].mean() < 0.1
    neck = (probabilities[..., BODY_SKIN] > 0.9) & crop.region & (rows > crop.points[152, 1] + 0.1 * crop.unit)
    assert neck.any()
    assert skin[neck].mean() > 0.9
