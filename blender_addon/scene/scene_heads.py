"""Finding our heads in a scene again, and their expressions."""

from __future__ import annotations

import bpy

from . import mesh
from .heads import EXPRESSION, HEAD, is_head_collection


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


def set_photo_expression(collection: bpy.types.Collection) -> None:
    """Dial the photo's expression in again."""
    head = collection[HEAD]
    mesh.set_expression(head, dict(head[EXPRESSION]))


def set_neutral_expression(collection: bpy.types.Collection) -> None:
    """Relax the face."""
    mesh.set_expression(collection[HEAD], {})
