"""Turntables: a camera that goes round the head, or the light that goes round it."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector

from .. import compat
from ..scene.heads import MADE, belonging, home_of, units_per_metre
from ..scene.keyframes import remove_curves, write_curve
from ..scene.world import ROTATION, node_for
from .rigs import head_extent

# Custom properties: of the head, the empty that turns; of the empty, the camera that there was before.
TURNTABLE, BEFORE = "relightify_turntable", "relightify_camera_before"
# In radius of the whole head: how much room is left around it.
MARGIN = 1.08


@dataclass(frozen=True)
class TurntableOptions:
    """How to turn.

    Args:
        frames: of one full turn, at least 2.
        start: first frame.
        lens_mm: focal length of the camera on a 36 mm sensor.
        elevation: radians by which the camera looks down on the head.
        clockwise: seen from above.
        set_range: make the scene one turn long.
    """

    frames: int = 120
    start: int = 1
    lens_mm: float = 85.0
    elevation: float = 0.0
    clockwise: bool = False
    set_range: bool = True


def find_turntable(head: bpy.types.Object | None) -> bpy.types.Object | None:
    """The empty that turns the camera round a head, or None."""
    return belonging(head, TURNTABLE)


def turn_camera(scene: bpy.types.Scene, head: bpy.types.Object, options: TurntableOptions) -> bpy.types.Object:
    """A camera on an empty in the middle of the head, keyed to go round once; an older one of the head is replaced.

    Returns:
        the camera, which becomes the scene's.
    """
    remove_turntable(scene, head)
    collection = home_of(head, scene)
    pivot = bpy.data.objects.new(f"{head.name} turntable", None)
    pivot.empty_display_size = 0.05
    pivot.parent = head.parent
    collection.objects.link(pivot)
    data = bpy.data.cameras.new(f"{head.name} turntable camera")
    data.sensor_width, data.lens = 36.0, options.lens_mm
    data.clip_start = 0.01 * units_per_metre(scene)
    camera = bpy.data.objects.new(data.name, data)
    camera.parent = pivot
    collection.objects.link(camera)
    pivot[MADE] = camera[MADE] = True

    corners = [Vector(corner) for corner in head.bound_box]
    middle = Vector(np.mean(corners, axis=0))
    # Round the axis of the skull, at the height of the whole head's middle.
    middle.x, middle.y = head_extent(head)[0].xy
    radius = max((corner - middle).length for corner in corners)
    pivot.location = head.matrix_basis @ middle
    distance = MARGIN * radius * _distance_per_radius(scene, options.lens_mm, data.sensor_width)
    place = Vector((0.0, -distance * np.cos(options.elevation), distance * np.sin(options.elevation)))
    camera.location = place
    camera.rotation_euler = (-place).to_track_quat("-Z", "Y").to_euler()
    data.clip_end = max(100.0, 4 * distance) * units_per_metre(scene)

    head[TURNTABLE] = pivot
    if scene.camera is not None:
        pivot[BEFORE] = scene.camera
    scene.camera = camera
    _turn(pivot, "rotation_euler", 2, options, 0.0)
    _set_range(scene, options)
    return camera


def turn_light(scene: bpy.types.Scene, options: TurntableOptions) -> bool:
    """Key the world's rotation for one full turn from where it is now.

    Returns:
        whether the scene has a world of ours that can be turned.
    """
    node = node_for(scene.world, ROTATION)
    if node is None:
        return False
    _turn(node.id_data, _rotation_path(node), 2, options, node.inputs["Rotation"].default_value[2])
    _set_range(scene, options)
    return True


def stop_light(scene: bpy.types.Scene) -> bool:
    """Take the keyframes of `turn_light` away; says whether there were any."""
    node = node_for(scene.world, ROTATION)
    return node is not None and remove_curves(node.id_data, [_rotation_path(node)]) > 0


def light_turns(scene: bpy.types.Scene) -> bool:
    """Whether the scene's world is animated by `turn_light`."""
    node = node_for(scene.world, ROTATION)
    if node is None:
        return False
    path = _rotation_path(node)
    return any(curve.data_path == path for curve in compat.existing_curves(node.id_data))


def remove_turntable(scene: bpy.types.Scene, head: bpy.types.Object) -> None:
    """Delete the turntable of a head; the camera that there was before becomes the scene's again."""
    pivot = find_turntable(head)
    if pivot is None:
        return
    before = pivot.get(BEFORE)
    for child in list(pivot.children):
        data = child.data if child.type == "CAMERA" else None
        if scene.camera == child:
            scene.camera = before
        bpy.data.objects.remove(child)
        if data is not None and data.users == 0:
            bpy.data.cameras.remove(data)
    bpy.data.objects.remove(pivot)
    del head[TURNTABLE]


def _rotation_path(node: bpy.types.ShaderNode) -> str:
    return node.inputs["Rotation"].path_from_id("default_value")


def _distance_per_radius(scene: bpy.types.Scene, lens: float, sensor: float) -> float:
    """How far, in radii, a ball has to be from the camera to fill the shorter side of the picture."""
    width, height = scene.render.resolution_x, scene.render.resolution_y
    # The sensor's width is that of the picture's longer side (sensor fit AUTO).
    half = np.arctan(sensor * min(width, height) / max(width, height) / 2 / lens)
    return float(1 / np.sin(half))


def _turn(owner: bpy.types.ID, path: str, index: int, options: TurntableOptions, angle: float) -> None:
    """Two keyframes a whole turn apart; the second lies one past the last frame, so that the turn loops."""
    whole = -2 * np.pi if options.clockwise else 2 * np.pi
    frames = np.array([options.start, options.start + options.frames])
    curve = write_curve(owner, path, frames, np.array([angle, angle + whole]), index=index)
    curve.extrapolation = "LINEAR"


def _set_range(scene: bpy.types.Scene, options: TurntableOptions) -> None:
    if options.set_range:
        scene.frame_start, scene.frame_end = options.start, options.start + options.frames - 1
    scene.frame_set(options.start)
