"""The list of photos of one person in the panel, and what is sent of it."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from tests.blender import finished_job
from tests.blender.conftest import MODULE
from tests.blender.fake_backend import FakeBackend
from tests.blender.person import (
    drawn,
    listed,
    reconstruct,
)
from tests.blender.test_people import files


def test_photos_are_listed_each_once_moved_and_taken_off(settings: Any, photos: list[str]) -> None:
    assert bpy.ops.relightify.add_photos(**files(photos[:2])) == {"FINISHED"}
    assert (settings.source, listed(settings), settings.photo_index) == ("PERSON", ["front", "left"], 0)
    assert bpy.ops.relightify.add_photos(**files(photos)) == {"FINISHED"}
    assert (listed(settings), settings.photo_index) == (["front", "left", "right"], 2)
    bpy.ops.relightify.move_photo(index=2, by=-1)
    assert (listed(settings), settings.photo_index) == (["front", "right", "left"], 1)
    assert bpy.ops.relightify.move_photo(index=2, by=1) == {"CANCELLED"}
    bpy.ops.relightify.remove_photo(index=1)
    assert listed(settings) == ["front", "left"]
    bpy.ops.relightify.remove_photo(index=-1)
    assert not settings.photos
    assert not bpy.ops.relightify.remove_photo.poll()
    assert not bpy.ops.relightify.move_photo.poll()


def test_the_list_begins_with_the_panels_photo_where_asked_and_anew_otherwise(settings: Any, photos: list[str]) -> None:
    settings.photo, settings.face = photos[0], 1
    bpy.ops.relightify.add_photos(keep_photo=True, **files(photos[1:]))
    assert listed(settings) == ["front", "left", "right"]
    assert [item.face for item in settings.photos] == [1, -1, -1]
    settings.source = "FILE"
    bpy.ops.relightify.add_photos(**files(photos[1:]))
    assert listed(settings) == ["left", "right"], "what was listed before may be of another person"


def test_what_is_no_photo_is_not_listed(settings: Any, photos: list[str]) -> None:
    more = [*photos[:1], str(Path(photos[0]).with_name("notes.txt"))]
    assert bpy.ops.relightify.add_photos(**files(more)) == {"FINISHED"}
    assert listed(settings) == ["front"]


def test_files_dropped_onto_the_list_join_it(settings: Any, photos: list[str]) -> None:
    bpy.ops.relightify.add_photos(**files(photos[:1]))
    assert bpy.ops.relightify.drop_photo(filepath=photos[1], **files(photos[1:])) == {"FINISHED"}
    assert (settings.source, listed(settings)) == ("PERSON", ["front", "left", "right"])
    handler = bpy.types.RELIGHTIFY_FH_photos
    assert handler.bl_import_operator == "relightify.add_photos"
    assert ".heic" in handler.bl_file_extensions


def test_the_list_says_what_keeps_it_from_being_sent(
    settings: Any, photos: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "relightify.add_photos" in drawn(settings)
    bpy.ops.relightify.add_photos(**files(photos[:1]))
    assert "Add one to 7 more photos of this person." in drawn(settings)
    bpy.ops.relightify.add_photos(**files(photos))
    assert {"front.png", "left.png", "Reference", "RELIGHTIFY_UL_photos"} <= set(drawn(settings))
    with monkeypatch.context() as patch:
        messages = importlib.import_module(f"{MODULE}.shared.messages")
        patch.setattr(messages, "MAX_PHOTO_BYTES", 2 * len(finished_job.photo()))
        assert "The 3 photos have together" in " ".join(drawn(settings))
    Path(photos[1]).unlink()
    assert "left.png is not there any more: take it off the list." in " ".join(drawn(settings))
    assert "Missing" in drawn(settings)
    bpy.ops.relightify.remove_photo(index=1)
    for number in range(7):
        settings.photos.add().path = str(tmp_path / f"more {number}.png")
    assert "A head is made from at most 8 photos: take 1 off the list." in " ".join(drawn(settings))


def test_faces_are_found_and_chosen_in_each_photo(
    connected: FakeBackend, addon: SimpleNamespace, settings: Any, photos: list[str]
) -> None:
    bpy.ops.relightify.add_photos(**files(photos))
    settings.photo_index = 1
    assert bpy.ops.relightify.find_faces() == {"FINISHED"}
    settings.photo_index = 2
    assert bpy.ops.relightify.find_faces() == {"FINISHED"}
    assert [bytes(search.photo) for search in connected.searches] == [Path(p).read_bytes() for p in photos[1:]]
    session = addon.link.session.session_of(bpy.context)
    assert session.searches.of(photos[1]).job.faces is not None, "that of the second is still known"
    bpy.ops.relightify.choose_face(index=1)
    assert [item.face for item in settings.photos] == [-1, -1, 1]
    assert settings.face == -1
    assert "Face 1 of 2" in drawn(settings)
    assert "Unusable" in drawn(settings), "the second face is too small"


def test_a_profile_is_no_photo_that_cannot_be_used(
    connected: FakeBackend, addon: SimpleNamespace, settings: Any, photos: list[str]
) -> None:
    bpy.ops.relightify.add_photos(**files(photos))
    connected.face_error = ("face_in_profile", "The face is seen from the side.", "Add a photo from the front.")
    settings.photo_index = 1
    with pytest.raises(RuntimeError, match="from the front"):
        bpy.ops.relightify.find_faces()
    session = addon.link.session.session_of(bpy.context)
    assert session.searches.of(photos[1]).problem is not None
    assert "Profile" in drawn(settings)
    assert "Unusable" not in drawn(settings)


def test_all_photos_are_sent_in_order_with_their_faces(
    connected: FakeBackend, settings: Any, photos: list[str]
) -> None:
    reconstruct(photos, face=2, further_faces="-, 1")
    (request,) = connected.requests
    assert [bytes(photo) for photo in request.photos] == [Path(path).read_bytes() for path in photos]
    assert (request.options.face, request.further_faces) == (2, (None, 1))
    assert request.file_name == "front.png"


def test_photos_that_cannot_make_a_head_together_are_refused_in_words(
    connected: FakeBackend, settings: Any, photos: list[str], monkeypatch: pytest.MonkeyPatch, addon: SimpleNamespace
) -> None:
    with pytest.raises(RuntimeError, match=r"twice: left\.png"):
        reconstruct([*photos, photos[1]])
    copy = Path(photos[0]).with_name("copy.png")
    copy.write_bytes(Path(photos[1]).read_bytes())
    with pytest.raises(RuntimeError, match=r"twice: left\.png and copy\.png"):
        reconstruct([*photos, str(copy)])
    with pytest.raises(RuntimeError, match="at most 8 photos, not from 9"):
        reconstruct(photos * 3)
    with pytest.raises(RuntimeError, match=r"gone\.png cannot be read"):
        reconstruct([*photos, str(copy.with_name("gone.png"))])
    with pytest.raises(RuntimeError, match="does not name faces"):
        reconstruct(photos, further_faces="left")
    messages = importlib.import_module(f"{MODULE}.shared.messages")
    monkeypatch.setattr(messages, "MAX_PHOTO_BYTES", 2 * len(finished_job.photo()))
    with pytest.raises(RuntimeError, match="The 3 photos have together"):
        reconstruct(photos)
    assert not connected.requests
