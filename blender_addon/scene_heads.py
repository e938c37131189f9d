"""Finding our heads in a scene again, and what can be done with them afterwards: light and expression."""

from __future__ import annotations

import bpy

from . import light, mesh
from ._shared import RelightifyError
from .importer import EXPRESSION, HEAD, VIEW_TRANSFORM, WORLD, is_head_collection

PHOTO_LIGHT = "photo"


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


def relight(
    scene: bpy.types.Scene, collection: bpy.types.Collection | None, name: str, rotation: float, strength: float
) -> bpy.types.World:
    """Light a scene with the photo's light of a head, or with one of Blender's studio HDRIs.

    Args:
        scene: gets the world.
        collection: the head whose photo light is meant; unused for studio lights.
        name: `PHOTO_LIGHT` or one of `light.STUDIO_LIGHTS`.
        rotation: radians about the vertical axis.
        strength: factor on the radiance.

    Raises:
        RelightifyError: ``no_head``, there is no photo light; ``no_studio_light``.
    """
    if name == PHOTO_LIGHT:
        world = collection.get(WORLD) if collection is not None else None
        if world is None:
            raise RelightifyError("no_head", "There is no head with a photo light.", "Reconstruct one first.")
        # The photo's light matches the photo only without a film look.
        scene.view_settings.view_transform = "Standard"
    else:
        world = light.studio_world(name)
        scene.view_settings.view_transform = scene.get(VIEW_TRANSFORM, scene.view_settings.view_transform)
    light.set_world(world, rotation, strength)
    scene.world = world
    return world


def set_photo_expression(collection: bpy.types.Collection) -> None:
    """Dial the photo's expression in again."""
    head = collection[HEAD]
    mesh.set_expression(head, dict(head[EXPRESSION]))


def set_neutral_expression(collection: bpy.types.Collection) -> None:
    """Relax the face."""
    mesh.set_expression(collection[HEAD], {})
