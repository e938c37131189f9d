"""Several photos of one person: the list in the panel, the head that they make, its cameras and lights."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from shared.messages import Reconstruct
from tests.blender import fake_backend, finished_job
from tests.blender.conftest import MODULE
from tests.blender.fake_backend import FakeBackend, Reply
from tests.blender.test_people import RecordingLayout, files
from tests.blender.test_photo import new_image

NAMES = ("front", "left", "right")
STRANGER = "Photo 3 seems to show another person, so it is left out."


@pytest.fixture
def photos(tmp_path: Path) -> list[str]:
    """Files of three photos of a person, which differ."""
    paths = [tmp_path / f"{name}.png" for name in NAMES]
    for number, path in enumerate(paths):
        # What follows the end of a PNG is not read.
        path.write_bytes(finished_job.photo() + bytes([number]))
    return [str(path) for path in paths]


@pytest.fixture
def settings(addon: SimpleNamespace) -> Iterator[Any]:
    session = addon.link.session.session_of(bpy.context)
    session.forget_ended()
    yield bpy.context.scene.relightify
    session.forget_ended()


def reconstruct(photos: list[str], **options: Any) -> bpy.types.Object:
    """The head that a script makes of photos."""
    further = [{"name": path} for path in photos[1:]]
    assert bpy.ops.relightify.reconstruct(filepath=photos[0], further=further, **options) == {"FINISHED"}
    return bpy.data.objects[Path(photos[0]).stem]


def leave_the_third_out(request: Reconstruct, reply: Reply) -> None:
    warnings = (STRANGER, "Photo 2: The chin is cut off by the edge of the photo; it will be guessed.")
    reply(fake_backend.result(request, (1, 2), warnings))


def leave_the_first_out(request: Reconstruct, reply: Reply) -> None:
    reply(fake_backend.result(request, (2, 3), ("Photo 1 is left out: No face was found in the photo.",)))


def listed(settings: Any) -> list[str]:
    return [Path(item.path).stem for item in settings.photos]


def drawn(settings: Any) -> list[str]:
    """Texts and operators that the list of photos draws, rows included."""
    layout = ListLayout()
    person = importlib.import_module(f"{MODULE}.ui.panels.person")
    person.draw_list(layout, panel_context(settings), settings)
    for index, item in enumerate(settings.photos):
        row = SimpleNamespace()
        person.RELIGHTIFY_UL_photos.draw_item(row, panel_context(settings), layout, settings, item, 0, None, "", index)
    return layout.drawn


def panel_context(settings: Any) -> Any:
    return SimpleNamespace(
        preferences=SimpleNamespace(system=SimpleNamespace(ui_scale=1.0)),
        region=SimpleNamespace(width=600),
        scene=SimpleNamespace(relightify=settings),
    )


class ListLayout(RecordingLayout):
    """A layout that also knows lists."""

    def template_list(self, kind: str, *_what: object, **_style: object) -> None:
        self.drawn.append(kind)

    def column(self, **_style: object) -> ListLayout:
        return self

    row = box = split = column


# --- the list ---------------------------------------------------------------------------------------------------


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


# --- the head ---------------------------------------------------------------------------------------------------


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
    assert (settings.source, listed(settings)) == ("PERSON", list(NAMES))
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


def background(world: bpy.types.World) -> float:
    """The mean of the image that a world is lit by."""
    image = next(node.image for node in world.node_tree.nodes if node.type == "TEX_ENVIRONMENT")
    values = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(values)
    return float(values.reshape(-1, 4)[:, :3].mean())


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


class ButtonLayout(ListLayout):
    """A layout that knows which buttons are pressed in, those without words by what they are set to."""

    def __init__(self) -> None:
        super().__init__()
        self._buttons: list[tuple[dict[str, Any], SimpleNamespace]] = []

    def operator(self, name: str, **style: Any) -> SimpleNamespace:
        super().operator(name)
        made = SimpleNamespace()
        self._buttons.append((style, made))
        return made

    @property
    def pressed(self) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for style, made in self._buttons:
            if not hasattr(made, "number"):
                continue
            if style["text"]:
                found[style["text"]] = style["depress"]
            else:
                kind = "light" if getattr(made, "use_light", False) else "expression"
                found.setdefault(made.number, {})[kind] = style["depress"]
        return found

    @property
    def notes(self) -> list[str]:
        return [made.problem for _, made in self._buttons if hasattr(made, "problem")]
