"""Faces are found whatever their size, place and turn, and measured the same way each time.

The picture is NASA's public-domain portrait of Eileen Collins, which comes with scikit-image.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data

from backend.photo.face_detector import ARKIT_NAMES, Face, FaceDetector, choose_face
from backend.photo.landmark_table import EYE_LEFT, EYE_RIGHT, FACE_OVAL, LIPS_INNER, MIRROR
from backend.photo.reading import Photo
from shared.errors import RelightifyError


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return np.ascontiguousarray(skimage.data.astronaut())


@pytest.fixture(scope="module")
def face(detector: FaceDetector, portrait: np.ndarray) -> Face:
    return choose_face(detector.detect(Photo(portrait)))


def difference(found: Face, expected: Face, points: np.ndarray) -> float:
    """Mean distance of landmarks, mapped into the portrait, in units of the interocular distance."""
    assert found.landmarks_px.shape == (478, 2)
    return float(np.linalg.norm(points - expected.landmarks_px, axis=1).mean() / expected.interocular_px)


def test_a_smiling_frontal_face_is_measured(face: Face) -> None:
    x0, y0, x1, y1 = face.box
    np.testing.assert_allclose((x0, y0, x1, y1), (180, 71, 272, 179), atol=6)
    scores = dict(zip(ARKIT_NAMES, face.expression, strict=True))
    assert scores["mouthSmileLeft"] > 0.5
    assert scores["mouthSmileRight"] > 0.5
    assert scores["jawOpen"] < 0.3
    assert abs(face.yaw_degrees) < 30
    rotation = face.head_pose[:3, :3]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    # The subject's left eye is on the right of the picture; the nose is nearer than the ears.
    assert face.landmarks_px[list(EYE_LEFT), 0].mean() > face.landmarks_px[list(EYE_RIGHT), 0].mean()
    assert face.depth[1] < min(face.depth[234], face.depth[454])


def test_the_framing_hardly_changes_the_landmarks(detector: FaceDetector, portrait: np.ndarray, face: Face) -> None:
    cropped = choose_face(detector.detect(Photo(np.ascontiguousarray(portrait[20:300, 90:360]))))
    assert difference(cropped, face, cropped.landmarks_px - (-90, -20)) < 0.01


def test_a_mirrored_photo_gives_mirrored_landmarks_and_expression(
    detector: FaceDetector, portrait: np.ndarray, face: Face
) -> None:
    mirrored = choose_face(detector.detect(Photo(np.ascontiguousarray(portrait[:, ::-1]))))
    assert difference(mirrored, face, (mirrored.landmarks_px * (-1, 1) + (512, 0))[MIRROR]) < 0.01
    assert mirrored.yaw_degrees == pytest.approx(-face.yaw_degrees, abs=0.5)
    left, right = ARKIT_NAMES.index("eyeSquintLeft"), ARKIT_NAMES.index("eyeSquintRight")
    assert mirrored.expression[left] == pytest.approx(face.expression[right], abs=0.05)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_photo_on_its_side_or_head_is_still_read(
    detector: FaceDetector, portrait: np.ndarray, face: Face, turns: int
) -> None:
    turned = choose_face(detector.detect(Photo(np.ascontiguousarray(np.rot90(portrait, turns)))))
    points = turned.landmarks_px
    for _ in range(turns):
        points = np.stack([512 - points[:, 1], points[:, 0]], axis=1)
    assert difference(turned, face, points) < 0.015
    assert turned.yaw_degrees == pytest.approx(face.yaw_degrees, abs=3)


def test_a_face_that_is_small_in_a_large_photo_is_found(
    detector: FaceDetector, portrait: np.ndarray, face: Face
) -> None:
    canvas = np.full((2000, 3000, 3), 90, np.uint8)
    canvas[1100:1612, 400:912] = portrait
    found = choose_face(detector.detect(Photo(canvas)))
    assert difference(found, face, found.landmarks_px - (400, 1100)) < 0.01


def test_a_face_that_fills_the_frame_is_found(detector: FaceDetector, portrait: np.ndarray, face: Face) -> None:
    x0, y0, x1, y1 = (round(v) for v in face.box)
    tight = cv2.resize(portrait[y0:y1, x0:x1], None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    found = choose_face(detector.detect(Photo(tight)))
    assert difference(found, face, found.landmarks_px / 3 + (x0, y0)) < 0.04


def test_a_picture_without_a_face_has_none(detector: FaceDetector) -> None:
    assert detector.detect(Photo(np.ascontiguousarray(skimage.data.coffee()))) == ()


def test_dark_glasses_and_a_cut_chin_are_warned_of(detector: FaceDetector, portrait: np.ndarray, face: Face) -> None:
    assert not any("sunglasses" in w or "chin" in w for w in face.warnings)
    glasses = portrait.copy()
    for eye in (EYE_LEFT, EYE_RIGHT):
        cv2.circle(glasses, tuple(np.round(face.landmarks_px[list(eye)].mean(0)).astype(int).tolist()), 17, 10, -1)
    assert any("sunglasses" in w for w in choose_face(detector.detect(Photo(glasses))).warnings)
    chin = round(face.box[3] - 0.15 * face.size_px)
    cut = choose_face(detector.detect(Photo(np.ascontiguousarray(portrait[:chin]))))
    assert any("chin" in w for w in cut.warnings)


@pytest.mark.parametrize(("factor", "words"), [(0.06, "very dark"), (1.0, ""), (2.0, "overexposed")])
def test_too_little_and_too_much_light_are_warned_of(
    detector: FaceDetector, portrait: np.ndarray, factor: float, words: str
) -> None:
    exposed = np.clip(portrait * factor, 0, 255).astype(np.uint8)
    warnings = " ".join(choose_face(detector.detect(Photo(exposed))).warnings)
    assert words in warnings
    assert bool(words) == ("dark," in warnings or "overexposed" in warnings)


@pytest.mark.parametrize("quality", [None, 70], ids=["exact", "compressed"])
@pytest.mark.parametrize("paper", [(1.0, 1.0, 1.0), (1.0, 0.88, 0.68)], ids=["grey", "sepia"])
def test_a_photo_without_colour_is_warned_of(
    detector: FaceDetector,
    portrait: np.ndarray,
    face: Face,
    paper: tuple[float, float, float],
    quality: int | None,
) -> None:
    toned = (portrait.mean(axis=-1, keepdims=True) * paper).astype(np.uint8)
    if quality is not None:
        _, file = cv2.imencode(".jpg", toned[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded = cv2.imdecode(file, cv2.IMREAD_COLOR)
        assert decoded is not None
        toned = np.ascontiguousarray(decoded[..., ::-1])
    assert "no colour" in " ".join(choose_face(detector.detect(Photo(toned))).warnings)
    assert "no colour" not in " ".join(face.warnings)


def test_the_largest_face_comes_first_and_the_choice_is_warned_of(detector: FaceDetector, portrait: np.ndarray) -> None:
    small = cv2.resize(portrait, (384, 384), interpolation=cv2.INTER_AREA)
    pair = np.full((512, 900, 3), 120, np.uint8)
    pair[:384, :384], pair[:, 388:] = small, portrait
    faces = detector.detect(Photo(pair))
    assert [f.box[0] > 388 for f in faces] == [True, False]
    assert "2 faces" in choose_face(faces).warnings[0]
    assert choose_face(faces, 1).box == faces[1].box


def test_a_thorough_search_finds_the_people_in_the_background_too(detector: FaceDetector, portrait: np.ndarray) -> None:
    photo = np.full((900, 1600, 3), 120, np.uint8)
    photo[200:840, 100:740] = cv2.resize(portrait, (640, 640), interpolation=cv2.INTER_AREA)
    photo[400:600, 1300:1500] = cv2.resize(portrait, (200, 200), interpolation=cv2.INTER_AREA)
    first = detector.detect(Photo(photo))
    all_of_them = detector.detect(Photo(photo), thorough=True)
    assert len(first) == 1, "a quick search stops at the first that it finds"
    assert [f.box[0] > 1200 for f in all_of_them] == [False, True]


def made_up_face(size: float, yaw_degrees: float = 0.0) -> Face:
    points = np.random.default_rng(0).uniform(0, size, (478, 2))
    yaw = np.radians(yaw_degrees)
    pose = np.eye(4)
    pose[:3, :3] = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    return Face(points, np.zeros(478), (0, 0, size, size), np.zeros(52, np.float32), pose)


def code_of(faces: tuple[Face, ...], index: int | None) -> str:
    with pytest.raises(RelightifyError) as caught:
        choose_face(faces, index)
    assert caught.value.hint
    return caught.value.code


def test_faces_that_cannot_be_used_are_errors() -> None:
    assert code_of((), None) == "no_face"
    assert code_of((made_up_face(63),), None) == "face_too_small"
    assert code_of((made_up_face(300, 88),), None) == "face_in_profile"
    assert code_of((made_up_face(300, -88),), 0) == "face_in_profile"
    assert choose_face((made_up_face(300, 40),)).yaw_degrees == pytest.approx(40)


def test_a_wrong_choice_among_two_faces_is_an_error_that_lists_them() -> None:
    with pytest.raises(RelightifyError, match=r"2 faces.*0: 300 px.*1: 200 px") as caught:
        choose_face((made_up_face(300), made_up_face(200)), 2)
    assert caught.value.code == "bad_face_index"


def test_the_mirror_table_swaps_the_sides() -> None:
    np.testing.assert_array_equal(MIRROR[MIRROR], np.arange(478))
    assert {MIRROR[i] for i in EYE_LEFT} == set(EYE_RIGHT)
    assert {MIRROR[i] for i in FACE_OVAL} == set(FACE_OVAL)
    assert {MIRROR[i] for i in LIPS_INNER} == set(LIPS_INNER)
    assert tuple(sorted(ARKIT_NAMES)) == ARKIT_NAMES
    assert len(ARKIT_NAMES) == 52
