"""The world that an equirectangular image lights, above all the photo's own light."""

from __future__ import annotations

import bpy
import numpy as np

from .. import compat
from .colour import plain_view
from .heads import MAP, VIEW_TRANSFORM
from .images import radiance_image

WALL_ALBEDO = 0.15
WALL_RADIANCE = 0.04
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])

# Roles of the nodes that `set_world` turns.
ROTATION, STRENGTH, BACKDROP, HIDE = "Rotation", "Strength", "Backdrop", "Hide light from camera"
ENVIRONMENT = "Environment"


def environment_world(name: str, radiance: np.ndarray) -> bpy.types.World:
    """A world from linear radiance float32 [H, 2H, 3], equirectangular in Blender's layout, row 0 at the top.

    A face says little of the light behind it, so the camera sees a grey wall in that light instead.
    """
    world = build_world(name, radiance_image(name, radiance), wall_radiance(radiance), hidden=True)
    compat.disable_sun_extraction(world)
    return world


def wall_radiance(radiance: np.ndarray) -> float:
    """Radiance of a dark grey wall in the mean of an equirectangular light [H, 2H, 3]."""
    weight = np.cos((np.arange(len(radiance)) + 0.5) / len(radiance) * np.pi - np.pi / 2)
    mean = np.average(radiance.mean(axis=1), axis=0, weights=weight)
    return float(WALL_ALBEDO * mean @ LUMINANCE)


def build_world(
    name: str, image: bpy.types.Image, wall: float = WALL_RADIANCE, *, hidden: bool = False
) -> bpy.types.World:
    """A world lit by an equirectangular image, with rotation, strength and backdrop to set (`set_world`).

    Args:
        name: of the new world.
        image: equirectangular, Blender's layout.
        wall: radiance of the grey that the camera sees where the image itself is hidden from it.
        hidden: whether it is.
    """
    world = bpy.data.worlds.new(name)
    tree = compat.node_tree_of(world)
    tree.nodes.clear()
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    mapping = tree.nodes.new("ShaderNodeMapping")
    texture = tree.nodes.new("ShaderNodeTexEnvironment")
    background = tree.nodes.new("ShaderNodeBackground")
    ray = tree.nodes.new("ShaderNodeLightPath")
    hide = tree.nodes.new("ShaderNodeMath")
    backdrop = tree.nodes.new("ShaderNodeBackground")
    mix = tree.nodes.new("ShaderNodeMixShader")
    output = tree.nodes.new("ShaderNodeOutputWorld")
    for column, node in enumerate((coordinates, mapping, texture, background, mix, output)):
        node.location = (-1000 + 250 * column, 0)
    ray.location, hide.location, backdrop.location = (-500, 350), (-250, 200), (-250, -200)
    for node, role in (
        (mapping, ROTATION),
        (background, STRENGTH),
        (backdrop, BACKDROP),
        (hide, HIDE),
        (texture, ENVIRONMENT),
    ):
        node.name = node[MAP] = role
    mapping.vector_type = "POINT"
    backdrop.inputs["Color"].default_value = (wall, wall, wall, 1.0)
    hide.label = HIDE
    hide.operation = "MULTIPLY"
    hide.inputs[1].default_value = float(hidden)
    texture.image = image
    tree.links.new(coordinates.outputs["Generated"], mapping.inputs["Vector"])
    tree.links.new(mapping.outputs["Vector"], texture.inputs["Vector"])
    tree.links.new(texture.outputs["Color"], background.inputs["Color"])
    tree.links.new(ray.outputs["Is Camera Ray"], hide.inputs[0])
    tree.links.new(hide.outputs["Value"], mix.inputs[0])
    tree.links.new(background.outputs["Background"], mix.inputs[1])
    tree.links.new(backdrop.outputs["Background"], mix.inputs[2])
    tree.links.new(mix.outputs["Shader"], output.inputs["Surface"])
    compat.soften_sun_extraction(world)
    return world


def node_for(world: bpy.types.World | None, role: str) -> bpy.types.ShaderNode | None:
    """The node of a world of ours with a role, whatever it is called by now; None where it is gone."""
    tree = world.node_tree if world is not None else None
    return next((node for node in tree.nodes if node.get(MAP) == role), None) if tree is not None else None


def show_photo_light(scene: bpy.types.Scene, world: bpy.types.World) -> None:
    """Light a scene with a photo's light, and without a film look, or it would not match the photo.

    Where the colour configuration has no view without one, the scene keeps its view.
    """
    scene.world = world
    view = plain_view(scene)
    if view is None:
        return
    if VIEW_TRANSFORM not in scene:
        scene[VIEW_TRANSFORM] = scene.view_settings.view_transform
    scene.view_settings.view_transform = view
