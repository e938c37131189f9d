"""Which photos are of one person, with faces and embeddings made up."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch

from backend.identity import one_person
from backend.identity.embedder import FaceEmbedder
from backend.identity.one_person import PersonViews, person_views
from backend.identity.strangers import strangers
from backend.photo.face_detector import Face, FaceDetector
from backend.photo.profile_outline import FaceOutline, Profile
from backend.photo.reading import Photo
from backend.photo.skin.segmentation import Segmentation, Segmenter
from backend.photo.view import View
from backend.progress import Progress
from shared.errors import RelightifyError
from shared.photos import MOST_PHOTOS


def view(person: int, yaw: float = 0.0, warnings: tuple[str, ...] = ()) -> View:
    """A photo whose first pixel says who is in it."""
    angle = np.radians(yaw)
    pose = np.eye(4)
    pose[2, 0], pose[2, 2] = -np.sin(angle), np.cos(angle)
    face = Face(np.zeros((478, 2)), np.zeros(478), (0, 0, 1, 1), np.zeros(52, np.float32), pose, warnings)
    return View(Photo(np.full((2, 2, 3), person, np.uint8), None), face)


class Embedder:
    """Sees who is in a photo of `view`."""

    def photo(self, photo_srgb: np.ndarray, landmarks_px: np.ndarray) -> torch.Tensor:
        del landmarks_px
        return torch.eye(8)[int(photo_srgb[0, 0, 0])]

    def likeness(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return first @ second


EMBEDDER = cast(FaceEmbedder, Embedder())


def test_whoever_most_photos_do_not_show_is_a_stranger() -> None:
    assert strangers([view(1), view(2), view(1)], EMBEDDER) == (1,)
    assert strangers([view(2), view(1), view(1)], EMBEDDER) == (0,)
    assert strangers([view(1), view(1)], EMBEDDER) == ()


def test_of_two_people_the_first_photo_says_who_is_meant() -> None:
    assert strangers([view(1), view(2)], EMBEDDER) == (1,)


def test_a_face_that_is_turned_far_is_nobodys() -> None:
    assert strangers([view(1), view(2, yaw=70)], EMBEDDER) == ()


def read(monkeypatch: pytest.MonkeyPatch, found: dict[bytes, Any], *photos: bytes) -> PersonViews:
    def find(data: bytes, *_: object) -> View:
        if isinstance(found[data], RelightifyError):
            raise found[data]
        return found[data]

    monkeypatch.setattr(one_person, "find_view", find)
    return person_views(photos, (), cast(FaceDetector, None), None, EMBEDDER, Progress())


def test_a_photo_that_cannot_be_used_is_left_out_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = RelightifyError("no_face", "No face was found.", "Take another.")
    person = read(monkeypatch, {b"a": view(1), b"b": empty, b"c": view(1)}, b"a", b"b", b"c")
    assert person.numbers == (0, 2)
    assert person.warnings == ("Photo 2 is left out: No face was found.",)


def in_profile(monkeypatch: pytest.MonkeyPatch, *photos: bytes) -> PersonViews:
    """As `read`, where photo p shows no face, but a head from the side, and the others a face of the person."""
    no_face = RelightifyError("no_face", "No face was found.", "Take another.")
    profile = Profile(view(1).photo, cast(Segmentation, None), cast(FaceOutline, None))

    def find(data: bytes, *_: object) -> View:
        if data == b"p":
            raise no_face
        return view(1)

    monkeypatch.setattr(one_person, "find_view", find)
    monkeypatch.setattr(one_person, "read_photo", lambda *_: profile.photo)
    monkeypatch.setattr(one_person, "find_profile", lambda *_: profile)
    return person_views(photos, (), cast(FaceDetector, None), cast(Segmenter, object()), EMBEDDER, Progress())


def test_a_profile_is_used_beside_a_face_and_comes_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    person = in_profile(monkeypatch, b"p", b"a", b"b")
    assert person.numbers == (1, 2, 0)
    assert isinstance(person.views[2], Profile)
    assert isinstance(person.first, View)
    assert person.warnings == ()


def test_a_profile_alone_is_refused_with_what_to_add(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RelightifyError) as raised:
        in_profile(monkeypatch, b"p")
    assert raised.value.code == "face_in_profile"
    assert "from the front" in raised.value.hint


def test_where_no_photo_can_be_used_the_first_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {name: RelightifyError(f"no_{name.decode()}", "No.", "") for name in (b"a", b"b")}
    with pytest.raises(RelightifyError) as raised:
        read(monkeypatch, found, b"a", b"b")
    assert raised.value.code == "no_a"


def test_a_photo_of_somebody_else_is_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    person = read(monkeypatch, {b"a": view(1), b"b": view(2), b"c": view(1)}, b"a", b"b", b"c")
    assert person.numbers == (0, 2)
    assert person.warnings == ("Photo 2 seems to show another person, so it is left out.",)


def test_warnings_say_of_which_photo_they_are_where_there_are_several(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {b"a": view(1, warnings=("Dark.",)), b"b": view(1, warnings=("Soft.",))}
    person = read(monkeypatch, found, b"a", b"b")
    warnings = [v.face.warnings for v in person.views if isinstance(v, View)]
    assert warnings == [("Photo 1: Dark.",), ("Photo 2: Soft.",)]
    assert read(monkeypatch, found, b"a").first.face.warnings == ("Dark.",)


def test_more_photos_than_a_head_is_made_of_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RelightifyError) as raised:
        read(monkeypatch, {b"a": view(1)}, *[b"a"] * (MOST_PHOTOS + 1))
    assert raised.value.code == "too_many_photos"
