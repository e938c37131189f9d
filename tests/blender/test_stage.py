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
