"""What Blender's windows show: the selection, the view, the sidebars, and the steps that can be undone."""

from __future__ import annotations

import bpy


def select_alone(scene: bpy.types.Scene, head: bpy.types.Object) -> None:
    """Make the head the active object and the only selected one, unless the user is in the middle of something.

    A timer has no window of its own, so the view layer is that of the window that shows the scene.
    """
    windows = [w for w in bpy.context.window_manager.windows if w.scene == scene]
    layer = windows[0].view_layer if windows else scene.view_layers[0]
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
    """Show the scene's camera in the first viewport of the window that shows the scene."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D" and window.scene == scene:
                area.spaces.active.region_3d.view_perspective = "CAMERA"
                return


def push_undo(message: str) -> None:
    """One undo step for what was done outside of an operator; Blender without a window has no undo."""
    windows = bpy.context.window_manager.windows
    if bpy.app.background or not windows:
        return
    with bpy.context.temp_override(window=windows[0]):
        bpy.ops.ed.undo_push(message=message)


def redraw_panels() -> None:
    """Have the sidebars of all 3D viewports, and the preferences, drawn anew."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "PREFERENCES", "IMAGE_EDITOR"):
                area.tag_redraw()
