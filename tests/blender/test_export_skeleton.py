"""Exported skeletons: read back, they pose and move the head as in the scene."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender import finished_job
from tests.blender.conftest import empty_scene
from tests.blender.test_export_round_trip import open_again
from tests.blender.test_skeleton import shown

NAMES = {
    "GLB": {"Root", "Neck", "Head", "Jaw", "LeftEye", "RightEye"},
    "UNITY": {"Root", "Neck", "Head", "Jaw", "LeftEye", "RightEye"},
    "UNREAL": {"root", "neck_01", "head", "FACIAL_C_Jaw", "FACIAL_L_Eye", "FACIAL_R_Eye"},
    "USD": {"Root", "Neck", "Head", "Jaw", "LeftEye", "RightEye"},
}
SUFFIX = {"GLB": ".glb", "UNITY": ".fbx", "UNREAL": ".fbx", "USD": ".usdc"}


@pytest.fixture
def ada(addon: SimpleNamespace) -> Any:
    empty_scene()
    done = addon.scene.importer.import_head(
        bpy.context.scene, "Ada", finished_job.head_mesh(), finished_job.maps(64), use_camera=False
    )
    addon.skeleton.armature.add_skeleton(bpy.context.scene, done.head)
    addon.scene.mesh.set_expression(done.head, {"jawOpen": 0.5, "eyeLookOutLeft": 0.8, "mouthSmileLeft": 0.4})
    done.root.location = (0.7, 0.1, 1.6)
    bpy.context.view_layer.objects.active = done.head
    return done


def exported(head: bpy.types.Object, folder: Path, preset: str, **options: Any) -> Path:
    path = folder / f"ada{SUFFIX[preset]}"
    bpy.context.view_layer.update()
    assert bpy.ops.relightify.export(filepath=str(path), preset=preset, texture_size="256", **options) == {"FINISHED"}
    return path


def seen(head: bpy.types.Object) -> np.ndarray:
    """Where the vertices of what was read back are, in the world [V, 3]."""
    bpy.context.view_layer.update()
    thing = head.evaluated_get(bpy.context.evaluated_depsgraph_get())
    points = np.array([v.co for v in thing.data.vertices])
    return points @ np.array(thing.matrix_world.to_3x3()).T + np.array(thing.matrix_world.translation)


def distance(found: np.ndarray, wanted: np.ndarray) -> float:
    """The largest distance of a found point to the nearest wanted one, metres; formats reorder and split vertices."""
    from mathutils.kdtree import KDTree

    tree = KDTree(len(wanted))
    for index, point in enumerate(wanted):
        tree.insert(point, index)
    tree.balance()
    return max(tree.find(point)[2] for point in found)


@pytest.mark.parametrize("preset", list(NAMES))
def test_skeleton_is_read_back_with_pose_and_names(
    ada: Any, addon: SimpleNamespace, tmp_path: Path, preset: str
) -> None:
    armature = addon.skeleton.armature.armature_of(ada.head)
    armature.pose.bones["head"].rotation_euler = (0.2, 0.1, 0.3)
    wanted = shown(ada.head).copy()
    path = exported(ada.head, tmp_path, preset)
    head = open_again(path)
    (bones,) = [thing for thing in bpy.context.scene.objects if thing.type == "ARMATURE"]
    assert {bone.name for bone in bones.data.bones} == NAMES[preset]
    # What was animated to hold its pose shows it once a frame is set.
    bpy.context.scene.frame_set(1)
    assert distance(seen(head), wanted) < 2e-4


@pytest.mark.parametrize(
    ("preset", "name"), [("GLB", "ada_Skeleton"), ("UNITY", "ada_Skeleton"), ("UNREAL", "Armature")]
)
def test_skeleton_is_called_by_the_file_whatever_the_scene_calls_it(
    ada: Any, addon: SimpleNamespace, tmp_path: Path, preset: str, name: str
) -> None:
    """Unreal makes a bone above the root of an armature that has another name than Armature."""
    addon.skeleton.armature.armature_of(ada.head).name = "Köpfe, alle"
    other = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    bpy.context.scene.collection.objects.link(other)
    path = exported(ada.head, tmp_path, preset)
    assert (other.name, other.data.name) == (name, name)
    assert addon.skeleton.armature.armature_of(ada.head).name == "Köpfe, alle"
    head = open_again(path)
    assert head.find_armature().name == name


def test_skeleton_may_be_left_out_and_shapes_then_do_all(ada: Any, addon: SimpleNamespace, tmp_path: Path) -> None:
    armature = addon.skeleton.armature.armature_of(ada.head)
    addon.skeleton.following.set_jaw_by(ada.head, armature, "BONES")
    # In between a shape moves along a line, where a bone turns.
    addon.scene.mesh.set_expression(ada.head, {"jawOpen": 1.0, "eyeLookOutLeft": 1.0})
    wanted = shown(ada.head).copy()
    head = open_again(exported(ada.head, tmp_path, "GLB", use_skeleton=False))
    assert not [thing for thing in bpy.context.scene.objects if thing.type == "ARMATURE"]
    assert distance(seen(head), wanted) < 1e-4


def test_bones_may_keep_the_names_of_the_scene(ada: Any, tmp_path: Path) -> None:
    open_again(exported(ada.head, tmp_path, "GLB", bone_names="AS_IN_SCENE"))
    (bones,) = [thing for thing in bpy.context.scene.objects if thing.type == "ARMATURE"]
    assert {bone.name for bone in bones.data.bones} == {"root", "neck", "head", "jaw", "eye.L", "eye.R"}


@pytest.mark.parametrize("preset", ["GLB", "UNREAL", "USD"])
@pytest.mark.parametrize("by", ["SHAPES", "BONES"])
def test_recorded_and_aimed_motion_is_exported(
    ada: Any, addon: SimpleNamespace, tmp_path: Path, preset: str, by: str
) -> None:
    head, scene = ada.head, bpy.context.scene
    armature = addon.skeleton.armature.armature_of(head)
    play, values = addon.expression.face_recording, np.array([[0.0, 0.0], [1.0, 0.8]])
    recording = addon.expression.arkit_csv.Recording(
        seconds=np.array([0.0, 0.5]),
        shape_names=("eyeLookOutLeft", "jawOpen"),
        weights=values,
        head=np.array([[0.0, 0.0, 0.0], [0.4, 0.2, 0.0]]),
        eyes=None,
    )
    last = play.play(head, recording, play.PlayOptions(start=1, fps=24.0, head_turn=(1, 1, 1)))
    scene.frame_start, scene.frame_end = 1, last
    if by == "BONES":
        aim = addon.skeleton.following.add_aim(scene, head, armature)
        aim.keyframe_insert("location", frame=1)
        aim.location.x += 0.2
        aim.keyframe_insert("location", frame=last)
    scene.frame_set(last)
    wanted = shown(head).copy()
    curves = len(bpy.data.actions)
    path = exported(head, tmp_path, preset)
    assert len(bpy.data.actions) == curves
    read = open_again(path)
    # Blender's importer of FBX begins one frame later.
    bpy.context.scene.frame_set(last + (preset == "UNREAL"))
    assert distance(seen(read), wanted) < 5e-4


def test_export_with_a_skeleton_leaves_the_scene_as_it_was(ada: Any, addon: SimpleNamespace, tmp_path: Path) -> None:
    armature = addon.skeleton.armature.armature_of(ada.head)
    addon.skeleton.following.add_aim(bpy.context.scene, ada.head, armature)
    before = (shown(ada.head).copy(), sorted(o.name for o in bpy.data.objects), len(bpy.data.armatures))
    exported(ada.head, tmp_path, "GLB")
    assert (sorted(o.name for o in bpy.data.objects), len(bpy.data.armatures)) == before[1:]
    assert np.array_equal(shown(ada.head), before[0])
    assert {bone.name for bone in armature.data.bones} >= {"eye.L", "jaw"}
