"""The photo's camera in Blender, with the photo behind the head."""

from __future__ import annotations

from typing import Protocol

import bpy
import numpy as np
from mathutils import Matrix

from ..._shared import RelightifyError
from ...anatomy.geometry import BLENDER_FROM_HEAD
from ..images import image_from_bytes

SENSOR_MM = 36.0
MAX_RENDER_PX = 2048
# A head is about 0.25 m high.
DISPLAY_M = 0.1
# Custom property of the camera: width and height of the photo in pixels.
FRAME = "relightify_frame"


class SeenHead(Protocol):
    """How a photo sees a head; shapes and units are those of `HeadMesh`, which is one."""

    @property
    def camera_rotation(self) -> np.ndarray: ...
    @property
    def camera_translation(self) -> np.ndarray: ...
    @property
    def camera_focal_px(self) -> np.ndarray: ...
    @property
    def camera_centre_px(self) -> np.ndarray: ...
    @property
    def image_size(self) -> np.ndarray: ...


def build_camera(
    name: str, seen: SeenHead, photo: bpy.types.Image | None, units_per_metre: float = 1.0
) -> bpy.types.Object:
    """A camera object that sees the head exactly as the photo does; the photo is its background image.

    Args:
        name: name of the object.
        seen: rotation, translation, focal length, principal point and image size.
        photo: upright photo of `seen.image_size`, or None.
        units_per_metre: of the scene; the camera's place is in metres, for a parent of this scale.
    """
    width, height = (int(n) for n in seen.image_size)
    centre_x, centre_y = (float(c) for c in seen.camera_centre_px)
    data = bpy.data.cameras.new(name)
    data.sensor_fit = "HORIZONTAL"
    data.sensor_width = SENSOR_MM
    data.lens = float(seen.camera_focal_px) * SENSOR_MM / width
    # Blender shifts the frame, in units of its width; the optical axis then leaves the middle the other way.
    data.shift_x = (width / 2 - centre_x) / width
    data.shift_y = (centre_y - height / 2) / width
    # These are the scene's, whatever the parent's scale.
    data.clip_start, data.clip_end = 0.01 * units_per_metre, 100.0 * units_per_metre
    data.display_size = DISPLAY_M * units_per_metre
    if photo is not None:
        background = data.background_images.new()
        background.image = photo
        background.alpha = 1.0
        background.display_depth = "BACK"
        background.frame_method = "FIT"
        data.show_background_images = True
    camera = bpy.data.objects.new(name, data)
    # Both cameras look down -z with y up, so only the world side changes axes.
    rotation = BLENDER_FROM_HEAD @ np.asarray(seen.camera_rotation, np.float64).T
    pose = np.eye(4)
    pose[:3, :3] = rotation
    pose[:3, 3] = -rotation @ np.asarray(seen.camera_translation, np.float64)
    camera.matrix_world = Matrix(pose.tolist())
    camera[FRAME] = [width, height]
    return camera


def background_image(name: str, photo: bytes | None, seen: SeenHead) -> tuple[bpy.types.Image | None, tuple[str, ...]]:
    """The photo as an image, unless Blender cannot read it or it is turned (Blender ignores EXIF), and what to say."""
    if not photo:
        return None, ()
    missing = "The photo is not shown behind the head: "
    try:
        image = image_from_bytes(name, photo, srgb=True)
    except RelightifyError:
        return None, (f"{missing}Blender cannot read its format.",)
    if tuple(image.size) != tuple(int(n) for n in seen.image_size):
        bpy.data.images.remove(image)
        return None, (f"{missing}its file is not upright.",)
    return image, ()


def set_render_size(scene: bpy.types.Scene, camera: bpy.types.Object) -> None:
    """Give the scene the frame of a photo's camera; large photos render at a percentage of their size."""
    render, size = scene.render, camera[FRAME]
    render.resolution_x, render.resolution_y = size
    render.resolution_percentage = max(1, min(100, MAX_RENDER_PX * 100 // max(size)))
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0
