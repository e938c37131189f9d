"""A head that was made from several photos of one person: its cameras and lights, and the switch between them."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender import fake_backend, finished_job
from tests.blender.conftest import MODULE
from tests.blender.fake_backend import FakeBackend
from tests.blender.person import (
    ButtonLayout,
    background,
    drawn,
    leave_the_first_out,
    leave_the_third_out,
    listed,
    reconstruct,
    take_the_first_for_a_profile,
)
from tests.blender.test_people import files
from tests.blender.test_photo import new_image


def test_head_knows_all_its_photos_and_has_a_camera_and_a_light_of_each(
    connected: FakeBackend, addon: SimpleNamespace, settings: Any, photos: list[str]
) -> None:
    head = reconstruct(photos)
    kept = addon.scene.head_photos
    told = kept.kept_photos(head)
    assert [(photo.number, photo.name, photo.used) for photo in told] == [
        (1, "front", True),
        (2, "left", True),
        (3, "right", True),
    ]
    cameras = [kept.camera_of(head, number) for number in (1, 2, 3)]
    assert [camera.name for camera in cameras] == ["front camera", "left camera", "right camera"]
    assert bpy.context.scene.camera == cameras[0]
    for camera, path in zip(cameras, photos, strict=True):
        assert camera.parent == head.parent
        (background,) = camera.data.background_images
        assert bytes(background.image.packed_file.data) == Path(path).read_bytes()
    turns = [camera.matrix_basis.to_euler().z for camera in cameras]
    assert np.degrees(np.diff(turns)) == pytest.approx([30.0, 30.0], abs=0.5)
    worlds = [kept.world_of(head, number) for number in (1, 2, 3)]
    assert bpy.context.scene.world == worlds[0]
    assert len(set(worlds)) == 3


def test_photo_that_was_left_out_is_told_in_its_row_and_has_no_camera(
    connected: FakeBackend, addon: SimpleNamespace, settings: Any, photos: list[str]
) -> None:
    connected.behaviour = leave_the_third_out
    bpy.ops.relightify.add_photos(**files(photos))
    head = reconstruct(photos)
    assert [item.left_out for item in settings.photos] == [False, False, True]
    told = "right.png seems to show another person, so it is left out."
    assert settings.photos[2].note == told
    assert settings.photos[1].note.startswith("left.png: The chin")
    job = addon.link.session.session_of(bpy.context).job
    assert told in job.warnings
    assert "Left out" in drawn(settings)
    settings.photo_index = 2
    bpy.ops.relightify.choose_face(index=1)
    assert not settings.photos[2].left_out, "nobody knows of this face yet"
    assert not settings.photos[2].note
    kept = addon.scene.head_photos
    assert kept.camera_of(head, 3) is None
    assert [photo.used for photo in kept.kept_photos(head)] == [True, True, False]


def test_where_the_first_photo_is_a_profile_the_next_one_is_behind_the_head(
    connected: FakeBackend, addon: SimpleNamespace, settings: Any, photos: list[str]
) -> None:
    connected.behaviour = take_the_first_for_a_profile
    head = reconstruct(photos)
    kept = addon.scene.head_photos
    assert kept.first_number(kept.kept_photos(head)) == 2
    assert kept.reference_of(head).number == 2
    cameras = [kept.camera_of(head, number) for number in (2, 3, 1)]
    assert cameras[0] == bpy.context.scene.camera
    assert len(set(cameras)) == 3
    turns = [camera.matrix_basis.to_euler().z for camera in cameras]
    assert np.degrees(np.diff(turns)) == pytest.approx([30.0, 30.0], abs=0.5)
    (background,) = cameras[2].data.background_images
    assert bytes(background.image.packed_file.data) == Path(photos[0]).read_bytes()


def test_where_the_first_photo_is_left_out_the_next_one_is_behind_the_head(
    connected: FakeBackend, addon: SimpleNamespace, settings: Any, photos: list[str]
) -> None:
    connected.behaviour = leave_the_first_out
    head = reconstruct(photos)
    kept = addon.scene.head_photos
    assert kept.first_number(kept.kept_photos(head)) == 2
    assert kept.camera_of(head, 2) == bpy.context.scene.camera
    (background,) = bpy.context.scene.camera.data.background_images
    assert bytes(background.image.packed_file.data) == Path(photos[1]).read_bytes()
    assert bytes(kept.original_of(head, 1).packed_file.data) == Path(photos[0]).read_bytes()


def test_lights_come_without_cameras_where_none_are_wanted(
    connected: FakeBackend, addon: SimpleNamespace, settings: Any, photos: list[str]
) -> None:
    head = reconstruct(photos, use_camera=False)
    kept = addon.scene.head_photos
    assert not bpy.data.cameras
    assert len({kept.world_of(head, number) for number in (1, 2, 3)}) == 3
    bpy.ops.relightify.reconstruct_again()
    assert all(kept.camera_of(head, number) is not None for number in (1, 2, 3)), "Redo brings them"
    bpy.ops.relightify.reconstruct_again(use_camera=False)
    assert all(kept.camera_of(head, number) is not None for number in (1, 2, 3)), "and leaves those that there are"


def test_redo_sends_all_photos_again_with_their_faces(connected: FakeBackend, settings: Any, photos: list[str]) -> None:
    reconstruct(photos, face=1, further_faces="0")
    sent = [Path(path).read_bytes() for path in photos]
    for path in photos:
        Path(path).unlink()
    assert bpy.ops.relightify.reconstruct_again(seed=9, face=5) == {"FINISHED"}
    again = connected.requests[-1]
    assert [bytes(photo) for photo in again.photos] == sent
    assert (again.options.face, again.further_faces, again.options.seed) == (1, (0, None), 9)


def test_redo_leaves_nothing_over_and_keeps_cameras_and_lights(
    connected: FakeBackend, addon: SimpleNamespace, settings: Any, photos: list[str]
) -> None:
    head, kept = reconstruct(photos), addon.scene.head_photos
    cameras = [kept.camera_of(head, number) for number in (1, 2, 3)]
    cameras[1].name = "Mine"
    bpy.context.scene.camera = cameras[2]
    kinds = ("objects", "cameras", "worlds", "images", "meshes", "materials")
    before = {kind: sorted(thing.name for thing in getattr(bpy.data, kind)) for kind in kinds}
    bpy.ops.relightify.reconstruct_again(seed=2)
    assert {kind: sorted(thing.name for thing in getattr(bpy.data, kind)) for kind in kinds} == before
    assert [kept.camera_of(head, number) for number in (1, 2, 3)] == cameras

    connected.behaviour = leave_the_third_out
    bpy.ops.relightify.reconstruct_again(seed=3)
    assert kept.camera_of(head, 3) is None
    assert kept.world_of(head, 3) is None
    assert bpy.context.scene.camera == kept.camera_of(head, 1)
    assert "right photo light" not in bpy.data.worlds
    assert [photo.used for photo in kept.kept_photos(head)] == [True, True, False]
    connected.behaviour = fake_backend.finish
    bpy.ops.relightify.reconstruct_again(seed=4)
    assert {kind: len(getattr(bpy.data, kind)) for kind in kinds} == {k: len(names) for k, names in before.items()}


def test_redo_brings_back_what_the_artist_has_deleted_of_a_photo(
    connected: FakeBackend, addon: SimpleNamespace, settings: Any, photos: list[str]
) -> None:
    head, kept = reconstruct(photos), addon.scene.head_photos
    for number in (2, 3):
        bpy.data.objects.remove(kept.camera_of(head, number))
        bpy.data.worlds.remove(kept.world_of(head, number))
    connected.behaviour = leave_the_third_out
    assert bpy.ops.relightify.reconstruct_again() == {"FINISHED"}
    assert kept.camera_of(head, 2).name == "left camera"
    assert kept.world_of(head, 2) is not None
    assert kept.camera_of(head, 3) is None
    assert kept.world_of(head, 3) is None


def test_deleting_the_head_takes_all_cameras_lights_and_photos_along(
    connected: FakeBackend, settings: Any, photos: list[str]
) -> None:
    kinds = ("objects", "cameras", "worlds", "images", "collections")
    before = {kind: len(getattr(bpy.data, kind)) for kind in kinds}
    reconstruct(photos)
    bpy.ops.relightify.delete_head()
    assert {kind: len(getattr(bpy.data, kind)) for kind in kinds} == before


def test_duplicate_has_cameras_lights_and_photos_of_its_own(
    connected: FakeBackend, addon: SimpleNamespace, settings: Any, photos: list[str]
) -> None:
    head, kept = reconstruct(photos), addon.scene.head_photos
    head.name = "Ada"
    bpy.ops.relightify.duplicate_head()
    twin = bpy.context.view_layer.objects.active
    for number in (1, 2, 3):
        assert kept.camera_of(twin, number) not in (None, kept.camera_of(head, number))
        assert kept.world_of(twin, number) not in (None, kept.world_of(head, number))
        assert kept.original_of(twin, number) not in (None, kept.original_of(head, number))
    bpy.ops.relightify.delete_head()
    assert all(kept.camera_of(head, number) is not None for number in (1, 2, 3))
    assert all(kept.world_of(head, number) is not None for number in (1, 2, 3))


def test_saved_file_knows_list_and_photos(
    connected: FakeBackend, addon: SimpleNamespace, settings: Any, photos: list[str], tmp_path: Path
) -> None:
    bpy.ops.relightify.add_photos(**files(photos))
    settings.photos[2].face = 1
    reconstruct(photos)
    path = str(tmp_path / "head.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    settings = bpy.context.scene.relightify
    assert (settings.source, listed(settings)) == ("PERSON", [Path(path).stem for path in photos])
    assert settings.photos[2].face == 1
    head = bpy.data.objects["front"]
    kept = addon.scene.head_photos
    assert [kept.camera_of(head, number).name for number in (1, 2, 3)] == [
        "front camera",
        "left camera",
        "right camera",
    ]
    bpy.context.view_layer.objects.active = head
    bpy.ops.relightify.reconstruct_again()
    assert len(connected.requests[-1].photos) == 3


def test_images_of_the_file_go_together_with_files(connected: FakeBackend, settings: Any, photos: list[str]) -> None:
    new_image("Ada.png")
    bpy.ops.relightify.reconstruct(image="Ada.png", further=[{"name": photos[0]}])
    assert len(connected.requests[0].photos) == 2
    assert "Ada" in bpy.data.objects


def test_head_of_one_photo_keeps_no_list(
    connected: FakeBackend, addon: SimpleNamespace, settings: Any, photos: list[str]
) -> None:
    head = reconstruct(photos[:1])
    assert addon.scene.head_photos.kept_photos(head) == ()
    assert not [key for key in head.keys() if key.startswith("relightify_camera_")]  # noqa: SIM118
    head["relightify_photos"] = json.dumps([{"number": 1}])
    assert addon.scene.head_photos.kept_photos(head) == (), "nor a damaged one"


# --- the switch -------------------------------------------------------------------------------------------------


def test_switch_shows_another_photos_camera_and_on_request_its_light_and_expression(
    connected: FakeBackend, addon: SimpleNamespace, settings: Any, photos: list[str]
) -> None:
    assert not bpy.ops.relightify.show_photo.poll()
    head, kept, scene = reconstruct(photos), addon.scene.head_photos, bpy.context.scene
    assert bpy.ops.relightify.show_photo(number=2) == {"FINISHED"}
    assert scene.camera == kept.camera_of(head, 2)
    assert (scene.render.resolution_x, scene.render.resolution_y) == finished_job.IMAGE_SIZE
    assert scene.world == kept.world_of(head, 1), "the light stays"
    keys = head.data.shape_keys.key_blocks
    assert keys["mouthSmileLeft"].value == pytest.approx(0.35)

    bpy.ops.relightify.show_photo(number=3, use_camera=False, use_light=True, use_expression=True)
    assert scene.camera == kept.camera_of(head, 2)
    assert scene.world == kept.world_of(head, 3)
    assert background(scene.world) == pytest.approx(3 * background(kept.world_of(head, 1)), rel=1e-3)
    assert keys["mouthSmileLeft"].value == 0.0
    assert keys["jawOpen"].value == pytest.approx(0.3)
    assert scene.relightify_light.photo_name == "3"

    bpy.ops.relightify.show_photo(number=1, use_light=True, use_expression=True)
    assert scene.world == kept.world_of(head, 1)
    assert keys["mouthSmileLeft"].value == pytest.approx(0.35)
    assert keys["jawOpen"].value == 0.0


def test_photos_that_cannot_be_shown_say_why(
    connected: FakeBackend, addon: SimpleNamespace, settings: Any, photos: list[str]
) -> None:
    connected.behaviour = leave_the_third_out
    head = reconstruct(photos)
    with pytest.raises(RuntimeError, match="right, which was left out"):
        bpy.ops.relightify.show_photo(number=3)
    with pytest.raises(RuntimeError, match="photo 7"):
        bpy.ops.relightify.show_photo(number=7)
    bpy.data.objects.remove(addon.scene.head_photos.camera_of(head, 2))
    with pytest.raises(RuntimeError, match="camera of left is not there"):
        bpy.ops.relightify.show_photo(number=2)


def test_lights_of_all_photos_are_offered_where_the_photo_light_is(
    connected: FakeBackend, addon: SimpleNamespace, settings: Any, photos: list[str]
) -> None:
    head, kept, scene = reconstruct(photos), addon.scene.head_photos, bpy.context.scene
    light = scene.relightify_light
    light.photo_name = "2"
    assert scene.world == kept.world_of(head, 2)
    bpy.ops.relightify.relight(light="studio")
    bpy.ops.relightify.relight(light="photo", photo=3)
    assert scene.world == kept.world_of(head, 3)
    bpy.ops.relightify.match_photo_light()
    assert scene.world == kept.world_of(head, 1)
    light.photo_name = "3"
    other = Path(photos[0]).with_name("other.png")
    other.write_bytes(finished_job.photo())
    alone = reconstruct([str(other)])
    assert bpy.context.view_layer.objects.active == alone
    bpy.ops.relightify.relight(light="photo", photo=3)
    assert scene.world == alone["relightify_world"], "a head of one photo has but one light"


def test_panel_has_a_row_a_photo_and_shows_which_is_looked_through(
    connected: FakeBackend, addon: SimpleNamespace, settings: Any, photos: list[str]
) -> None:
    panel = importlib.import_module(f"{MODULE}.ui.panels.head_photos")
    assert not panel.RELIGHTIFY_PT_photos.poll(bpy.context)
    connected.behaviour = leave_the_third_out
    reconstruct(photos)
    assert panel.RELIGHTIFY_PT_photos.poll(bpy.context)
    bpy.ops.relightify.show_photo(number=2, use_expression=True)
    layout = ButtonLayout()
    panel.RELIGHTIFY_PT_photos.draw(SimpleNamespace(layout=layout), bpy.context)
    assert layout.pressed == {
        "front (reference)": False,
        "left": True,
        1: {"light": True, "expression": False},
        2: {"light": False, "expression": True},
    }
    assert "right (left out)" in layout.drawn
    assert [note.splitlines()[0] for note in layout.notes] == [
        "left.png: The chin is cut off by the edge of the photo; it will be guessed.",
        "right.png seems to show another person, so it is left out.",
    ]
