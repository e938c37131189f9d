"""Worlds: the photo's own light, and Blender's studio HDRIs."""

from __future__ import annotations

import os

import bpy
import numpy as np

from . import compat
from ._shared import RelightifyError
from .images import radiance_image

STUDIO_LIGHTS = ("city", "courtyard", "forest", "interior", "night", "studio", "sunrise", "sunset")


WALL_ALBEDO = 0.15
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def studio_light_path(name: str) -> str:
    """Path of one of the HDRIs that come with Blender.

    Raises:
        RelightifyError: ``no_studio_light`` where there is none of that name.
    """
    folder = bpy.utils.system_resource("DATAFILES", path=os.path.join("studiolights", "world"))
    path = os.path.join(folder, f"{name}.exr")
    if not folder or not os.path.isfile(path):
        raise RelightifyError(
            "no_studio_light", f"Blender has no studio light {name!r}.", f"Use one of {', '.join(STUDIO_LIGHTS)}."
        )
    return path


def studio_world(light: str) -> bpy.types.World:
    """The world of a studio HDRI, made once per file.

    Raises:
        RelightifyError: ``no_studio_light`` where there is none of that name.
    """
    name = f"Relightify {light}"
    world = bpy.data.worlds.get(name)
    if world is not None:
        return world
    image = bpy.data.images.load(studio_light_path(light), check_existing=True)
    return build_world(name, image)


def environment_world(name: str, radiance: np.ndarray) -> bpy.types.World:
    """A world from linear radiance float32 [H, 2H, 3], equirectangular in Blender's layout, row 0 at the top.

    A face says little of the light behind it, so the camera sees a grey wall in that light instead.
    """
    world = build_world(name, radiance_image(name, radiance))
    tree = compat.node_tree_of(world)
    backdrop = tree.nodes.new("ShaderNodeBackground")
    ray = tree.nodes.new("ShaderNodeLightPath")
    mix = tree.nodes.new("ShaderNodeMixShader")
    output = next(n for n in tree.nodes if n.type == "OUTPUT_WORLD")
    backdrop.name = "Backdrop"
    backdrop.inputs["Color"].default_value = (*(wall_radiance(radiance),) * 3, 1.0)
    ray.location, backdrop.location, mix.location = (-50, 350), (-50, -200), (200, 100)
    tree.links.new(ray.outputs["Is Camera Ray"], mix.inputs[0])
    tree.links.new(tree.nodes["Strength"].outputs["Background"], mix.inputs[1])
    tree.links.new(backdrop.outputs["Background"], mix.inputs[2])
    tree.links.new(mix.outputs["Shader"], output.inputs["Surface"])
    return world


def wall_radiance(radiance: np.ndarray) -> float:
    """Radiance of a dark grey wall in the mean of an equirectangular light [H, 2H, 3]."""
    weight = np.cos((np.arange(len(radiance)) + 0.5) / len(radiance) * np.pi - np.pi / 2)
    mean = np.average(radiance.mean(axis=1), axis=0, weights=weight)
    return float(WALL_ALBEDO * mean @ LUMINANCE)


def build_world(name: str, image: bpy.types.Image) -> bpy.types.World:
    """A world lit by an equirectangular image, with rotation and strength to turn (`set_world`)."""
    world = bpy.data.worlds.new(name)
    tree = compat.node_tree_of(world)
    tree.nodes.clear()
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    mapping = tree.nodes.new("ShaderNodeMapping")
    texture = tree.nodes.new("ShaderNodeTexEnvironment")
    background = tree.nodes.new("ShaderNodeBackground")
    output = tree.nodes.new("ShaderNodeOutputWorld")
    for column, node in enumerate((coordinates, mapping, texture, background)):
        node.location = (-1000 + 250 * column, 0)
    output.location = (450, 0)
    mapping.name = "Rotation"
    mapping.vector_type = "POINT"
    background.name = "Strength"
    texture.image = image
    tree.links.new(coordinates.outputs["Generated"], mapping.inputs["Vector"])
    tree.links.new(mapping.outputs["Vector"], texture.inputs["Vector"])
    tree.links.new(texture.outputs["Color"], background.inputs["Color"])
    tree.links.new(background.outputs["Background"], output.inputs["Surface"])
    compat.disable_sun_extraction(world)
    return world


def set_world(world: bpy.types.World, rotation: float, strength: float) -> None:
    """Turn a world of ours about the vertical axis (radians) and scale its radiance; other worlds stay as they are."""
    nodes = compat.node_tree_of(world).nodes
    if "Rotation" in nodes and "Strength" in nodes:
        nodes["Rotation"].inputs["Rotation"].default_value[2] = rotation
        nodes["Strength"].inputs["Strength"].default_value = strength
