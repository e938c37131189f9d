"""The skeleton of a head: bones move the skin, and shapes and bones never turn the same thing twice."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender import finished_job


@pytest.fixture
def ada(addon: SimpleNamespace) -> Any:
    done = addon.scene.importer.import_head(
        bpy.context.scene, "Ada", finished_job.head_mesh(), finished_job.maps(64), finished_job.photo()
    )
    addon.scene.mesh.set_expression(done.head, {})
    return done


@pytest.fixture
def rig(addon: SimpleNamespace, ada: Any) -> bpy.types.Object:
    return addon.rig.armature.add_skeleton(bpy.context.scene, ada.head)


def shown(head: bpy.types.Object) -> np.ndarray:
    """Where the vertices of a head are shown, without its subdivision, in its own space [V, 3]."""
    head.modifiers["Subdivision"].show_viewport = False
    bpy.context.view_layer.update()
    mesh = head.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    values = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", values)
    return values.reshape(-1, 3)


def part(addon: SimpleNamespace, head: bpy.types.Object, name: str) -> np.ndarray:
    return addon.scene.mesh.part_vertices(head)[name]


def values(head: bpy.types.Object, **weights: float) -> None:
    keys = head.data.shape_keys.key_blocks
    for name, value in weights.items():
        keys[name].value = value
    head.data.shape_keys.update_tag()


def test_skeleton_has_the_bones_of_a_head_and_changes_nothing_at_rest(addon: SimpleNamespace, ada: Any) -> None:
    before = shown(ada.head)
    rig = addon.rig.armature.add_skeleton(bpy.context.scene, ada.head)
    parents = {bone.name: bone.parent.name if bone.parent else None for bone in rig.data.bones}
    assert parents == {
        "root": None,
        "neck": "root",
        "head": "neck",
        "jaw": "head",
        "eye.L": "head",
        "eye.R": "head",
    }
    assert np.allclose(shown(ada.head), before, atol=1e-6)
    assert addon.rig.armature.rig_of(ada.head) == rig


@pytest.mark.parametrize("name", ["jawOpen", "eyeLookUpLeft", "eyeLookOutLeft", "eyeLookInRight", "mouthSmileLeft"])
def test_shapes_look_as_without_a_skeleton(addon: SimpleNamespace, ada: Any, name: str) -> None:
    values(ada.head, **{name: 1.0})
    before = shown(ada.head)
    rig = addon.rig.armature.add_skeleton(bpy.context.scene, ada.head)
    assert np.abs(shown(ada.head) - before).max() < 1e-5
    addon.rig.following.set_jaw_by(ada.head, rig, "BONES")
    assert np.abs(shown(ada.head) - before).max() < 3e-5


def test_eye_between_rest_and_look_keeps_its_size(addon: SimpleNamespace, ada: Any, rig: bpy.types.Object) -> None:
    ball = part(addon, ada.head, "eye_left")
    size = np.ptp(shown(ada.head)[ball], axis=0).max()
    values(ada.head, eyeLookOutLeft=0.5, eyeLookDownLeft=0.5)
    half = shown(ada.head)[ball]
    distance = np.linalg.norm(half - half.mean(0), axis=1)
    assert np.ptp(shown(ada.head)[ball], axis=0).max() == pytest.approx(size, rel=2e-3)
    assert distance.max() == pytest.approx(size / 2, rel=0.02)


def test_bone_turns_the_eye_and_the_lids_follow_once(addon: SimpleNamespace, ada: Any, rig: bpy.types.Object) -> None:
    values(ada.head, eyeLookDownLeft=1.0)
    by_shape = shown(ada.head)
    values(ada.head, eyeLookDownLeft=0.0)
    addon.rig.following.set_eyes_by(ada.head, rig, "BONES")
    rest = shown(ada.head)
    axis = rig.data.bones["eye.L"].matrix_local.to_3x3().col[0].x
    rig.pose.bones["eye.L"].rotation_euler.x = np.copysign(np.radians(28.0), axis)
    turned = shown(ada.head)
    assert np.abs(by_shape - rest).max() > 3e-3
    assert np.abs(turned - by_shape).max() < 1e-4, "lids and eye stand as the shape has them"


def test_both_eyes_follow_the_aim_and_recordings_do_not_turn_them_again(
    addon: SimpleNamespace, ada: Any, rig: bpy.types.Object
) -> None:
    following = addon.rig.following
    ahead = shown(ada.head)
    aim = following.add_aim(bpy.context.scene, ada.head, rig)
    rest = shown(ada.head)
    aim.location.x += 0.15
    looked = shown(ada.head)
    for name in ("eye_left", "eye_right"):
        ball = part(addon, ada.head, name)
        front = ball[np.argmin(rest[ball][:, 1])]
        assert looked[front][0] - rest[front][0] > 2e-3, "to the subject's left"
    keys = ada.head.data.shape_keys.key_blocks
    evaluated = ada.head.evaluated_get(bpy.context.evaluated_depsgraph_get()).data.shape_keys
    assert keys["eyeLookOutLeft"].value > 0.3 or evaluated.key_blocks["eyeLookOutLeft"].value > 0.3
    values(ada.head, eyeLookOutLeft=1.0)
    assert np.allclose(shown(ada.head), looked, atol=1e-6)
    following.set_eyes_by(ada.head, rig, "SHAPES")
    values(ada.head, eyeLookOutLeft=0.0, eyeLookInRight=0.0)
    assert np.allclose(shown(ada.head), ahead, atol=1e-5), "the aim counts no more"


def test_head_bone_carries_all_but_the_neck(addon: SimpleNamespace, ada: Any, rig: bpy.types.Object) -> None:
    rest = shown(ada.head)
    rig.pose.bones["head"].rotation_euler.y = np.radians(30)
    moved = shown(ada.head)
    eyes = part(addon, ada.head, "eye_left")
    assert np.abs(moved[eyes] - rest[eyes]).max() > 0.01
    skin = part(addon, ada.head, "skin")
    border = skin[rest[skin][:, 2] < rest[skin][:, 2].min() + 0.005]
    assert np.abs(moved[border] - rest[border]).max() < 1e-3


def test_removed_skeleton_leaves_the_head_as_it_was(addon: SimpleNamespace, ada: Any) -> None:
    names = [group.name for group in ada.head.vertex_groups]
    keys = ada.head.data.shape_keys.key_blocks
    before = {key.name: addon.scene.reshaping.coordinates(key.data) for key in keys}
    objects = set(bpy.data.objects)
    rig = addon.rig.armature.add_skeleton(bpy.context.scene, ada.head)
    addon.rig.following.set_jaw_by(ada.head, rig, "BONES")
    addon.rig.following.add_aim(bpy.context.scene, ada.head, rig)
    addon.rig.armature.remove_skeleton(ada.head)
    assert [group.name for group in ada.head.vertex_groups] == names
    assert set(bpy.data.objects) == objects
    assert [modifier.type for modifier in ada.head.modifiers] == ["SUBSURF"]
    assert not ada.head.data.shape_keys.animation_data or not ada.head.data.shape_keys.animation_data.drivers
    for key in keys:
        assert np.abs(addon.scene.reshaping.coordinates(key.data) - before[key.name]).max() < 1e-5, key.name


def test_bones_are_found_under_any_name(addon: SimpleNamespace, ada: Any, rig: bpy.types.Object) -> None:
    rest = shown(ada.head)
    addon.rig.armature.rename_bones(rig, "UNREAL")
    assert "FACIAL_C_Jaw" in rig.data.bones
    rig.data.bones["FACIAL_C_Jaw"].name = "my jaw"
    addon.rig.following.set_jaw_by(ada.head, rig, "BONES")
    values(ada.head, jawOpen=1.0)
    teeth = part(addon, ada.head, "teeth")
    assert np.abs(shown(ada.head)[teeth] - rest[teeth]).max() > 0.02
    addon.rig.armature.renew_skeleton(ada.head)
    assert {bone.name for bone in rig.data.bones} >= {"my jaw", "neck_01"}


def test_artist_in_another_mode_stays_in_it(addon: SimpleNamespace, ada: Any) -> None:
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.object.mode_set(mode="EDIT")
    addon.rig.armature.add_skeleton(bpy.context.scene, ada.head)
    assert bpy.context.mode == "EDIT_MESH"
    bpy.ops.object.mode_set(mode="OBJECT")
