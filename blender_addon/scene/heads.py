"""Finding our heads in a scene again, by marks that a saved and reloaded file still bears."""

from __future__ import annotations

from dataclasses import dataclass

import bpy

# Custom properties of a head's collection; pointers, which Blender keeps up to date.
HEAD = "relightify_head"
WORLD = "relightify_world"
CAMERA = "relightify_camera"
PHOTO = "relightify_photo"
OPTIONS = "relightify_options"
# Of the head object.
EXPRESSION = "relightify_expression"
# Of the scene.
VIEW_TRANSFORM = "relightify_view_transform"


@dataclass(frozen=True)
class ImportedHead:
    """What an import made.

    Args:
        collection: holds all objects of the head.
        root: empty that moves head and camera together.
        head: the mesh object.
        camera: the photo's camera, None where it was not wanted.
        world: the photo's light.
        warnings: sentences for the user about what could not be done.
    """

    collection: bpy.types.Collection
    root: bpy.types.Object
    head: bpy.types.Object
    camera: bpy.types.Object | None
    world: bpy.types.World
    warnings: tuple[str, ...] = ()


def is_head_collection(collection: bpy.types.Collection) -> bool:
    """Whether a collection holds a head of ours."""
    return HEAD in collection


def head_collections(scene: bpy.types.Scene) -> list[bpy.types.Collection]:
    """Collections of all heads in a scene whose mesh still exists, in order."""
    return [c for c in scene.collection.children_recursive if is_head_collection(c) and c[HEAD] is not None]


def active_head(scene: bpy.types.Scene, active: bpy.types.Object | None) -> bpy.types.Collection | None:
    """The head that the active object belongs to, else the newest one, or None."""
    found = head_collections(scene)
    for collection in found:
        if active is not None and active.name in collection.all_objects:
            return collection
    return found[-1] if found else None
