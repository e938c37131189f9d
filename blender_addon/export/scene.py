"""A scene that exists for the length of an export, so that the artist's own scenes are never touched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import bpy

from .._shared import RelightifyError

TEMPORARY = ".relightify export"


@contextmanager
def temporary_scene(window: bpy.types.Window, like: bpy.types.Scene) -> Iterator[bpy.types.Scene]:
    """Show an empty scene in a window, then the old one again, with its camera views as they were.

    Blender's exporters take the window's scene. Modes, selections and values of the old scene stay as they are, since
    nothing touches it.

    Args:
        window: shows the new scene inside of the block.
        like: frame range and frame rate come from here.
    """
    before, layer_name = window.scene, window.view_layer.name
    views = [
        (space, space.camera, space.region_3d, space.region_3d.view_perspective)
        for area in window.screen.areas
        for space in area.spaces
        if space.type == "VIEW_3D" and space.region_3d is not None
    ]
    scene = bpy.data.scenes.new(TEMPORARY)
    try:
        scene.view_layers[0].name = layer_name
        scene.frame_start, scene.frame_end = like.frame_start, like.frame_end
        scene.render.fps, scene.render.fps_base = like.render.fps, like.render.fps_base
        # Metres, whatever the artist's scene counts in.
        scene.unit_settings.system, scene.unit_settings.scale_length = "METRIC", 1.0
        scene.frame_set(like.frame_current)
        window.scene = scene
        yield scene
    finally:
        window.scene = before
        window.view_layer = before.view_layers[layer_name]
        bpy.data.scenes.remove(scene)
        for space, camera, region, perspective in views:
            # A scene without a camera turns camera views into perspective ones.
            space.camera = camera
            region.view_perspective = perspective


@contextmanager
def borrowed_names(*wanted: tuple[bpy.types.bpy_prop_collection, str]) -> Iterator[None]:
    """Free names for the length of a block: whoever has one gets another name until then.

    Args:
        wanted: pairs of a collection of `bpy.data` and a name.
    """
    with ExitStack() as stack:
        for collection, name in wanted:
            owner = collection.get(name)
            if owner is not None:
                if owner.library is not None:
                    raise RelightifyError(
                        "linked_name", f"{name} is linked from another file.", "Export under another file name."
                    )
                owner.name = f"{TEMPORARY} {name}"[:60]
                stack.callback(setattr, owner, "name", name)
        yield


@contextmanager
def only_temporary_data() -> Iterator[None]:
    """Remove every mesh, material, image, object and so on that appears inside the block."""
    kinds = (
        *("objects", "meshes", "armatures", "materials", "images", "textures"),
        *("node_groups", "actions", "worlds", "collections"),
    )
    before = {kind: {block.session_uid for block in getattr(bpy.data, kind)} for kind in kinds}
    try:
        yield
    finally:
        for kind in kinds:
            collection = getattr(bpy.data, kind)
            for block in [b for b in collection if b.session_uid not in before[kind]]:
                collection.remove(block)
