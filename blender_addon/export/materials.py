"""Materials that live for the length of an export, wired as the exporter of a format can read them."""

from __future__ import annotations

from collections.abc import Mapping

import bpy

from .. import compat
from ..scene.mesh import UV_NAME
from . import presets
from .presets import Preset
from .textures import Surface, base_roughness


def export_material(
    name: str, surface: Surface, images: Mapping[str, bpy.types.Image], preset: Preset
) -> bpy.types.Material:
    """A Principled material with the nodes that Blender's exporter of the preset's format understands.

    The exporters read different graphs: glTF wants the specular map through *Separate Color* and *Math*, FBX and USD
    want it linked directly and drop it otherwise.

    Args:
        name: name of the material in the file.
        surface: plain values.
        images: image by role, see `export.presets`.
        preset: format.
    """
    material = bpy.data.materials.new(name)
    # Thin strips and the inside of the mouth are seen from behind, closed surfaces are not.
    material.use_backface_culling = surface.part in ("skin", "eye_left", "eye_right", "tongue")
    tree = compat.node_tree_of(material)
    tree.nodes.clear()
    shader = tree.nodes.new("ShaderNodeBsdfPrincipled")
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(shader.outputs["BSDF"], output.inputs["Surface"])
    shader.inputs["Base Color"].default_value = (*surface.colour, 1.0)
    shader.inputs["Roughness"].default_value = base_roughness(surface, preset)
    shader.inputs["IOR"].default_value = surface.ior
    shader.inputs["Specular IOR Level"].default_value = surface.specular_level
    if preset.has_coat:
        shader.inputs["Coat Weight"].default_value = surface.coat
        shader.inputs["Coat Roughness"].default_value = surface.coat_roughness
    _wire_colour(tree, shader, surface, images)
    _wire_specular(tree, shader, surface, images)
    _wire_roughness(tree, shader, surface, images, preset)
    for role, socket in ((presets.NORMAL, "Normal"), (presets.COAT_NORMAL, "Coat Normal")):
        if role in images:
            _wire_normal(tree, shader, _texture(tree, images[role], surface), socket)
    return material


def _texture(tree: bpy.types.NodeTree, image: bpy.types.Image, surface: Surface) -> bpy.types.Node:
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    node.extension = "REPEAT" if surface.repeats else "EXTEND"
    return node


def _wire_colour(
    tree: bpy.types.NodeTree, shader: bpy.types.Node, surface: Surface, images: Mapping[str, bpy.types.Image]
) -> None:
    if presets.COLOUR not in images:
        return
    node = _texture(tree, images[presets.COLOUR], surface)
    tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
    if surface.opacity is not None:
        tree.links.new(node.outputs["Alpha"], shader.inputs["Alpha"])


def _wire_specular(
    tree: bpy.types.NodeTree, shader: bpy.types.Node, surface: Surface, images: Mapping[str, bpy.types.Image]
) -> None:
    target = shader.inputs["Specular IOR Level"]
    if presets.SPECULAR_TWICE in images:
        separate = tree.nodes.new("ShaderNodeSeparateColor")
        half = tree.nodes.new("ShaderNodeMath")
        half.operation = "MULTIPLY"
        half.inputs[1].default_value = 0.5
        tree.links.new(
            _texture(tree, images[presets.SPECULAR_TWICE], surface).outputs["Color"], separate.inputs["Color"]
        )
        tree.links.new(separate.outputs["Red"], half.inputs[0])
        tree.links.new(half.outputs["Value"], target)
        return
    for role in (presets.SPECULAR, presets.SPECULAR_GLOSS):
        if role in images:
            tree.links.new(_texture(tree, images[role], surface).outputs["Color"], target)


def _wire_roughness(
    tree: bpy.types.NodeTree,
    shader: bpy.types.Node,
    surface: Surface,
    images: Mapping[str, bpy.types.Image],
    preset: Preset,
) -> None:
    if preset.writer == presets.GLTF:
        _wire_packed(tree, shader, surface, images)
    elif presets.ROUGHNESS in images:
        output = _texture(tree, images[presets.ROUGHNESS], surface).outputs["Color"]
        tree.links.new(output, shader.inputs["Roughness"])


def _wire_packed(
    tree: bpy.types.NodeTree, shader: bpy.types.Node, surface: Surface, images: Mapping[str, bpy.types.Image]
) -> None:
    """Occlusion, roughness and metalness where glTF has them: red, green and blue of one texture, or of two."""
    for role in (presets.ROUGHNESS, presets.OCCLUSION, presets.ORM):
        if role in images:
            separate = tree.nodes.new("ShaderNodeSeparateColor")
            tree.links.new(_texture(tree, images[role], surface).outputs["Color"], separate.inputs["Color"])
            if role in (presets.ROUGHNESS, presets.ORM):
                tree.links.new(separate.outputs["Green"], shader.inputs["Roughness"])
            if role == presets.ORM:
                tree.links.new(separate.outputs["Blue"], shader.inputs["Metallic"])
            if role in (presets.OCCLUSION, presets.ORM):
                output = tree.nodes.new("ShaderNodeGroup")
                output.node_tree = _gltf_output()
                tree.links.new(separate.outputs["Red"], output.inputs["Occlusion"])


def _gltf_output() -> bpy.types.NodeTree:
    """The group of nodes by whose name Blender's exporter knows occlusion, which no shader has a socket for."""
    tree = bpy.data.node_groups.new("glTF Material Output", "ShaderNodeTree")
    tree.interface.new_socket("Occlusion", in_out="INPUT", socket_type="NodeSocketFloat")
    return tree


def _wire_normal(tree: bpy.types.NodeTree, shader: bpy.types.Node, texture: bpy.types.Node, socket: str) -> None:
    node = tree.nodes.new("ShaderNodeNormalMap")
    node.uv_map = UV_NAME
    tree.links.new(texture.outputs["Color"], node.inputs["Color"])
    tree.links.new(node.outputs["Normal"], shader.inputs[socket])
