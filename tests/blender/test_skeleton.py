"""The skeleton of a head: bones move the skin, and shapes and bones never turn the same thing twice."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender import finished_job
from tests.blender.fake_backend import FakeBackend


@pytest.fixture
def ada(addon: SimpleNamespace) -> Any:
    done = addon.scene.importer.import_head(
        bpy.context.scene, "Ada", finished_job.head_mesh(), finished_job.maps(64), finished_job.photo()
    )
    addon.scene.mesh.set_expression(done.head, {})
    return done


@pytest.fixture
def armature(addon: SimpleNamespace, ada: Any) -> bpy.types.Object:
    return addon.skeleton.armature.add_skeleton(bpy.context.scene, ada.head)


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
    armature = addon.skeleton.armature.add_skeleton(bpy.context.scene, ada.head)
    parents = {bone.name: bone.parent.name if bone.parent else None for bone in armature.data.bones}
    assert parents == {
        "root": None,
        "neck": "root",
        "head": "neck",
        "jaw": "head",
        "eye.L": "head",
        "eye.R": "head",
    }
    assert np.allclose(shown(ada.head), before, atol=1e-6)
    assert addon.skeleton.armature.armature_of(ada.head) == armature


@pytest.mark.parametrize("name", ["jawOpen", "eyeLookUpLeft", "eyeLookOutLeft", "eyeLookInRight", "mouthSmileLeft"])
def test_shapes_look_as_without_a_skeleton(addon: SimpleNamespace, ada: Any, name: str) -> None:
    values(ada.head, **{name: 1.0})
    before = shown(ada.head)
    armature = addon.skeleton.armature.add_skeleton(bpy.context.scene, ada.head)
    assert np.abs(shown(ada.head) - before).max() < 1e-5
    addon.skeleton.following.set_jaw_by(ada.head, armature, "BONES")
    assert np.abs(shown(ada.head) - before).max() < 3e-5


def test_eye_between_rest_and_look_keeps_its_size(addon: SimpleNamespace, ada: Any, armature: bpy.types.Object) -> None:
    ball = part(addon, ada.head, "eye_left")
    size = np.ptp(shown(ada.head)[ball], axis=0).max()
    values(ada.head, eyeLookOutLeft=0.5, eyeLookDownLeft=0.5)
    half = shown(ada.head)[ball]
    distance = np.linalg.norm(half - half.mean(0), axis=1)
    assert np.ptp(shown(ada.head)[ball], axis=0).max() == pytest.approx(size, rel=2e-3)
    assert distance.max() == pytest.approx(size / 2, rel=0.02)


def test_bone_turns_the_eye_and_the_lids_follow_once(
    addon: SimpleNamespace, ada: Any, armature: bpy.types.Object
) -> None:
    values(ada.head, eyeLookDownLeft=1.0)
    by_shape = shown(ada.head)
    values(ada.head, eyeLookDownLeft=0.0)
    addon.skeleton.following.set_eyes_by(ada.head, armature, "BONES")
    rest = shown(ada.head)
    axis = armature.data.bones["eye.L"].matrix_local.to_3x3().col[0].x
    armature.pose.bones["eye.L"].rotation_euler.x = np.copysign(np.radians(28.0), axis)
    turned = shown(ada.head)
    assert np.abs(by_shape - rest).max() > 3e-3
    assert np.abs(turned - by_shape).max() < 1e-4, "lids and eye stand as the shape has them"


def test_both_eyes_follow_the_aim_and_recordings_do_not_turn_them_again(
    addon: SimpleNamespace, ada: Any, armature: bpy.types.Object
) -> None:
    following = addon.skeleton.following
    ahead = shown(ada.head)
    aim = following.add_aim(bpy.context.scene, ada.head, armature)
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
    following.set_eyes_by(ada.head, armature, "SHAPES")
    values(ada.head, eyeLookOutLeft=0.0, eyeLookInRight=0.0)
    assert np.allclose(shown(ada.head), ahead, atol=1e-5), "the aim counts no more"


def test_head_bone_carries_all_but_the_neck(addon: SimpleNamespace, ada: Any, armature: bpy.types.Object) -> None:
    rest = shown(ada.head)
    armature.pose.bones["head"].rotation_euler.y = np.radians(30)
    moved = shown(ada.head)
    eyes = part(addon, ada.head, "eye_left")
    assert np.abs(moved[eyes] - rest[eyes]).max() > 0.01
    border = addon.scene.neck.border_of_neck(ada.head, rest)
    assert len(border) > 20
    assert np.abs(moved[border] - rest[border]).max() < 1e-3


def test_removed_skeleton_leaves_the_head_as_it_was(addon: SimpleNamespace, ada: Any) -> None:
    names = [group.name for group in ada.head.vertex_groups]
    keys = ada.head.data.shape_keys.key_blocks
    before = {key.name: addon.scene.reshaping.coordinates(key.data) for key in keys}
    objects = set(bpy.data.objects)
    armature = addon.skeleton.armature.add_skeleton(bpy.context.scene, ada.head)
    addon.skeleton.following.set_jaw_by(ada.head, armature, "BONES")
    addon.skeleton.following.add_aim(bpy.context.scene, ada.head, armature)
    addon.skeleton.armature.remove_skeleton(ada.head)
    assert [group.name for group in ada.head.vertex_groups] == names
    assert set(bpy.data.objects) == objects
    assert [modifier.type for modifier in ada.head.modifiers] == ["SUBSURF"]
    assert not ada.head.data.shape_keys.animation_data or not ada.head.data.shape_keys.animation_data.drivers
    for key in keys:
        assert np.abs(addon.scene.reshaping.coordinates(key.data) - before[key.name]).max() < 1e-5, key.name


def test_bones_are_found_under_any_name(addon: SimpleNamespace, ada: Any, armature: bpy.types.Object) -> None:
    rest = shown(ada.head)
    addon.skeleton.armature.rename_bones(armature, "UNREAL")
    assert "FACIAL_C_Jaw" in armature.data.bones
    armature.data.bones["FACIAL_C_Jaw"].name = "my jaw"
    addon.skeleton.following.set_jaw_by(ada.head, armature, "BONES")
    values(ada.head, jawOpen=1.0)
    teeth = part(addon, ada.head, "teeth")
    assert np.abs(shown(ada.head)[teeth] - rest[teeth]).max() > 0.02
    addon.skeleton.armature.renew_skeleton(ada.head)
    assert {bone.name for bone in armature.data.bones} >= {"my jaw", "neck_01"}


@pytest.mark.parametrize("by", ["SHAPES", "BONES"])
def test_bones_follow_the_likeness_and_shapes_look_as_without_them(
    addon: SimpleNamespace, ada: Any, armature: bpy.types.Object, by: str
) -> None:
    addon.skeleton.following.set_jaw_by(ada.head, armature, by)
    bpy.ops.relightify.add_likeness()
    keys = ada.head.data.shape_keys.key_blocks
    ball = part(addon, ada.head, "eye_left")
    likeness = [key for key in keys if key.name.startswith("Likeness ")]
    before = {key.name: key.data[int(ball[0])].co - keys["Basis"].data[int(ball[0])].co for key in likeness}
    slider = max(before, key=lambda name: before[name].length)
    assert addon.skeleton.armature.fits_likeness(ada.head)
    values(ada.head, **{slider: 2.0})
    assert not addon.skeleton.armature.fits_likeness(ada.head)
    at = armature.data.bones["eye.L"].head_local.copy()
    assert bpy.ops.relightify.fit_bones() == {"FINISHED"}
    assert addon.skeleton.armature.fits_likeness(ada.head)
    moved = np.array(armature.data.bones["eye.L"].head_local - at)
    assert np.abs(moved - 2.0 * np.array(before[slider])).max() < 5e-4
    assert np.linalg.norm(moved) > 5e-4
    eye = shown(ada.head)[ball]
    centre = np.array(armature.data.bones["eye.L"].head_local)
    reach = np.linalg.norm(eye - centre, axis=1)
    armature.pose.bones["eye.L"].rotation_euler.z = 0.5
    for name in ("eyeLookDownLeft", "jawOpen"):
        values(ada.head, **{name: 1.0})
    turned = np.linalg.norm(shown(ada.head)[ball] - centre, axis=1)
    assert np.abs(turned - reach).max() < 1e-5, "it turns about its own centre"
    posed = shown(ada.head)
    addon.skeleton.armature.remove_skeleton(ada.head)
    assert np.abs(shown(ada.head) - posed).max() < 2e-4, "and shapes do the same by themselves"


def test_artist_in_another_mode_stays_in_it(addon: SimpleNamespace, ada: Any) -> None:
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.object.mode_set(mode="EDIT")
    addon.skeleton.armature.add_skeleton(bpy.context.scene, ada.head)
    assert bpy.context.mode == "EDIT_MESH"
    bpy.ops.object.mode_set(mode="OBJECT")


def test_reconstructed_head_has_a_skeleton_unless_asked_not_to(
    addon: SimpleNamespace, connected: FakeBackend, photo_file: Path
) -> None:
    bpy.ops.relightify.reconstruct(filepath=str(photo_file))
    bpy.ops.relightify.reconstruct(filepath=str(photo_file), use_skeleton=False)
    with_bones, without = addon.scene.heads.heads_of(bpy.context.scene)
    armature_of = addon.skeleton.armature.armature_of
    assert armature_of(with_bones) is not None
    assert armature_of(without) is None
    assert bpy.ops.relightify.add_skeleton.poll()
    assert bpy.ops.relightify.add_skeleton(naming="GLTF") == {"FINISHED"}
    assert "LeftEye" in armature_of(without).data.bones


def test_renewed_head_keeps_the_pose_and_the_switches(
    addon: SimpleNamespace, connected: FakeBackend, photo_file: Path
) -> None:
    bpy.ops.relightify.reconstruct(filepath=str(photo_file))
    (head,) = addon.scene.heads.heads_of(bpy.context.scene)
    armature = addon.skeleton.armature.armature_of(head)
    bpy.ops.relightify.open_jaw_by(by="BONES")
    bpy.ops.relightify.turn_eyes_by(by="BONES")
    armature.pose.bones["neck"].rotation_euler.x = 0.2
    before = shown(head)
    bpy.ops.relightify.reconstruct_again()
    assert addon.skeleton.armature.armature_of(head) == armature
    assert (addon.skeleton.following.jaw_by(armature), addon.skeleton.following.eyes_by(armature)) == ("BONES", "BONES")
    assert np.abs(shown(head) - before).max() < 1e-5
    bpy.ops.relightify.reconstruct_again(parts="SKIN")
    bpy.ops.relightify.reconstruct_again(parts="FULL")
    assert np.abs(shown(head) - before).max() < 1e-5, "the eyes follow their bones again"


def test_duplicated_and_deleted_heads_take_their_skeletons_along(
    addon: SimpleNamespace, ada: Any, armature: bpy.types.Object
) -> None:
    addon.skeleton.following.add_aim(bpy.context.scene, ada.head, armature)
    twin = addon.scene.whole_head.duplicate_head(bpy.context.scene, ada.head)
    twins = addon.skeleton.armature.armature_of(twin)
    assert twins not in (None, armature)
    assert twin.modifiers["Skeleton"].object == twins
    assert twins.pose.bones["eye.L"].constraints["Eye Aim"].target == addon.skeleton.following.aim_of(twin)
    targets = {t.id for d in twin.data.shape_keys.animation_data.drivers for v in d.driver.variables for t in v.targets}
    assert targets == {twins}
    addon.scene.whole_head.delete_head(bpy.context.scene, twin)
    addon.scene.whole_head.delete_head(bpy.context.scene, ada.head)
    assert not bpy.data.armatures
    assert not bpy.data.objects


@pytest.mark.parametrize("another_scene", [False, True])
def test_head_without_a_collection_of_its_own_gets_bones(
    addon: SimpleNamespace, ada: Any, *, another_scene: bool
) -> None:
    scene = bpy.context.scene
    if another_scene:
        bpy.context.window.scene = scene = bpy.data.scenes.new("Second")
    scene.collection.objects.link(ada.head)
    if not another_scene:
        ada.collection.objects.unlink(ada.head)
    bpy.context.view_layer.objects.active = ada.head
    assert bpy.ops.relightify.add_skeleton() == {"FINISHED"}
    armature = addon.skeleton.armature.armature_of(ada.head)
    assert len(armature.data.bones) == 6
    assert armature.name in scene.collection.objects
    assert bpy.ops.relightify.close_neck() == {"FINISHED"}


def copy_of_the_mesh(head: bpy.types.Object) -> bpy.types.Object:
    """What Shift D makes of a head alone."""
    bpy.ops.object.select_all(action="DESELECT")
    head.select_set(True)
    bpy.context.view_layer.objects.active = head
    bpy.ops.object.duplicate()
    return bpy.context.view_layer.objects.active


@pytest.mark.parametrize("by", ["SHAPES", "BONES"])
def test_copy_of_the_mesh_gets_bones_and_looks_of_its_own(
    addon: SimpleNamespace, ada: Any, armature: bpy.types.Object, by: str
) -> None:
    looks = {"jawOpen": 1.0, "eyeLookOutLeft": 1.0, "mouthSmileLeft": 0.5}
    values(ada.head, **looks)
    wanted = shown(ada.head).copy()
    values(ada.head, **dict.fromkeys(looks, 0.0))
    bpy.ops.relightify.turn_eyes_by(by=by)
    bpy.ops.relightify.open_jaw_by(by=by)
    rest = shown(ada.head).copy()
    twin = copy_of_the_mesh(ada.head)
    assert twin != ada.head
    assert addon.skeleton.armature.armature_of(twin) is None
    assert bpy.ops.relightify.add_skeleton() == {"FINISHED"}
    own = addon.skeleton.armature.armature_of(twin)
    assert own not in (None, armature)
    assert [m.object for m in twin.modifiers if m.type == "ARMATURE"] == [own]
    values(twin, **looks)
    assert np.abs(shown(twin) - wanted).max() < 3e-5
    np.testing.assert_allclose(shown(ada.head), rest, atol=1e-6)
    assert (addon.skeleton.following.eyes_by(armature), addon.skeleton.following.jaw_by(armature)) == (by, by)
    assert armature.animation_data.drivers if by == "SHAPES" else ada.head.data.shape_keys.animation_data.drivers


def test_copy_of_the_mesh_that_is_made_again_gets_a_skeleton_of_its_own(
    addon: SimpleNamespace, connected: FakeBackend, photo_file: Path
) -> None:
    bpy.ops.relightify.reconstruct(filepath=str(photo_file))
    (head,) = addon.scene.heads.heads_of(bpy.context.scene)
    armature = addon.skeleton.armature.armature_of(head)
    twin = copy_of_the_mesh(head)
    bpy.ops.relightify.reconstruct_again()
    own = addon.skeleton.armature.armature_of(twin)
    assert addon.skeleton.armature.armature_of(head) == armature
    assert own not in (None, armature)
    assert [m.object for m in twin.modifiers if m.type == "ARMATURE"] == [own]
    ball = part(addon, twin, "eye_left")
    before = shown(twin)[ball].copy()
    values(twin, eyeLookOutLeft=1.0, eyeLookInLeft=0.0)
    assert np.abs(shown(twin)[ball] - before).max() > 1e-3


def test_recording_turns_the_bone_of_the_head_and_clears_again(
    addon: SimpleNamespace, ada: Any, armature: bpy.types.Object
) -> None:
    addon.skeleton.following.set_eyes_by(ada.head, armature, "BONES")
    rest = shown(ada.head)
    recording = addon.expression.arkit_csv.Recording(
        seconds=np.array([0.0, 1.0]),
        shape_names=("eyeLookOutLeft",),
        weights=np.array([[0.0], [1.0]]),
        head=np.array([[0.0, 0.0, 0.0], [0.5, 0.0, 0.0]]),
        eyes=None,
    )
    play = addon.expression.face_recording
    last = play.play(ada.head, recording, play.PlayOptions(start=1, fps=24.0, head_turn=(1, 1, 1)))
    bpy.context.scene.frame_set(last)
    nose = np.argmin(rest[:, 1])
    assert shown(ada.head)[nose][0] - rest[nose][0] > 0.03, "to the subject's left"
    assert tuple(ada.head.delta_rotation_euler) == (0.0, 0.0, 0.0)
    assert abs(armature.pose.bones["eye.L"].rotation_euler.z) > 0.4
    assert play.clear(ada.head) == 4
    bpy.context.scene.frame_set(1)
    assert tuple(armature.pose.bones["head"].rotation_euler) == (0.0, 0.0, 0.0)
