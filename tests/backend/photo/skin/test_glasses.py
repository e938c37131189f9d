"""Spectacles are noticed by their bridge, and their thin frames are no skin.

The picture is NASA's public-domain portrait of Eileen Collins, with frames painted onto it.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.photo.face_checks import WEARS_GLASSES
from backend.photo.face_detector import Face, FaceDetector, choose_face
from backend.photo.landmark_table import (
    EYE_LEFT,
    EYE_RIGHT,
    NOSE_ROOT,
    OUTER_EYE_CORNERS,
    UNDER_EYE_LEFT,
    UNDER_EYE_RIGHT,
)
from backend.photo.outlines import inside
from backend.photo.reading import Photo
from backend.photo.skin.coverings import glasses_are_worn
from backend.photo.skin.glasses import cloth_begins, frames, lies_over_nose, wears_glasses
from backend.photo.skin.segmentation import CLOTHES, FACE_SKIN, OTHERS, Segmentation, Segmenter
from backend.photo.skin.skin_mask import skin_mask
from backend.photo.view import find_view

BETWEEN_THE_EYES, CHEEK = 6, 205
RIM = 0.42  # radius in distances of the irises


def wire(portrait: np.ndarray, face: Face) -> np.ndarray:
    """Thin round rims and the bridge between them, uint8 [H, W]."""
    drawn = np.zeros(portrait.shape[:2], np.uint8)
    unit, line = face.interocular_px, max(round(0.04 * face.interocular_px), 1)
    centres = [face.landmarks_px[list(eye)].mean(axis=0) for eye in (EYE_RIGHT, EYE_LEFT)]
    for centre in centres:
        cv2.circle(drawn, np.round(centre).astype(int).tolist(), round(RIM * unit), 255, line, cv2.LINE_AA)
    along = (centres[1] - centres[0]) / np.linalg.norm(centres[1] - centres[0])
    ends = [
        np.round(c + d * RIM * unit * along).astype(int).tolist() for c, d in zip(centres, (0.98, -0.98), strict=True)
    ]
    cv2.line(drawn, ends[0], ends[1], 255, line, cv2.LINE_AA)
    return drawn


def with_glasses(portrait: np.ndarray, face: Face) -> np.ndarray:
    share = wire(portrait, face)[..., None] / 255.0
    return np.round(portrait * (1 - share) + np.array([60, 45, 40]) * share).astype(np.uint8)


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5])
@pytest.mark.parametrize("degrees", [0.0, 40.0])
def test_glasses_are_noticed_at_every_size_and_tilt(
    portrait: np.ndarray, face: Face, scale: float, degrees: float
) -> None:
    centre = face.landmarks_px[BETWEEN_THE_EYES].astype(float)
    turn = cv2.getRotationMatrix2D(tuple(centre), degrees, scale)
    size = (round(portrait.shape[1] * max(scale, 1)), round(portrait.shape[0] * max(scale, 1)))
    points = face.landmarks_px @ turn[:, :2].T + turn[:, 2]
    for picture, worn in ((portrait, False), (with_glasses(portrait, face), True)):
        seen = cv2.warpAffine(picture, turn, size, flags=cv2.INTER_AREA)
        assert wears_glasses(seen, points) == worn


def cheek_patch(face: Face) -> tuple[slice, slice]:
    """A patch of the cheek."""
    x, y = np.round(face.landmarks_px[CHEEK]).astype(int)
    return slice(y - 4, y + 5), slice(x - 4, x + 5)


def test_thin_frames_are_no_skin_and_what_is_beside_them_stays(portrait: np.ndarray, face: Face) -> None:
    bare, worn = (skin_mask(Photo(p), face) for p in (portrait, with_glasses(portrait, face)))
    on_skin = (wire(portrait, face) > 128) & (bare > 0.99)
    below = face.landmarks_px[list((*EYE_LEFT, *EYE_RIGHT)), 1].max()
    on_skin[: int(below)] = False  # brows and lids are left alone
    assert worn[on_skin].mean() < 0.3
    x, y = np.round(face.landmarks_px[CHEEK]).astype(int)
    assert worn[y, x] > 0.95
    lenses = np.zeros(bare.shape, np.uint8)
    for eye in (EYE_RIGHT, EYE_LEFT):
        centre = np.round(face.landmarks_px[list(eye)].mean(axis=0)).astype(int).tolist()
        cv2.circle(lenses, centre, round(0.7 * RIM * face.interocular_px), 1, -1)
    assert worn[(lenses > 0) & (bare > 0.99)].mean() > 0.8


def test_frames_need_length() -> None:
    light, points = np.zeros((200, 200, 1), np.float32), np.full((478, 2), 300.0)
    points[list(EYE_RIGHT)], points[list(EYE_LEFT)] = (60, 100), (140, 100)
    light[115:118, 95:100] = -1  # a mole
    assert not frames(light, points, 60.0).any()
    light[120:122, 60:140] = -1
    found = frames(light, points, 60.0)
    assert found[120:122, 70:130].all()
    assert not found[140:].any()


def test_frames_as_dark_as_the_skin_are_told_by_their_hue(portrait: np.ndarray, face: Face) -> None:
    dim = portrait // 2  # where a red can be as bright as the skin
    skin = np.median(dim[cheek_patch(face)], axis=(0, 1))
    luma = skin @ (0.299, 0.587, 0.114)
    red = np.array((1.0, 0.25, 0.3)) * luma / (np.array((1.0, 0.25, 0.3)) @ (0.299, 0.587, 0.114))
    rim = cv2.dilate(wire(portrait, face), np.ones((5, 5), np.uint8))[..., None] / 255
    like_skin, worn = ((dim * (1 - rim) + colour * rim).astype(np.uint8) for colour in (skin, red))
    assert not wears_glasses(like_skin, face.landmarks_px)
    assert wears_glasses(worn, face.landmarks_px)
    below = int(face.landmarks_px[list((*EYE_LEFT, *EYE_RIGHT)), 1].max())
    bare, mask = (skin_mask(Photo(p), face) for p in (dim, worn))
    on_skin = (rim[..., 0] > 0.5) & (bare > 0.99)
    on_skin[:below] = False
    assert mask[on_skin].mean() < 0.3


def test_the_user_is_told_of_glasses(portrait: np.ndarray, face: Face, detector: FaceDetector) -> None:
    assert not any("glasses" in warning for warning in face.warnings)
    worn = choose_face(detector.detect(Photo(with_glasses(portrait, face))))
    assert any("wear glasses" in warning for warning in worn.warnings)


def test_a_bridge_that_is_no_edge_is_told_by_the_thing_that_lies_there(portrait: np.ndarray, face: Face) -> None:
    points = face.landmarks_px
    pale = np.full((*portrait.shape[:2], 6), 0.02, np.float32)
    pale[..., OTHERS] += 0.8 * (cv2.GaussianBlur(wire(portrait, face), (0, 0), 2.0) / 255)
    over = Segmentation(pale, np.eye(2, 3))
    photo = Photo(portrait)
    assert not glasses_are_worn(photo, face, None)
    assert glasses_are_worn(photo, face, over)
    beside_the_nose = pale[..., OTHERS].copy()
    x = int(points[NOSE_ROOT][0])
    beside_the_nose[:, x - 1 :] = 0
    assert not lies_over_nose(beside_the_nose, points)


def test_the_edge_of_cloth_over_the_nose_is_no_bridge(portrait: np.ndarray, face: Face) -> None:
    root, corners = face.landmarks_px[NOSE_ROOT], face.landmarks_px[list(OUTER_EYE_CORNERS)]
    begins = 0.16
    edge = round(float(root[1]) + begins * float(np.linalg.norm(corners[1] - corners[0])))
    told = np.zeros((*portrait.shape[:2], 6), np.float32)
    told[:edge, :, FACE_SKIN], told[edge:, :, CLOTHES] = 1, 1
    masked = Segmentation(told, np.eye(2, 3))
    assert cloth_begins(told[..., FACE_SKIN].copy(), face.landmarks_px) == pytest.approx(begins, abs=0.02)
    assert cloth_begins(np.ones(portrait.shape[:2], np.float32), face.landmarks_px) == np.inf
    for picture, worn in ((portrait, False), (with_glasses(portrait, face), True)):
        covered = picture.copy()
        covered[edge:] = (40, 60, 120)
        assert wears_glasses(covered, face.landmarks_px)
        assert glasses_are_worn(Photo(covered), face, masked) == worn


def test_pale_rims_of_an_official_portrait_are_told_and_what_they_frame_is_left_out(
    detector: FaceDetector, segmenter: Segmenter
) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib brings the portrait of Grace Hopper")
    import matplotlib

    portrait = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    view = find_view(portrait.read_bytes(), detector, None, segmenter)
    assert WEARS_GLASSES in view.face.warnings
    mask = skin_mask(view.photo, view.face, segmentation=view.segmentation)
    for bag in (UNDER_EYE_LEFT, UNDER_EYE_RIGHT):
        assert mask[inside(view.face.landmarks_px, bag, mask.shape)].mean() < 0.3
    cheek_x, cheek_y = np.round(view.face.landmarks_px[CHEEK]).astype(int)
    assert mask[cheek_y, cheek_x] > 0.9


def test_a_face_without_extent_wears_none() -> None:
    assert not lies_over_nose(np.ones((20, 20), np.float32), np.zeros((478, 2)))
    assert not wears_glasses(np.zeros((20, 20, 3), np.uint8), np.zeros((478, 2)))
