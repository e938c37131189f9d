"""What Blender's windows show: the selection, the view, the sidebars, and the steps that can be undone.

No operator is called inside `bpy.context.temp_override`, here or elsewhere in the add-on. While an operator runs,
Blender lets other threads of Python run, and up to 5.0 (Python 3.11) it looks its context up in the override's
dictionary without keeping them out: sooner or later both allocate at once, and Blender is gone. The thread that talks
to the backend is always there to be that other one.
"""

from __future__ import annotations

import math

import bpy
import numpy as np
from mathutils import Vector

# As Blender's own operators frame things: room around the camera's frame in pixels, and around what is selected.
CAMERA_MARGIN_PX, SELECTION_MARGIN = 4, 1.4
# A viewport's lens is for a sensor of 36 mm, which fills half of the view's larger side.
SENSOR_MM = 36.0
# Limits of `RegionView3D.view_camera_zoom`.
ZOOM_LIMITS = (-30.0, 600.0)


class ViewportDrop:
    """What a file handler takes: files dropped onto a 3D viewport."""

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type == "VIEW_3D"


def layer_of(scene: bpy.types.Scene) -> bpy.types.ViewLayer:
    """The view layer that the artist sees: that of the window that shows the scene, as a timer has no window."""
    windows = [w for w in bpy.context.window_manager.windows if w.scene == scene]
    return windows[0].view_layer if windows else scene.view_layers[0]


def select_alone(scene: bpy.types.Scene, head: bpy.types.Object) -> None:
    """Make the head the active object and the only selected one, unless the user is in the middle of something."""
    layer = layer_of(scene)
    # The layer does not know its new objects before that.
    layer.update()
    busy = layer.objects.active is not None and layer.objects.active.mode != "OBJECT"
    if busy or head.name not in layer.objects:
        return
    for thing in layer.objects:
        thing.select_set(False, view_layer=layer)
    head.select_set(True, view_layer=layer)
    layer.objects.active = head


def look_through_camera(scene: bpy.types.Scene) -> None:
    """Show the scene's camera, all of its frame, in the largest viewport of the window that shows the scene."""
    found = viewport_of(scene)
    if found is None:
        return
    _, area, region = found
    view = area.spaces.active.region_3d
    view.view_perspective = "CAMERA"
    view.view_camera_offset = (0.0, 0.0)
    if scene.camera is not None:
        view.view_camera_zoom = camera_zoom(scene, (region.width, region.height))


def camera_zoom(scene: bpy.types.Scene, region_px: tuple[int, int]) -> float:
    """The `view_camera_zoom` at which the frame of the scene's camera fills a region."""
    render, fit = scene.render, scene.camera.data.sensor_fit
    across, down = (render.resolution_x * render.pixel_aspect_x, render.resolution_y * render.pixel_aspect_y)
    # The side that the sensor's size is of, in the frame as in the region.
    horizontal = fit == "HORIZONTAL" or (fit == "AUTO" and across >= down)
    spanned = {"AUTO": max(region_px), "HORIZONTAL": region_px[0], "VERTICAL": region_px[1]}[fit]
    scale = spanned / (across if horizontal else down)
    fill = min(side / (scale * of + CAMERA_MARGIN_PX) for side, of in zip(region_px, (across, down), strict=True))
    zoom = (math.sqrt(4 * fill) - math.sqrt(2)) * 50
    return min(max(zoom, ZOOM_LIMITS[0]), ZOOM_LIMITS[1])


def frame_selected(scene: bpy.types.Scene) -> None:
    """Let the largest viewport of the window that shows the scene look at what is selected, from where it looks now."""
    found = viewport_of(scene)
    selected = layer_of(scene).objects.selected
    if found is None or not selected or found[1].spaces.active.region_3d.view_perspective == "CAMERA":
        return
    _, area, region = found
    corners = np.concatenate([np.array([o.matrix_world @ Vector(c) for c in o.bound_box]) for o in selected])
    space = area.spaces.active
    radius = SELECTION_MARGIN * float(np.ptp(corners, axis=0).max()) / 2
    sides = sorted((region.width, region.height))
    distance = radius * space.lens / SENSOR_MM * sides[1] / sides[0]
    space.region_3d.view_location = (corners.min(axis=0) + corners.max(axis=0)) / 2
    space.region_3d.view_distance = max(distance, 1.5 * space.clip_start)


def show_materials(scene: bpy.types.Scene) -> None:
    """Let a viewport that shows plain surfaces show materials, in the scene's own light."""
    found = viewport_of(scene)
    shading = found[1].spaces.active.shading if found is not None else None
    if shading is not None and shading.type in ("WIREFRAME", "SOLID"):
        shading.type = "MATERIAL"
        shading.use_scene_world = shading.use_scene_lights = True


def viewport_of(scene: bpy.types.Scene) -> tuple[bpy.types.Window, bpy.types.Area, bpy.types.Region] | None:
    """The largest 3D viewport of a window that shows a scene, or None; Blender without a window has none."""
    found = [
        (area.width * area.height, window, area)
        for window in bpy.context.window_manager.windows
        for area in window.screen.areas
        if area.type == "VIEW_3D" and window.scene == scene
    ]
    if bpy.app.background or not found:
        return None
    _, window, area = max(found, key=lambda item: item[0])
    return window, area, next(region for region in area.regions if region.type == "WINDOW")


def push_undo(message: str) -> None:
    """One undo step for what was done outside of an operator; Blender without a window has no undo."""
    if not bpy.app.background:
        bpy.ops.ed.undo_push(message=message)


def redraw_panels() -> None:
    """Have the sidebars of all 3D viewports, and the preferences, drawn anew."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "PREFERENCES", "IMAGE_EDITOR"):
                area.tag_redraw()
        if not window.modal_operators:
            # The one way to have the status bar drawn; it would wipe what a tool has written there.
            window.workspace.status_text_set_internal(None)
