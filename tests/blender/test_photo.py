"""Where photos come from, and choosing a face in one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import bpy
import numpy as np
import pytest

from tests.blender import finished_job
from tests.blender.conftest import MODULE
from tests.blender.fake_backend import FakeBackend


def new_image(name: str = "Painted", *, is_float: bool = False) -> bpy.types.Image:
    """A generated image: dark in its lower half (its first rows in Blender), light above."""
    image = bpy.data.images.new(name, 8, 6, float_buffer=is_float)
    pixels = np.ones((6, 8, 4), np.float32)
    pixels[:3, :, :3] = 0.2
    image.pixels.foreach_set(pixels.ravel())
    return image


def decoded(addon: SimpleNamespace, data: bytes) -> np.ndarray:
    """The values of an image file, read by Blender itself: [H, W], row 0 on top."""
    image = addon.scene.images.image_from_bytes("decoded", data, srgb=True)
    values = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(values)
    return values.reshape(image.size[1], image.size[0], -1)[::-1, :, 0]


def test_untouched_image_gives_the_bytes_of_its_file(addon: SimpleNamespace, photo_file: Path) -> None:
    on_disk = bpy.data.images.load(str(photo_file))
    assert addon.scene.photo_source.image_bytes(on_disk) == photo_file.read_bytes()
    on_disk.pack()
    photo_file.unlink()
    assert addon.scene.photo_source.image_bytes(on_disk) == finished_job.photo()


def test_generated_image_becomes_a_png_the_right_way_up(addon: SimpleNamespace) -> None:
    values = decoded(addon, addon.scene.photo_source.image_bytes(new_image()))
    assert values.shape == (6, 8)
    np.testing.assert_allclose(values[[0, 5], 0], [1.0, 0.2], atol=0.01)


def test_painting_on_a_file_is_seen(addon: SimpleNamespace, photo_file: Path) -> None:
    image = bpy.data.images.load(str(photo_file))
    pixels = np.ones(len(image.pixels), np.float32)
    image.pixels.foreach_set(pixels)
    image.update()
    assert image.is_dirty
    assert decoded(addon, addon.scene.photo_source.image_bytes(image)).min() == pytest.approx(1.0)


def test_linear_light_is_encoded(addon: SimpleNamespace) -> None:
    values = decoded(addon, addon.scene.photo_source.image_bytes(new_image("Float", is_float=True)))
    assert values[5, 0] == pytest.approx(0.4845, abs=0.01)  # the sRGB curve at 0.2


def test_sequences_and_empty_renders_are_refused_in_words(addon: SimpleNamespace, photo_file: Path) -> None:
    image = bpy.data.images.load(str(photo_file))
    image.source = "SEQUENCE"
    with pytest.raises(addon._shared.RelightifyError, match="not a single picture"):
        addon.scene.photo_source.image_bytes(image)


def test_image_of_the_file_is_reconstructed(connected: FakeBackend) -> None:
    new_image("Ada.png")
    assert bpy.ops.relightify.reconstruct(image="Ada.png") == {"FINISHED"}
    assert bytes(connected.requests[0].photo).startswith(b"\x89PNG")
    assert bpy.data.objects["Ada"].data.shape_keys is not None
    with pytest.raises(RuntimeError, match="no image 'Eve'"):
        bpy.ops.relightify.reconstruct(image="Eve")


def test_dropped_file_becomes_the_photo_and_forgets_the_face(addon: SimpleNamespace, photo_file: Path) -> None:
    settings = bpy.context.scene.relightify
    settings.face = 3
    assert bpy.ops.relightify.drop_photo(filepath=str(photo_file)) == {"FINISHED"}
    assert (settings.source, settings.photo, settings.face) == ("FILE", str(photo_file), -1)
    with pytest.raises(RuntimeError, match="not an image"):
        bpy.ops.relightify.drop_photo(filepath="/nowhere/model.obj")


def test_viewport_takes_dropped_images_of_all_formats(addon: SimpleNamespace) -> None:
    handler = bpy.types.RELIGHTIFY_FH_photo
    assert handler.bl_import_operator == "relightify.drop_photo"
    endings = handler.bl_file_extensions.split(";")
    assert {".jpg", ".jpeg", ".png", ".heic", ".webp", ".tif"} <= set(endings)
    assert all(ending.startswith(".") for ending in endings)


def test_image_is_taken_from_the_image_editor_or_by_name(addon: SimpleNamespace) -> None:
    new_image("Ada.png")
    assert bpy.ops.relightify.use_image(image="Ada.png") == {"FINISHED"}
    settings = bpy.context.scene.relightify
    assert (settings.source, settings.image.name) == ("IMAGE", "Ada.png")
    with pytest.raises(RuntimeError, match="No image is open"):
        bpy.ops.relightify.use_image()


def test_faces_are_found_and_one_is_chosen(connected: FakeBackend, addon: SimpleNamespace, photo_file: Path) -> None:
    settings = bpy.context.scene.relightify
    assert not bpy.ops.relightify.find_faces.poll()
    settings.photo = str(photo_file)
    assert bpy.ops.relightify.find_faces() == {"FINISHED"}
    assert bytes(connected.searches[0].photo) == photo_file.read_bytes()
    session = addon.link.session.session_of(bpy.context)
    assert session.search.job.faces.problems == ("", "The face is too small.")
    assert session.search.key == str(photo_file)
    bpy.ops.relightify.choose_face(index=1)
    assert settings.face == 1


def test_no_backend_is_started_behind_the_back_of_a_script(connected: FakeBackend, photo_file: Path) -> None:
    """In a window the faces are looked for when a photo is chosen; without one only when asked for."""
    bpy.context.scene.relightify.photo = str(photo_file)
    assert not connected.searches


def test_search_and_job_share_one_line(connected: FakeBackend, addon: SimpleNamespace, photo_file: Path) -> None:
    bpy.context.scene.relightify.photo = str(photo_file)
    bpy.ops.relightify.find_faces()
    assert bpy.ops.relightify.reconstruct(filepath=str(photo_file), face=0) == {"FINISHED"}
    session = addon.link.session.session_of(bpy.context)
    assert session.search.job.faces is not None
    assert session.welcome.server == "fake"


def test_backend_is_tried_and_stopped(connected: FakeBackend, addon: SimpleNamespace) -> None:
    assert bpy.ops.relightify.check_backend() == {"FINISHED"}
    session = addon.link.session.session_of(bpy.context)
    assert session.welcome.qualities == ("baseline",)
    assert bpy.ops.relightify.stop_backend() == {"FINISHED"}
    assert not session.linked
    connected.path.unlink()
    with pytest.raises(RuntimeError, match="No backend is running"):
        bpy.ops.relightify.check_backend()


def test_backend_is_reached_by_address_and_keys(connected: FakeBackend, addon: SimpleNamespace) -> None:
    connection = addon._shared.read_connection(connected.path)
    preferences = bpy.context.preferences.addons[MODULE].preferences
    preferences.connect_by = "ADDRESS"
    try:
        with pytest.raises(RuntimeError, match="incomplete"):
            bpy.ops.relightify.check_backend()
        preferences.host, preferences.port = connection.host, connection.port
        preferences.server_key = connection.server_public_key
        preferences.client_key = connection.client_public_key
        preferences.client_secret = connection.client_secret_key
        assert bpy.ops.relightify.check_backend() == {"FINISHED"}
    finally:
        preferences.connect_by = "FILE"


def test_faces_are_framed_where_they_are(addon: SimpleNamespace) -> None:
    photo = np.zeros((100, 200, 3), np.uint8)
    boxes = np.array([[0.1, 0.2, 0.4, 0.8], [0.6, 0.2, 1.4, 0.9]], np.float32)
    image = addon.ui.previews.framed(photo, boxes, chosen=0)
    assert tuple(image[20, 50]) == addon.ui.previews.CHOSEN_RGB
    assert tuple(image[50, 120]) == addon.ui.previews.PLAIN_RGB
    assert not image[50, 50].any()
    assert not photo.any()
