"""Hair, skin and clothes are told apart on the face's upright crop, whatever way up the photo is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.photo.face_detector import Face
from backend.photo.landmark_table import NOSE_TIP
from backend.photo.reading import Photo
from backend.photo.skin import segmentation
from backend.photo.skin.segmentation import (
    BACKGROUND,
    CLOTHES,
    FACE_SKIN,
    HAIR,
    Segmentation,
    Segmenter,
    load_segmenter,
)
from shared.errors import RelightifyError

# In the portrait at 1024 x 1024: the middle of her face, her hair, her suit, the flag behind her.
PLACES = {FACE_SKIN: (446, 250), HAIR: (450, 90), CLOTHES: (300, 640), BACKGROUND: (120, 300)}


@pytest.fixture(scope="module")
def found(segmenter: Segmenter, portrait: np.ndarray, face: Face) -> Segmentation:
    return segmenter.segment(Photo(portrait), face)


def class_at(found: Segmentation, x: float, y: float) -> int:
    return int(found.over((int(x) - 2, int(y) - 2, int(x) + 3, int(y) + 3), (5, 5)).mean(axis=(0, 1)).argmax())


def test_what_is_where_is_said_in_the_photo_s_pixels(found: Segmentation) -> None:
    assert found.probabilities.dtype == np.float32
    np.testing.assert_allclose(found.probabilities.sum(axis=-1), 1, atol=1e-5)
    for wanted, place in PLACES.items():
        assert class_at(found, *place) == wanted


def turned(face: Face, side: int) -> Face:
    """The face in the photo, `side` pixels square, turned by a quarter counter-clockwise."""
    points = np.stack([face.landmarks_px[:, 1], side - face.landmarks_px[:, 0]], axis=-1)
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    return replace(face, landmarks_px=points, box=(float(x0), float(y0), float(x1), float(y1)))


def test_a_photo_on_its_side_is_told_apart_as_the_upright_one(
    segmenter: Segmenter, portrait: np.ndarray, face: Face, found: Segmentation
) -> None:
    side = portrait.shape[0]
    on_side = segmenter.segment(Photo(np.ascontiguousarray(np.rot90(portrait))), turned(face, side))
    for wanted, (x, y) in PLACES.items():
        assert class_at(on_side, y, side - x) == wanted
    size = (side // 4, side // 4)
    upright = found.over((0, 0, side, side), size).argmax(-1)
    same = np.rot90(on_side.over((0, 0, side, side), size).argmax(-1), -1) == upright
    assert same.mean() > 0.98


def test_a_part_of_the_photo_can_be_asked_for_at_any_size(found: Segmentation, face: Face) -> None:
    x, y = face.landmarks_px[NOSE_TIP[0]]
    fine = found.over((int(x) - 8, int(y) - 8, int(x) + 8, int(y) + 8), (64, 48))
    assert fine.shape == (48, 64, 6)
    assert fine[..., FACE_SKIN].min() > 0.9


def test_without_the_model_file_there_is_no_segmenter_and_the_log_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unavailable(*_: object) -> None:
        raise RelightifyError("model_unavailable", "The segmentation model cannot be downloaded.")

    monkeypatch.setattr(segmentation, "fetched_model", unavailable)
    assert load_segmenter() is None
    assert "colour alone" in caplog.text


def test_a_cache_that_cannot_be_written_is_still_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def unwritable(*_: object) -> None:
        raise RelightifyError("cache_unwritable", "The cache folder cannot be used.")

    monkeypatch.setattr(segmentation, "fetched_model", unwritable)
    with pytest.raises(RelightifyError, match="cache folder"):
        load_segmenter()
