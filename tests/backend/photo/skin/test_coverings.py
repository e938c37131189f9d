"""What covers a face is found, named, measured, kept out of the skin, and refused where little of the face is left."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from backend.asset_files import SOURCES
from backend.photo.face_checks import WEARS_GLASSES
from backend.photo.face_detector import Face, FaceDetector, choose_face
from backend.photo.landmark_table import BROW_LEFT, BROW_RIGHT, CHIN_TIP, EYE_LEFT, EYE_RIGHT, MASK_OUTLINE, NOSE_BASE
from backend.photo.outlines import inside
from backend.photo.reading import Photo
from backend.photo.skin.coverings import CENSORED, CLOTH, HAND, SOMETHING, find_coverings
from backend.photo.skin.hidden_features import eyes_are_hidden, mouth_is_hidden
from backend.photo.skin.segmentation import FACE_SKIN, OTHERS, Segmentation, Segmenter
from backend.photo.skin.skin_mask import skin_mask
from backend.photo.view import WITHOUT_SEGMENTATION, find_view
from shared.errors import RelightifyError
from tests.backend.photo.painted_coverings import with_bar, with_blur, with_finger, with_mask, with_mosaic

CHEEK = 346  # below the left eye
CASES = SOURCES.parent / "cases"
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason="the photos that went wrong are not on this machine")


def iou(found: np.ndarray, truth: np.ndarray) -> float:
    return float((found & truth).sum() / (found | truth).sum())


def png(image: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".png", image[..., ::-1])[1])


@pytest.fixture(scope="module")
def bare(segmenter: Segmenter, portrait: np.ndarray, face: Face) -> Segmentation:
    return segmenter.segment(Photo(portrait), face)


def test_nothing_covers_a_bare_face(portrait: np.ndarray, face: Face, bare: Segmentation) -> None:
    found = find_coverings(Photo(portrait), face, bare)
    assert found.shares == {}
    assert found.warning is None
    assert found.left > 0.95


@pytest.mark.parametrize(
    "colour", [(226.0, 226.0, 228.0), (28.0, 28.0, 30.0), (140.0, 180.0, 205.0)], ids=["white", "black", "blue"]
)
def test_a_mask_is_no_skin_and_is_named(
    segmenter: Segmenter, portrait: np.ndarray, face: Face, bare: Segmentation, colour: tuple[float, float, float]
) -> None:
    painted, covered = with_mask(portrait, face, colour)
    photo = Photo(painted)
    found = find_coverings(photo, face, segmenter.segment(photo, face))
    assert set(found.shares) == {CLOTH}
    assert found.shares[CLOTH] == pytest.approx(0.5, abs=0.08)
    assert found.warning is not None
    assert found.warning.startswith("A mask or cloth seems to cover ")
    before = skin_mask(Photo(portrait), face, segmentation=bare) > 0.5
    mask = skin_mask(photo, face, segmentation=found.segmentation) > 0.5
    # Below a white mask the network doubts the shaded neck.
    above = slice(0, int(face.landmarks_px[NOSE_BASE, 1]))
    assert iou(mask[above], (before & ~covered)[above]) > 0.95
    assert mask[covered].mean() < 0.02


@pytest.mark.parametrize("level", [0, 255])
def test_a_bar_over_the_eyes_is_found(
    segmenter: Segmenter, portrait: np.ndarray, face: Face, bare: Segmentation, level: int
) -> None:
    painted, covered = with_bar(portrait, face, level)
    photo = Photo(painted)
    found = find_coverings(photo, face, segmenter.segment(photo, face))
    assert set(found.shares) == {CENSORED}
    before = skin_mask(Photo(portrait), face, segmentation=bare) > 0.5
    mask = skin_mask(photo, face, segmentation=found.segmentation) > 0.5
    assert iou(mask, before & ~covered) > 0.93


def test_a_mask_of_the_skin_s_colour_is_found_by_the_missing_mouth(
    segmenter: Segmenter, portrait: np.ndarray, face: Face
) -> None:
    x, y = face.landmarks_px[CHEEK].astype(int)
    r, g, b = np.median(portrait[y - 4 : y + 5, x - 4 : x + 5].reshape(-1, 3), axis=0)
    painted, covered = with_mask(portrait, face, (r, g, b))
    assert mouth_is_hidden(painted, face.landmarks_px)
    assert not mouth_is_hidden(portrait, face.landmarks_px)
    dark_and_soft = (cv2.GaussianBlur(portrait, (0, 0), 12) * 0.2).astype(np.uint8)
    assert not mouth_is_hidden(dark_and_soft, face.landmarks_px)
    photo = Photo(painted)
    # Whatever the network makes of it: here it is told that all is skin.
    every = segmenter.segment(Photo(portrait), face)
    found = find_coverings(photo, face, every)
    assert set(found.shares) == {CLOTH}
    assert skin_mask(photo, face, segmentation=found.segmentation)[covered].mean() < 0.05


def test_blurred_eyes_are_no_skin(segmenter: Segmenter, portrait: np.ndarray, face: Face) -> None:
    painted, _ = with_blur(portrait, face, EYE_LEFT + EYE_RIGHT, 0.1)
    photo = Photo(painted)
    found = find_coverings(photo, face, segmenter.segment(photo, face))
    assert set(found.shares) == {CENSORED}
    assert found.over_eyes
    mask = skin_mask(photo, face, segmentation=found.segmentation)
    for brow in (BROW_LEFT, BROW_RIGHT):
        assert mask[inside(face.landmarks_px, brow, mask.shape)].mean() < 0.05
    # A photo that is soft all over has eyes, and dark glass is glass.
    assert not eyes_are_hidden(cv2.GaussianBlur(portrait, (0, 0), 0.1 * face.interocular_px), face.landmarks_px)
    glass = np.zeros((*portrait.shape[:2], 6), np.float32)
    glass[..., FACE_SKIN] = 1
    glass[with_bar(portrait, face, 0)[1]] = np.eye(6, dtype=np.float32)[OTHERS]
    assert CENSORED not in find_coverings(photo, face, Segmentation(glass, np.eye(2, 3))).shares


def test_a_bar_over_the_eyes_is_not_called_sunglasses(
    detector: FaceDetector, segmenter: Segmenter, portrait: np.ndarray, face: Face
) -> None:
    view = find_view(png(with_bar(portrait, face, 0)[0]), detector, None, segmenter)
    assert [warning for warning in view.face.warnings if "glasses" in warning] == []
    assert any(warning.startswith("A bar, mosaic or blur seems to cover") for warning in view.face.warnings)


def test_one_finger_of_the_face_s_colour_is_a_hand(segmenter: Segmenter, portrait: np.ndarray, face: Face) -> None:
    painted, covered = with_finger(portrait, face, face.landmarks_px[13], width=0.24)
    photo = Photo(painted)
    found = find_coverings(photo, face, segmenter.segment(photo, face))
    assert set(found.shares) == {HAND}
    assert found.shares[HAND] < 0.06
    mask = skin_mask(photo, face, segmentation=found.segmentation) > 0.5
    chin = covered & (np.arange(len(covered))[:, None] < face.landmarks_px[CHIN_TIP, 1])
    assert mask[chin].mean() < 0.25


def test_a_mosaic_is_no_skin(segmenter: Segmenter, portrait: np.ndarray, face: Face) -> None:
    painted, covered = with_mosaic(portrait, face, MASK_OUTLINE)
    photo = Photo(painted)
    found = find_coverings(photo, face, segmenter.segment(photo, face))
    assert max(found.shares, key=lambda kind: found.shares[kind]) == CENSORED
    assert skin_mask(photo, face, segmentation=found.segmentation)[covered].mean() < 0.1


def test_a_face_of_which_nothing_is_left_is_refused(segmenter: Segmenter, portrait: np.ndarray, face: Face) -> None:
    photo = Photo(with_mosaic(portrait, face)[0])
    with pytest.raises(RelightifyError, match=r"Only \d+% of the face can be seen: a bar, mosaic or blur") as raised:
        find_coverings(photo, face, segmenter.segment(photo, face))
    assert raised.value.code == "too_little_skin"


def test_the_view_warns_and_says_where_the_face_is_bare(
    detector: FaceDetector, segmenter: Segmenter, portrait: np.ndarray, face: Face
) -> None:
    painted, covered = with_mask(portrait, face, (140.0, 180.0, 205.0))
    view = find_view(png(painted), detector, None, segmenter)
    assert any(warning.startswith("A mask or cloth seems to cover") for warning in view.face.warnings)
    assert WEARS_GLASSES not in view.face.warnings
    assert view.bare_skin is not None
    assert view.bare_skin[covered].mean() < 0.05
    assert view.bare_skin[tuple(face.landmarks_px[CHEEK].astype(int)[::-1])] > 0.9
    assert find_view(png(portrait), detector, None, segmenter).bare_skin is None


def test_without_the_model_the_view_says_that_colour_tells_skin(detector: FaceDetector, portrait: np.ndarray) -> None:
    view = find_view(png(portrait), detector)
    assert view.segmentation is None
    assert WITHOUT_SEGMENTATION in view.face.warnings


def case(name: str) -> np.ndarray:
    return np.array(Image.open(CASES / f"{name}.png").convert("RGB"))


@needs_cases
@pytest.mark.parametrize(
    ("name", "kinds", "least"), [("min_mask_blue", {CLOTH}, 0.93), ("min_fingers", {HAND, SOMETHING}, 0.9)]
)
def test_covered_cases_keep_the_bare_skin_alone(
    detector: FaceDetector, segmenter: Segmenter, name: str, kinds: set[str], least: float
) -> None:
    base, painted = Photo(case("min_base")), Photo(case(name))
    covered = np.abs(base.image_srgb.astype(int) - painted.image_srgb).max(axis=-1) > 12
    face = choose_face(detector.detect(base))
    before = skin_mask(base, face, segmentation=segmenter.segment(base, face)) > 0.5
    found = find_coverings(painted, face, segmenter.segment(painted, face))
    assert set(found.shares) <= kinds
    assert found.shares
    mask = skin_mask(painted, face, segmentation=found.segmentation) > 0.5
    assert iou(mask, before & ~covered) > least


@needs_cases
@pytest.mark.parametrize(
    "name", ["min_face_tattoo", "min_port_wine_stain", "min_vitiligo_moderate", "green_skin", "min_two_colour_light"]
)
def test_marks_paint_and_coloured_light_are_skin(detector: FaceDetector, segmenter: Segmenter, name: str) -> None:
    photo = Photo(case(name))
    face = choose_face(detector.detect(photo))
    found = find_coverings(photo, face, segmenter.segment(photo, face))
    assert found.shares == {}
    if name.startswith("min_"):
        base = Photo(case("min_base"))
        marked = np.abs(base.image_srgb.astype(int) - photo.image_srgb).max(axis=-1) > 12
        before = skin_mask(base, face, segmentation=segmenter.segment(base, face))
        mask = skin_mask(photo, face, segmentation=found.segmentation)
        assert mask[marked & (before > 0.9)].mean() > 0.95
