"""A recording on a head: keyframes of its shapes, and of how the head is held."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Euler, Matrix, Vector

from ..scene import mesh
from ..scene.keyframes import remove_curves, shape_path, write_curve
from ..skeleton.armature import armature_of
from ..skeleton.following import SHAPES, bone_of, set_eyes_by, turn_path
from ..skeleton.skinning import HEAD
from .arkit_csv import Recording, at_frames, look_weights

# Where a head nods: the joint of skull and spine, in Blender space from between the eyes, of a head whose eyes are
# 63 mm apart (between the ears, a little behind them).
NOD_PIVOT = Vector((0.0, 0.085, -0.035))
LOOK = "eyeLook"


@dataclass(frozen=True)
class PlayOptions:
    """How a recording is played.

    Args:
        start: frame of the first sample.
        fps: frames a second of the scene.
        head_turn: -1, 0 or 1 for yaw, pitch and roll: against the recording, not at all, as recorded.
        eyes_from_rotations: turn the eyes by the recorded angles rather than by the eyeLook values.
    """

    start: int
    fps: float
    head_turn: tuple[int, int, int] = (0, 0, 0)
    eyes_from_rotations: bool = False


def play(head: bpy.types.Object, recording: Recording, options: PlayOptions) -> int:
    """Put a recording onto a head as keyframes; earlier ones of the same shapes are replaced.

    Args:
        head: a head with ARKit shape keys.
        recording: as it was read.
        options: how to play it.

    Returns:
        the last frame.
    """
    resampled = at_frames(recording, options.fps)
    frames = options.start + np.arange(len(resampled.seconds))
    weights = dict(zip(resampled.shape_names, resampled.weights.T, strict=True))
    has_looks = any(name.startswith(LOOK) for name in weights)
    if resampled.eyes is not None and (options.eyes_from_rotations or not has_looks):
        weights |= look_weights(resampled.eyes)
    keys, armature = head.data.shape_keys, armature_of(head)
    if armature is not None:
        # What is recorded are the shapes; bones that turned the eyes would hold them.
        set_eyes_by(head, armature, SHAPES)
    for name, values in weights.items():
        if name in keys.key_blocks:
            # What never moves needs no more than one key.
            still = np.ptp(values) < 1e-6
            write_curve(keys, shape_path(name), frames[:1] if still else frames, values[:1] if still else values)
    if resampled.head is not None and any(options.head_turn):
        angles, bone = resampled.head * np.array(options.head_turn), _bone_of_head(armature)
        if armature is not None and bone is not None:
            _turn_bone(armature, bone, frames, angles)
        else:
            _turn_head(head, frames, angles)
    return int(frames[-1])


def clear(head: bpy.types.Object) -> int:
    """Take away what `play` made, on all shapes, and hold the head straight again.

    Returns:
        how many curves there were.
    """
    keys = head.data.shape_keys
    count = remove_curves(keys, [shape_path(key.name) for key in mesh.expression_keys(head)])
    armature = armature_of(head)
    bone = _bone_of_head(armature)
    if armature is not None and bone is not None:
        curves = remove_curves(armature, [turn_path(bone)])
        if curves:
            armature.pose.bones[bone.name].rotation_euler = (0.0, 0.0, 0.0)
        count += curves
    turned = remove_curves(head, ("delta_location", "delta_rotation_euler"))
    if turned:
        head.delta_location, head.delta_rotation_euler = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    return count + turned


def _turn_head(head: bpy.types.Object, frames: np.ndarray, angles: np.ndarray) -> None:
    """Keyframes of the delta transform, so that where the user has put the head stays the user's.

    Args:
        head: the head object.
        frames: [T].
        angles: [T, 3], yaw, pitch and roll in radians about the axes of ARKit's faces, which are those of head space
            (DESIGN section 3): +y up, +x to the subject's left, +z out of the face.
    """
    own = (
        head.rotation_euler.to_matrix() if head.rotation_mode != "QUATERNION" else head.rotation_quaternion.to_matrix()
    )
    pivot = own @ (NOD_PIVOT * (sum(head.scale) / 3))
    turns = np.empty((len(frames), 3))
    shifts = np.empty((len(frames), 3))
    previous = Euler((0.0, 0.0, 0.0))
    for row, (yaw, pitch, roll) in enumerate(angles.tolist()):
        about = own @ _turn(yaw, pitch, roll) @ own.inverted()
        previous = about.to_euler("XYZ", previous)
        turns[row], shifts[row] = previous, pivot - about @ pivot
    for index in range(3):
        write_curve(head, "delta_location", frames, shifts[:, index], index=index)
        write_curve(head, "delta_rotation_euler", frames, turns[:, index], index=index)


def _turn_bone(armature: bpy.types.Object, bone: bpy.types.Bone, frames: np.ndarray, angles: np.ndarray) -> None:
    """Keyframes of the head's bone; `frames` and `angles` as for `_turn_head`."""
    rest = bone.matrix_local.to_3x3()
    armature.pose.bones[bone.name].rotation_mode = "XYZ"
    turns, previous = np.empty((len(frames), 3)), Euler((0.0, 0.0, 0.0))
    for row, (yaw, pitch, roll) in enumerate(angles.tolist()):
        previous = (rest.inverted() @ _turn(yaw, pitch, roll) @ rest).to_euler("XYZ", previous)
        turns[row] = previous
    for index in range(3):
        write_curve(armature, turn_path(bone), frames, turns[:, index], index=index)


def _turn(yaw: float, pitch: float, roll: float) -> Matrix:
    """The rotation of a head: head space's y, x and z axes are z, x and -y here."""
    return Matrix.Rotation(yaw, 3, "Z") @ Matrix.Rotation(pitch, 3, "X") @ Matrix.Rotation(-roll, 3, "Y")


def _bone_of_head(armature: bpy.types.Object | None) -> bpy.types.Bone | None:
    return None if armature is None else bone_of(armature, HEAD)
