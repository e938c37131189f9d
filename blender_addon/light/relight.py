"""Lighting a scene: which world, how it is turned, and the film look that goes with it."""

from __future__ import annotations

from dataclasses import dataclass

import bpy

from .._shared import RelightifyError
from ..scene.colour import set_view
from ..scene.heads import VIEW_TRANSFORM, WORLD
from ..scene.photos.head_photos import world_of
from ..scene.world import show_photo_light
from . import worlds

PHOTO, HDRI, IMAGE, PLAIN = "PHOTO", "HDRI", "IMAGE", "PLAIN"


@dataclass(frozen=True)
class LightChoice:
    """What lights the scene.

    Args:
        source: `PHOTO`, `HDRI`, `IMAGE` or `PLAIN`.
        studio_light: for `HDRI`, a name of `worlds.studio_lights`.
        image: for `IMAGE`, an equirectangular image.
        rotation: radians about the vertical axis.
        strength: factor on the radiance.
        photo: for `PHOTO` of a head that was made from several, whose light it is, by number; 0 for the first.
        show_backdrop: whether the camera sees HDRI or image; the photo's light and the plain world are never seen.
    """

    source: str
    studio_light: str = ""
    image: bpy.types.Image | None = None
    rotation: float = 0.0
    strength: float = 1.0
    photo: int = 0
    show_backdrop: bool = True


def light_scene(scene: bpy.types.Scene, head: bpy.types.Object | None, choice: LightChoice) -> bpy.types.World:
    """Give a scene the world of a choice.

    Args:
        scene: gets the world, and the view transform that suits it.
        head: the one whose photo light is meant; unused otherwise.
        choice: what lights the scene.

    Raises:
        RelightifyError: ``no_head``, there is no photo light; ``no_studio_light``; ``no_light_image``, no image is
            chosen.
    """
    world = _world_of(head, choice)
    show = choice.show_backdrop if choice.source in (HDRI, IMAGE) else None
    worlds.set_world(world, choice.rotation, choice.strength, show)
    if choice.source == PHOTO:
        show_photo_light(scene, world)
        return world
    if VIEW_TRANSFORM in scene:
        # Taken out, so that a look that the user sets from now on stays.
        set_view(scene, scene[VIEW_TRANSFORM])
        del scene[VIEW_TRANSFORM]
    scene.world = world
    return world


def _world_of(head: bpy.types.Object | None, choice: LightChoice) -> bpy.types.World:
    if choice.source == PHOTO:
        world = world_of(head, choice.photo) if head is not None and choice.photo else None
        # Another head may have no such photo.
        world = world or (head.get(WORLD) if head is not None else None)
        if world is None:
            raise RelightifyError("no_head", "There is no head with a photo light.", "Reconstruct one first.")
        return worlds.own_world(world)
    if choice.source == HDRI:
        return worlds.studio_world(choice.studio_light)
    if choice.source == IMAGE:
        if choice.image is None:
            raise RelightifyError("no_light_image", "No image is chosen.", "Open an HDRI or pick a loaded image.")
        return worlds.image_world(choice.image)
    return worlds.plain_world()
