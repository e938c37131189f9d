"""Worlds to relight with: HDRIs of Blender and of the user, and a plain backdrop."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from .. import compat
from .._shared import RelightifyError
from ..scene.heads import MAP
from ..scene.world import BACKDROP, ENVIRONMENT, HIDE, ROTATION, STRENGTH, WALL_RADIANCE, build_world, node_for

# Custom property of a world that we made, but for the photos' own: what lights it.
LIGHT = "relightify_light"
# Of a copy, the linked world that it was made of.
SOURCE = "relightify_source"
STUDIO, IMAGE, PLAIN = "studio", "image", "plain"

# The HDRIs that come with every Blender; their place here is how .blend files remember them.
STUDIO_LIGHTS = ("city", "courtyard", "forest", "interior", "night", "studio", "sunrise", "sunset")


@dataclass(frozen=True)
class StudioLight:
    """An HDRI that Blender knows of.

    Args:
        name: what we call it: the file's stem for Blender's own, the whole file name for the user's.
        path: the image file.
        icon: number of Blender's own rendered preview, 0 without a window.
    """

    name: str
    path: str
    icon: int


def studio_lights(preferences: bpy.types.Preferences) -> tuple[StudioLight, ...]:
    """Blender's studio HDRIs, then those that the user has installed in Preferences > Lights, by name."""
    found = []
    for light in preferences.studio_lights:
        if light.type == "WORLD":
            stem = Path(light.name).stem
            is_own = not light.is_user_defined and stem in STUDIO_LIGHTS
            found.append(StudioLight(stem if is_own else light.name, light.path, bpy.types.UILayout.icon(light)))
    return tuple(sorted(found, key=lambda light: (light.name not in STUDIO_LIGHTS, light.name)))


def studio_light_path(name: str) -> str:
    """Path of a studio HDRI by the name that `studio_lights` gives it.

    Raises:
        RelightifyError: ``no_studio_light`` where there is none of that name.
    """
    lights = studio_lights(bpy.context.preferences)
    path = next((light.path for light in lights if light.name == name), "")
    if not os.path.isfile(path):
        # Some builds of Blender list their lights only once a window is open.
        folder = bpy.utils.system_resource("DATAFILES", path=os.path.join("studiolights", "world"))
        path = os.path.join(folder, f"{name}.exr")
    if not os.path.isfile(path):
        known = ", ".join(light.name for light in lights) or ", ".join(STUDIO_LIGHTS)
        raise RelightifyError("no_studio_light", f"Blender has no studio light {name!r}.", f"Use one of {known}.")
    return path


def studio_world(name: str) -> bpy.types.World:
    """The world of a studio HDRI, made once per file.

    Raises:
        RelightifyError: ``no_studio_light`` where there is none of that name.
    """
    world = our_world(f"{STUDIO} {name}", (ROTATION, STRENGTH, HIDE))
    if world is None:
        image = bpy.data.images.load(studio_light_path(name))
        # Its path is one machine's and one Blender's.
        image.pack()
        world = build_world(f"Relightify {name}", image)
        world[LIGHT] = f"{STUDIO} {name}"
    return world


def image_world(image: bpy.types.Image) -> bpy.types.World:
    """The world of any equirectangular image of this file, made once per image."""
    for world in bpy.data.worlds:
        texture = node_for(world, ENVIRONMENT) if world.get(LIGHT) == IMAGE and world.library is None else None
        if texture is not None and texture.image == image:
            return world
    world = build_world(f"Relightify image {image.name}", image)
    world[LIGHT] = IMAGE
    return world


def plain_world() -> bpy.types.World:
    """A dim grey world that leaves the lighting to lamps, made once per file."""
    world = our_world(PLAIN, (STRENGTH,))
    if world is not None:
        return world
    world = bpy.data.worlds.new("Relightify plain")
    world[LIGHT] = PLAIN
    tree = compat.node_tree_of(world)
    tree.nodes.clear()
    background = tree.nodes.new("ShaderNodeBackground")
    output = tree.nodes.new("ShaderNodeOutputWorld")
    output.location = (250, 0)
    background.name = background[MAP] = STRENGTH
    background.inputs["Color"].default_value = (WALL_RADIANCE, WALL_RADIANCE, WALL_RADIANCE, 1.0)
    tree.links.new(background.outputs["Background"], output.inputs["Surface"])
    compat.disable_sun_extraction(world)
    return world


def our_world(light: str, roles: Sequence[str]) -> bpy.types.World | None:
    """This file's world of a light, if it still has the nodes that we turn; the user may have rebuilt it."""
    found = (w for w in bpy.data.worlds if w.get(LIGHT) == light and w.library is None)
    return next((w for w in found if all(node_for(w, role) is not None for role in roles)), None)


def own_world(world: bpy.types.World) -> bpy.types.World:
    """A world that can be turned and saved: itself, or this file's copy of one that is linked from another file."""
    if world.library is None:
        return world
    copies = (w for w in bpy.data.worlds if w.library is None and w.get(SOURCE) == world)
    copy = next(copies, None)
    if copy is None:
        copy = world.copy()
        copy[SOURCE] = world
    return copy


def load_light_image(path: str) -> bpy.types.Image:
    """An image file to light with, as a relative path is meant by the .blend file.

    Raises:
        RelightifyError: ``bad_light_image`` where Blender cannot read it.
    """
    try:
        image = bpy.data.images.load(bpy.path.abspath(path), check_existing=True)
    except RuntimeError as error:
        raise RelightifyError(
            "bad_light_image", f"{Path(path).name} cannot be opened.", "Choose an HDR, EXR or any other image file."
        ) from error
    if min(image.size) == 0:
        bpy.data.images.remove(image)
        raise RelightifyError(
            "bad_light_image", f"Blender cannot read {Path(path).name}.", "Choose an HDR, EXR or any other image file."
        )
    return image


def needs_packing(image: bpy.types.Image) -> bool:
    """Whether an image is in a file of its own, which another machine may not have."""
    return image.source == "FILE" and image.packed_file is None and image.library is None and bool(image.filepath)


def set_world(world: bpy.types.World, rotation: float, strength: float, show_backdrop: bool | None = None) -> None:
    """Turn a world of ours and scale its radiance; nodes that a world lacks are left alone.

    Args:
        world: the world.
        rotation: radians about the vertical axis.
        strength: factor on the radiance.
        show_backdrop: whether the camera sees the image; None leaves that as it is.
    """
    mapping, wall = node_for(world, ROTATION), node_for(world, HIDE)
    if mapping is not None:
        mapping.inputs["Rotation"].default_value[2] = rotation
    for background in (node_for(world, STRENGTH), node_for(world, BACKDROP)):
        if background is not None:
            background.inputs["Strength"].default_value = strength
    if show_backdrop is not None and wall is not None:
        wall.inputs[1].default_value = 0.0 if show_backdrop else 1.0
