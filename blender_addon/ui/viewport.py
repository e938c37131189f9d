"""What Blender's windows show: the selection, the view, the sidebars, and the steps that can be undone."""

from __future__ import annotations

import bpy


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
    window, area, region = found
    area.spaces.active.region_3d.view_perspective = "CAMERA"
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.view3d.view_center_camera()


def frame_selected(scene: bpy.types.Scene) -> None:
    """Let the largest viewport of the window that shows the scene look at what is selected, from where it looks now."""
    found = viewport_of(scene)
    if found is not None and found[1].spaces.active.region_3d.view_perspective != "CAMERA":
        window, area, region = found
        with bpy.context.temp_override(window=window, area=area, region=region):
            bpy.ops.view3d.view_selected()


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
        if not window.modal_operators:
            # The one way to have the status bar drawn; it would wipe what a tool has written there.
            window.workspace.status_text_set_internal(None)
