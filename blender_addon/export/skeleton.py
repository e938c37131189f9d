"""The skeleton of an exported copy: bones under another program's names, their pose, and their motion, sampled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix

from .. import compat
from ..scene.keyframes import write_curve
from ..skeleton.following import SHAPES, bone_of, eye_turns, eyes_by, turn_path
from ..skeleton.naming import NAMINGS
from .presets import Preset

# What exported bones are called: as the preset's program expects, or as in the scene.
AUTO, AS_IN_SCENE = "AUTO", "AS_IN_SCENE"
# Turns and moves smaller than these, radians and metres, are none.
STILL = 1e-5


@dataclass(frozen=True)
class Motion:
    """What moved while an animation was sampled.

    Args:
        frames: float [T].
        poses: for each bone that moves location and XYZ rotation, float [T, 6], by its name in the scene.
        shapes: values float [T] of the shapes that follow bones, by name.
    """

    frames: np.ndarray
    poses: dict[str, np.ndarray]
    shapes: dict[str, np.ndarray]


def copied_armature(
    armature: bpy.types.Object,
    scene: bpy.types.Scene,
    preset: Preset,
    stem: str,
    naming: str,
    *,
    scale: Matrix,
    posed: bool,
) -> bpy.types.Object:
    """A copy of a skeleton at the origin, with nothing that moves it.

    Args:
        armature: that of the head.
        scene: gets the copy.
        preset: whose program names the bones.
        stem: names the copy, by the preset's pattern.
        naming: `AUTO` or `AS_IN_SCENE`.
        scale: what the mesh was scaled by.
        posed: keep the pose of this moment; else it is at rest.
    """
    name = preset.skeleton_name.format(stem=stem)
    copy = bpy.data.objects.new(name, armature.data.copy())
    copy.data.name = name
    scene.collection.objects.link(copy)
    copy.data.transform(scale)
    scene.view_layers[0].update()
    for bone in copy.pose.bones:
        bone.rotation_mode = "XYZ"
        if posed:
            bone.matrix_basis = scaled_basis(local_pose(armature, bone.name), scale)
    if naming == AUTO:
        for role, name in NAMINGS[preset.bone_names].items():
            bone = bone_of(copy, role)
            if bone is not None:
                bone.name = name
    return copy


def local_pose(armature: bpy.types.Object, name: str) -> Matrix:
    """How a bone is posed against its rest and its parent, drivers and constraints included."""
    bone = armature.pose.bones[name]
    rest = bone.bone.matrix_local
    if bone.parent is None:
        return rest.inverted() @ bone.matrix
    parent_rest = bone.parent.bone.matrix_local
    return (parent_rest.inverted() @ rest).inverted() @ bone.parent.matrix.inverted() @ bone.matrix


def scaled_basis(basis: Matrix, scale: Matrix) -> Matrix:
    """A local pose of a skeleton that is scaled: only where a bone is moved to changes."""
    scaled = basis.copy()
    scaled.translation = basis.translation * (sum(scale[i][i] for i in range(3)) / 3)
    return scaled


def sampled_motion(
    head: bpy.types.Object,
    armature: bpy.types.Object,
    scene: bpy.types.Scene,
    report: Callable[[float], None],
) -> Motion | None:
    """Every frame of a skeleton's animation, drivers and constraints included; None where nothing is animated.

    The artist's scene is not touched: a copy that is moved by the same action, drivers and targets is looked at in
    another one.

    Args:
        head: the head.
        armature: its armature.
        scene: the temporary scene.
        report: gets the fraction of frames done.
    """
    frames = animated_frames(head, armature)
    if frames is None:
        return None
    copy = armature.copy()
    scene.collection.objects.link(copy)
    copy.parent, copy.matrix_basis = None, armature.matrix_world.copy()
    before, poses = scene.frame_current, {bone.name: np.empty((len(frames), 6)) for bone in copy.pose.bones}
    for row, frame in enumerate(frames):
        scene.frame_set(int(frame))
        seen = copy.evaluated_get(scene.view_layers[0].depsgraph)
        for name, values in poses.items():
            pose = local_pose(seen, name)
            values[row] = [*pose.translation, *pose.to_euler("XYZ")]
        report((row + 1) / len(frames))
    scene.frame_set(before)
    bpy.data.objects.remove(copy)
    moving = {name: values for name, values in poses.items() if np.ptp(values, axis=0).max() > STILL}
    looks = {} if eyes_by(armature) == SHAPES else looks_of_bones(armature, poses)
    return Motion(frames, moving, looks)


def hold_pose(copy: bpy.types.Object, mesh: bpy.types.Object, frame: int) -> None:
    """Keyframes of an exported skeleton's pose and of its mesh's shapes as they are, at one frame."""
    poses = {
        bone.name: np.array([[*bone.matrix_basis.translation, *bone.matrix_basis.to_euler("XYZ")]])
        for bone in copy.pose.bones
    }
    keys = mesh.data.shape_keys
    shapes = {key.name: np.array([key.value]) for key in keys.key_blocks[1:]} if keys is not None else {}
    write_motion(copy, mesh, Motion(np.array([float(frame)]), poses, shapes), {name: name for name in poses})


def animated_frames(head: bpy.types.Object, armature: bpy.types.Object) -> np.ndarray | None:
    """The whole frames from the first keyframe of the head's shapes, bones or aim to the last; None without any."""
    keys = head.data.shape_keys
    targets = [c.target for bone in armature.pose.bones for c in bone.constraints if getattr(c, "target", None)]
    moved = [owner for owner in (keys, armature, *targets) if owner is not None]
    ends = [curve.range() for owner in moved for curve in compat.existing_curves(owner)]
    if not ends:
        return None
    return np.arange(np.floor(min(e[0] for e in ends)), np.ceil(max(e[1] for e in ends)) + 1)


def looks_of_bones(armature: bpy.types.Object, poses: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The values of the shapes that follow the eyes' bones, as their drivers make them."""
    return {
        name: np.clip(poses[bone.name][:, 3 + index] / angle, 0, 1)
        for bone, index, angles in eye_turns(armature)
        for name, angle in angles.items()
    }


def write_motion(copy: bpy.types.Object, mesh: bpy.types.Object, motion: Motion, names: dict[str, str]) -> None:
    """Keyframes of a sampled motion on an exported skeleton, and of the shapes that followed it on the mesh.

    Args:
        copy: the exported armature.
        mesh: the exported mesh object.
        motion: what was sampled.
        names: exported name by name in the scene.
    """
    for name, values in motion.poses.items():
        bone = copy.data.bones[names[name]]
        place = turn_path(bone).replace("rotation_euler", "location")
        for index in range(3):
            write_curve(copy, turn_path(bone), motion.frames, values[:, 3 + index], index=index)
            if np.abs(values[:, index]).max() > STILL:
                write_curve(copy, place, motion.frames, values[:, index], index=index)
    keys = mesh.data.shape_keys
    if keys is not None and motion.shapes:
        # The copy of the keys still plays the action of those in the scene.
        compat.own_action(keys)
    for name, values in motion.shapes.items():
        if keys is not None and name in keys.key_blocks:
            write_curve(keys, f'key_blocks["{name}"].value', motion.frames, values)
