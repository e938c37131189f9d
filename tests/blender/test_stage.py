"""What a head may do to the scene around it, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from shared.messages import Reconstruct, Result
from tests.blender import finished_job
from tests.blender.fake_backend import FakeBackend, Reply


def stage() -> tuple[Any, ...]:
    """All of the scene that belongs to the artist once it is set."""
    scene = bpy.context.scene
    frame = (scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage)
    return scene.camera, frame, scene.world, scene.view_settings.view_transform


def small_photo(request: Reconstruct, reply: Reply) -> None:
    mesh = finished_job.head_mesh()
    arrays = {**mesh.arrays(), "image_size": mesh.image_size // 2}
    reply(Result(request.job_id, type(mesh)(**arrays), finished_job.maps(64)))


@pytest.fixture
def first(connected: FakeBackend, addon: SimpleNamespace, photo_file: Path) -> Any:
    bpy.ops.relightify.reconstruct(filepath=str(photo_file))
    connected.behaviour = small_photo
    return addon.link.session.session_of(bpy.context).imported


def test_first_head_sets_the_stage(first: Any) -> None:
    assert stage() == (first.camera, (*finished_job.IMAGE_SIZE, 100), first.world, "Standard")


def test_later_head_leaves_the_stage_alone(addon: SimpleNamespace, first: Any, photo_file: Path) -> None:
    scene = bpy.context.scene
    bpy.ops.relightify.relight(light="forest", rotation=1.0)
    scene.view_settings.view_transform = "AgX"
    before = stage()
    bpy.ops.relightify.reconstruct(filepath=str(photo_file))
    second = addon.link.session.session_of(bpy.context).imported
    assert second.camera not in (None, first.camera)
    assert stage() == before
    assert scene.relightify_light.source == "HDRI"
    bpy.ops.relightify.match_photo_light()
    bpy.ops.relightify.match_photo_camera()
    assert stage() == (second.camera, (240, 300, 100), second.world, "Standard")


def test_later_head_sets_the_stage_where_asked(addon: SimpleNamespace, first: Any, photo_file: Path) -> None:
    bpy.ops.relightify.relight(light="forest", rotation=1.0)
    bpy.ops.relightify.reconstruct(filepath=str(photo_file), use_stage=True)
    second = addon.link.session.session_of(bpy.context).imported
    assert stage() == (second.camera, (240, 300, 100), second.world, "Standard")
    settings = bpy.context.scene.relightify_light
    assert (settings.source, settings.rotation) == ("PHOTO", 0)


def test_redo_leaves_the_stage_alone(first: Any) -> None:
    bpy.ops.relightify.relight(light="forest")
    bpy.context.scene.render.resolution_x = 1920
    before = stage()
    bpy.ops.relightify.reconstruct_again()
    assert stage() == before


def test_other_head_takes_the_place_of_a_deleted_one(addon: SimpleNamespace, first: Any, photo_file: Path) -> None:
    bpy.ops.relightify.reconstruct(filepath=str(photo_file))
    second = addon.link.session.session_of(bpy.context).imported
    bpy.context.view_layer.objects.active = first.head
    bpy.ops.relightify.delete_head()
    assert stage()[0] == second.camera
    assert stage()[2] == second.world


@pytest.fixture
def default_scene(connected: FakeBackend) -> Any:
    del connected
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=False, app_template="")
    return bpy.context.scene.objects


def hidden(names: set[str]) -> set[str]:
    return {name for name in names if bpy.data.objects[name].hide_get() and bpy.data.objects[name].hide_render}


def test_untouched_cube_and_lamp_of_the_default_scene_are_hidden_and_said_to_be(
    addon: SimpleNamespace, default_scene: Any, photo_file: Path
) -> None:
    names = {thing.name for thing in default_scene}
    assert {"Cube", "Light", "Camera"} <= names
    bpy.ops.relightify.reconstruct(filepath=str(photo_file))
    assert hidden(names) == {"Cube", "Light"}
    done = addon.link.session.session_of(bpy.context).imported
    assert any("Cube and Light" in warning and "hidden" in warning for warning in done.warnings)


def paint(cube: bpy.types.Object) -> None:
    shader = next(n for n in cube.active_material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (1, 0, 0, 1)


@pytest.mark.parametrize(
    "touch",
    [
        lambda cube, lamp: (setattr(cube, "location", (0, 0, 1)), setattr(lamp.data, "energy", 500)),
        lambda cube, lamp: (setattr(cube.data.vertices[0].co, "z", -1.2), setattr(lamp, "location", (0, 0, 5))),
        lambda cube, lamp: (cube.modifiers.new("Bevel", "BEVEL"), lamp.keyframe_insert("location")),
        lambda cube, lamp: (paint(cube), setattr(lamp.data, "type", "SUN")),
        lambda cube, lamp: (setattr(bpy.data.objects["Camera"], "parent", cube), setattr(lamp, "parent", cube)),
    ],
)
def test_cube_and_lamp_that_somebody_has_worked_on_stay(addon: SimpleNamespace, default_scene: Any, touch: Any) -> None:
    cube, lamp = default_scene["Cube"], default_scene["Light"]
    assert addon.scene.default_scene.is_default_cube(cube)
    assert addon.scene.default_scene.is_default_lamp(lamp)
    touch(cube, lamp)
    bpy.context.view_layer.update()
    assert addon.scene.default_scene.hide_default_objects(bpy.context.view_layer) == ()


def test_later_head_hides_nothing(addon: SimpleNamespace, default_scene: Any, photo_file: Path) -> None:
    bpy.ops.relightify.reconstruct(filepath=str(photo_file))
    default_scene["Cube"].hide_set(False)
    default_scene["Cube"].hide_render = False
    bpy.ops.relightify.reconstruct(filepath=str(photo_file))
    assert not default_scene["Cube"].hide_get()
