"""The scene around a head: its camera, frame, world and film look, set for the first head and put back after the last.

Heads that come later leave all that alone unless they are asked to set it.
"""

from __future__ import annotations

import bpy

from .colour import set_view
from .heads import VIEW_TRANSFORM
from .photos.camera import set_render_size
from .world import show_photo_light

# Custom properties of the scene: what there was before the first head.
CAMERA_BEFORE, WORLD_BEFORE = "relightify_camera_before", "relightify_world_before"
FRAME_BEFORE = "relightify_frame_before"
FRAME_SETTINGS = ("resolution_x", "resolution_y", "resolution_percentage", "pixel_aspect_x", "pixel_aspect_y")


def show_camera(scene: bpy.types.Scene, camera: bpy.types.Object) -> None:
    """Make a photo's camera the scene's, with the photo's frame."""
    if FRAME_BEFORE not in scene:
        scene[FRAME_BEFORE] = {name: getattr(scene.render, name) for name in FRAME_SETTINGS}
        if scene.camera is not None:
            scene[CAMERA_BEFORE] = scene.camera
    scene.camera = camera
    set_render_size(scene, camera)


def show_light(scene: bpy.types.Scene, world: bpy.types.World) -> None:
    """Light a scene with a photo's light."""
    if WORLD_BEFORE not in scene and scene.world is not None:
        scene[WORLD_BEFORE] = scene.world
    show_photo_light(scene, world)


def strike(scene: bpy.types.Scene) -> None:
    """Put back what there was before the first head, as far as nothing else has taken its place since."""
    camera, world = scene.get(CAMERA_BEFORE), scene.get(WORLD_BEFORE)
    if scene.camera is None:
        scene.camera = camera if camera is not None and camera.users_collection else None
        for name, value in (scene.get(FRAME_BEFORE) or {}).items():
            setattr(scene.render, name, value)
    if scene.world is None:
        scene.world = world
    if VIEW_TRANSFORM in scene:
        set_view(scene, scene[VIEW_TRANSFORM])
    for mark in (CAMERA_BEFORE, WORLD_BEFORE, FRAME_BEFORE, VIEW_TRANSFORM):
        if mark in scene:
            del scene[mark]
