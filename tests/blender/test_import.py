"""Importing into scenes that change: several heads, broken results, saving and loading."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from tests.blender import finished_job


def import_ada(addon: SimpleNamespace, **options: Any) -> Any:
    return addon.scene.importer.import_head(
        bpy.context.scene, "Ada", finished_job.head_mesh(), finished_job.maps(64), **options
    )


def test_two_heads_stand_side_by_side_in_their_own_collections(addon: SimpleNamespace) -> None:
    first, second = (import_ada(addon) for _ in range(2))
    bpy.context.view_layer.update()
    apart = (second.head.matrix_world.translation - first.head.matrix_world.translation).length
    assert apart > 0.2
    # The second camera went along: both see their heads in the same place.
    views = []
    for head in (first, second):
        nose = head.head.matrix_world @ Vector((0.0, -0.1, -0.04))
        views.append(world_to_camera_view(bpy.context.scene, head.camera, nose))
    np.testing.assert_allclose(views[0], views[1], atol=1e-5)
    assert second.collection is not first.collection
    assert second.head.data.materials[0] is not first.head.data.materials[0]
    layer = bpy.context.view_layer
    assert addon.scene.heads.active_head(layer, first.head) == first.head
    assert addon.scene.heads.active_head(layer, None) == second.head


def test_unreadable_map_is_an_error_with_a_hint(addon: SimpleNamespace) -> None:
    maps = {**finished_job.maps(64), "normal": b"not an image"}
    with pytest.raises(addon._shared.RelightifyError) as caught:
        addon.scene.importer.import_head(bpy.context.scene, "Ada", finished_job.head_mesh(), maps)
    assert caught.value.code == "bad_image"
    assert caught.value.hint


def test_saved_file_holds_everything(addon: SimpleNamespace, tmp_path: Path) -> None:
    import_ada(addon)
    path = str(tmp_path / "head.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    for image in bpy.data.images:
        if image.users and image.type == "IMAGE":
            assert image.packed_file, image.name
            assert len(image.pixels) > 4, image.name
    (head,) = addon.scene.heads.heads_of(bpy.context.scene)
    bpy.ops.relightify.set_expression(expression="NEUTRAL")
    assert max(k.value for k in addon.scene.mesh.expression_keys(head)) == 0
    bpy.ops.relightify.set_expression(expression="PHOTO")
    assert max(k.value for k in addon.scene.mesh.expression_keys(head)) == pytest.approx(0.35)


def test_turned_photo_is_left_out_with_a_warning(addon: SimpleNamespace) -> None:
    lying = finished_job.photo((finished_job.IMAGE_SIZE[1], finished_job.IMAGE_SIZE[0]))
    done = import_ada(addon, photo=lying)
    assert not done.camera.data.background_images
    assert len(done.warnings) == 1


def test_scene_keeps_camera_and_world_where_asked(addon: SimpleNamespace) -> None:
    scene = bpy.context.scene
    before = scene.camera, scene.world, scene.view_settings.view_transform
    import_ada(addon, use_camera=False, use_light=False)
    assert (scene.camera, scene.world, scene.view_settings.view_transform) == before


def test_photo_light_without_a_head_is_an_error(addon: SimpleNamespace) -> None:
    with pytest.raises(RuntimeError, match="no head"):
        bpy.ops.relightify.relight(light="photo")
