"""Many keyframes at once: whole F-curves from arrays."""

from __future__ import annotations

from collections.abc import Iterable

import bpy
import numpy as np

from .. import compat

# Blender's own numbers of interpolation, extrapolation aside (`Keyframe.interpolation`).
CONSTANT, LINEAR = 0, 1


def shape_path(name: str) -> str:
    """Data path of a shape's value, from the shape keys' datablock."""
    return f'key_blocks["{bpy.utils.escape_identifier(name)}"].value'


def write_curve(
    owner: bpy.types.ID, data_path: str, frames: np.ndarray, values: np.ndarray, *, index: int = 0
) -> bpy.types.FCurve:
    """Animate a property of a datablock with straight lines between keyframes; an older curve of it is replaced.

    Args:
        owner: the datablock.
        data_path: the property, from the datablock.
        frames: float [T], increasing.
        values: float [T].
        index: which element of an array property.
    """
    curves = compat.animation_curves(owner)
    old = curves.find(data_path, index=index)
    if old is not None:
        curves.remove(old)
    curve = curves.new(data_path, index=index)
    count = len(frames)
    curve.keyframe_points.add(count)
    points = np.empty((count, 2), np.float32)
    points[:, 0], points[:, 1] = frames, values
    curve.keyframe_points.foreach_set("co", points.ravel())
    curve.keyframe_points.foreach_set("interpolation", np.full(count, LINEAR, np.int32))
    curve.update()
    return curve


def remove_curves(owner: bpy.types.ID, data_paths: Iterable[str]) -> int:
    """Take the curves of some properties away, and the action once it is empty.

    Returns:
        how many curves there were.
    """
    paths = set(data_paths)
    found = [curve for curve in compat.existing_curves(owner) if curve.data_path in paths]
    if not found:
        return 0
    curves = compat.animation_curves(owner)
    for curve in found:
        curves.remove(curve)
    data = owner.animation_data
    if not compat.existing_curves(owner):
        data.action = None
        if not data.drivers and not data.nla_tracks:
            owner.animation_data_clear()
    return len(found)
