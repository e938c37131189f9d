"""Materials of the head: plain functions from images and colours to Blender materials."""

from __future__ import annotations

from collections.abc import Mapping

import bpy
import numpy as np

from ... import compat
from ..._shared import (
    DIFFUSE_ALBEDO,
    DISPLACEMENT,
    DISPLACEMENT_RANGE_MM,
    DISPLACEMENT_ZERO,
    NORMAL,
    ROUGHNESS,
    SPECULAR_ALBEDO,
    MapSpec,
)
from ...anatomy.paint import linear_from_srgb
from ...anatomy.painted import EyeFiles, PaintedParts
from ..colour import scene_linear
from ..heads import MAP, PART
from ..images import image_from_bytes
from ..mesh import UV_NAME

# Metres in the object's space: from behind the lips to where no light comes any more, and how much is left there.
THROAT = (-0.015, 0.060)
THROAT_LIGHT = 0.15
MOUTH_TOP = -0.035
FLESH_SPECULAR = 0.3
# The lids' wet rims and the caruncle, linear: mucous membrane over pale cartilage.
LID_RIM = (0.62, 0.33, 0.28)
# Where no map says more.
PLAIN_ROUGHNESS = 0.5
# How solid view shows the parts, linear.
SOLID_COLOURS = {
    "mouth": (0.46, 0.15, 0.13),
    "tongue": (0.56, 0.22, 0.20),
    "teeth": (0.80, 0.74, 0.62),
    "lashes": (0.03, 0.02, 0.015),
    "eye_left": (0.85, 0.85, 0.85),
    "eye_right": (0.85, 0.85, 0.85),
}
# Texels that are looked at for the skin's, a side.
COLOUR_SAMPLES = 12
# Role of the node between the map of displacement and the surface.
RELIEF = "relief"


def build_materials(
    person: str,
    maps: Mapping[str, bytes],
    painted: PaintedParts,
    *,
    skin_only: bool = False,
    units_per_metre: float = 1.0,
) -> dict[str, bpy.types.Material]:
    """A material for each part of the head.

    Args:
        person: goes into the names.
        maps: PNG bytes by map name (`shared.maps`); diffuse albedo, specular albedo and normal are needed, roughness
            and displacement are wired where they are there.
        painted: images of eyes, teeth and lashes.
        skin_only: leave out all parts but the skin.
        units_per_metre: of the scene, in which light is scattered over true distances.

    Raises:
        KeyError: a map is missing.
        RelightifyError: ``bad_image`` where Blender cannot read a map.
    """
    materials = {"skin": skin_material(f"{person} skin", maps)}
    if not skin_only:
        materials |= {
            "mouth": mouth_material(f"{person} mouth"),
            "tongue": tongue_material(f"{person} tongue"),
            "teeth": teeth_material(f"{person} teeth", painted.teeth),
            "lashes": lash_material(f"{person} lashes", painted.lashes),
        }
        materials |= {
            part: eye_material(f"{person} {part.replace('_', ' ')}", eye) for part, eye in painted.eyes.items()
        }
    albedo = next(n.image for n in materials["skin"].node_tree.nodes if n.get(MAP) == DIFFUSE_ALBEDO.name)
    skin_colour = typical_colour(albedo)
    for part, material in materials.items():
        material[PART] = part
        material.diffuse_color = (*SOLID_COLOURS.get(part, skin_colour), 1.0)
        shader = shader_of(material)
        if shader is not None:
            shader.inputs["Subsurface Scale"].default_value *= units_per_metre
    return materials


def skin_material(name: str, maps: Mapping[str, bytes]) -> bpy.types.Material:
    """Skin: Principled BSDF with the three reflectance maps and subsurface scattering at true scale.

    The specular map holds F0 / 0.08, which is what *Specular IOR Level* takes while *IOR* stays 1.5; scattering
    inside the skin uses its own *Subsurface IOR* of 1.4. Diffusion lengths after Jensen et al. 2001, "A practical
    model for subsurface light transport" (skin: 3.67, 1.37, 0.68 mm), shortened because the albedo, taken from a
    photo, is blurred by scattering already.
    """
    material, tree, shader = _principled(name)
    rows = ((DIFFUSE_ALBEDO, "Diffuse", 400), (SPECULAR_ALBEDO, "Specular", 100), (NORMAL, "Normal", -200))
    diffuse, specular, normal = (
        _image_node(tree, map_image(f"{name} {label.lower()}", maps, spec), label, y, spec.name)
        for spec, label, y in rows
    )
    tree.links.new(diffuse.outputs["Color"], shader.inputs["Base Color"])
    tree.links.new(specular.outputs["Color"], shader.inputs["Specular IOR Level"])
    _normal_map(tree, normal, shader.inputs["Normal"], -200)
    if ROUGHNESS.name in maps:
        wire_roughness(material, map_image(f"{name} roughness", maps, ROUGHNESS))
    if DISPLACEMENT.name in maps:
        wire_displacement(material, map_image(f"{name} displacement", maps, DISPLACEMENT))
    _set(
        shader,
        {
            "Roughness": PLAIN_ROUGHNESS,
            "IOR": 1.5,
            "Subsurface Weight": 1.0,
            "Subsurface Radius": (1.0, 0.37, 0.19),
            "Subsurface Scale": 0.0025,
            "Subsurface IOR": 1.4,
            "Subsurface Anisotropy": 0.0,
            # The thin film of sebum over the skin gives a second, sharper highlight.
            "Coat Weight": 0.04,
            "Coat Roughness": 0.28,
            "Coat IOR": 1.45,
        },
    )
    return material


def typical_colour(image: bpy.types.Image) -> tuple[float, float, float]:
    """The median of an image of sRGB-encoded colours, linear, at a few of its texels."""
    width, height = image.size
    steps = (np.arange(COLOUR_SAMPLES) + 0.5) / COLOUR_SAMPLES
    # One read of all: Blender copies the whole image for every slice of it.
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    rows, columns = np.ix_((steps * height).astype(int), (steps * width).astype(int))
    texels = pixels.reshape(height, width, image.channels)[rows, columns, :3].reshape(-1, 3)
    # Around the skin's island the map is black.
    seen = texels[texels.max(axis=1) > 0.02]
    red, green, blue = linear_from_srgb(np.median(seen if len(seen) else texels, axis=0)).tolist()
    return red, green, blue


def wire_roughness(material: bpy.types.Material, image: bpy.types.Image) -> None:
    """Let an image say how rough the skin is."""
    shader = shader_of(material)
    if shader is not None:
        tree = compat.node_tree_of(material)
        node = _image_node(tree, image, "Roughness", -500, ROUGHNESS.name)
        tree.links.new(node.outputs["Color"], shader.inputs["Roughness"])


def wire_displacement(material: bpy.types.Material, image: bpy.types.Image) -> None:
    """Have an image of the skin's height ready, at its true scale, by a link that is muted.

    The normal map shows the same relief, and displacement needs a mesh as fine as the pores, so it is for close-ups.
    """
    tree = compat.node_tree_of(material)
    output = next((node for node in tree.nodes if node.type == "OUTPUT_MATERIAL"), None)
    if output is None:
        return
    node = _image_node(tree, image, "Displacement", -800, DISPLACEMENT.name)
    height = tree.nodes.new("ShaderNodeDisplacement")
    height.name = height.label = "Skin relief"
    height[MAP] = RELIEF
    height.location = (-300, -800)
    height.inputs["Midlevel"].default_value = DISPLACEMENT_ZERO
    height.inputs["Scale"].default_value = DISPLACEMENT_RANGE_MM / 1000
    tree.links.new(node.outputs["Color"], height.inputs["Height"])
    tree.links.new(height.outputs["Displacement"], output.inputs["Displacement"]).is_muted = True
    material.displacement_method = "DISPLACEMENT"


def unwire(material: bpy.types.Material, *roles: str) -> None:
    """Take nodes of some roles out of a material; what they were linked to has its plain value again."""
    nodes = compat.node_tree_of(material).nodes
    for node in [node for node in nodes if node.get(MAP) in roles]:
        nodes.remove(node)


def shader_of(material: bpy.types.Material) -> bpy.types.ShaderNode | None:
    """The Principled shader of a material."""
    return next((n for n in compat.node_tree_of(material).nodes if n.type == "BSDF_PRINCIPLED"), None)


def map_image(name: str, maps: Mapping[str, bytes], spec: MapSpec) -> bpy.types.Image:
    """The image of one of the skin's maps."""
    return image_from_bytes(name, maps[spec.name], srgb=spec.srgb)


def eye_material(name: str, files: EyeFiles) -> bpy.types.Material:
    """An eyeball in one surface: painted sclera and bowl-shaped iris under a clear coat that has the cornea's normals.

    One surface survives blinking lids, both render engines and export, which a glass shell over an iris does not.
    """
    material, tree, shader = _principled(name)
    colour = image_from_bytes(f"{name} colour", files.colour, srgb=True)
    bowl = image_from_bytes(f"{name} iris normal", files.iris_normal, srgb=False)
    cornea = image_from_bytes(f"{name} cornea normal", files.cornea_normal, srgb=False)
    colour_node = _image_node(tree, colour, "Colour", 400)
    bowl_node = _image_node(tree, bowl, "Iris normal", 100)
    cornea_node = _image_node(tree, cornea, "Cornea normal", -200)
    for node in (colour_node, bowl_node, cornea_node):
        node.extension = "EXTEND"
    tree.links.new(colour_node.outputs["Color"], shader.inputs["Base Color"])
    _normal_map(tree, bowl_node, shader.inputs["Normal"], 100)
    _normal_map(tree, cornea_node, shader.inputs["Coat Normal"], -200)
    _set(
        shader,
        {
            "Roughness": 0.45,
            "IOR": 1.4,
            # All gloss is the cornea's and the tear film's; a second one under it would veil dark irises in grey.
            "Specular IOR Level": 0.0,
            "Subsurface Weight": 0.12,
            "Subsurface Radius": (1.0, 0.6, 0.4),
            "Subsurface Scale": 0.002,
            "Coat Weight": 1.0,
            "Coat Roughness": 0.02,
            "Coat IOR": 1.376,
        },
    )
    return material


def mouth_material(name: str) -> bpy.types.Material:
    """The inside of the mouth and the rims of the lids: wet and dark pink."""
    return _flesh(name, (0.46, 0.15, 0.13), roughness=0.40)


def tongue_material(name: str) -> bpy.types.Material:
    """The tongue: lighter and rougher than the palate."""
    return _flesh(name, (0.56, 0.22, 0.20), roughness=0.45)


def teeth_material(name: str, colour_file: bytes) -> bpy.types.Material:
    """Painted teeth and gums under a wet coat."""
    material, tree, shader = _principled(name)
    colour = _image_node(tree, image_from_bytes(f"{name} colour", colour_file, srgb=True), "Colour", 200)
    tree.links.new(colour.outputs["Color"], shader.inputs["Base Color"])
    _set(
        shader,
        {
            "Roughness": 0.35,
            "IOR": 1.5,
            "Specular IOR Level": 0.3,
            "Subsurface Weight": 0.3,
            "Subsurface Radius": (1.0, 0.8, 0.6),
            "Subsurface Scale": 0.001,
            # A wet gleam, and no more: EEVEE cannot see that the lips stand in the way of most of it.
            "Coat Weight": 0.15,
            "Coat Roughness": 0.15,
            "Coat IOR": 1.33,
        },
    )
    return material


def lash_material(name: str, opacity_file: bytes) -> bpy.types.Material:
    """Lashes: thin dark hairs painted as opacity on the strips."""
    material, tree, shader = _principled(name)
    opacity = _image_node(tree, image_from_bytes(f"{name} opacity", opacity_file, srgb=False), "Opacity", 0)
    opacity.extension = "EXTEND"
    tree.links.new(opacity.outputs["Color"], shader.inputs["Alpha"])
    _set(shader, {"Base Color": (0.008, 0.006, 0.005, 1.0), "Roughness": 0.45, "Specular IOR Level": 0.3})
    compat.blend_alpha(material)
    return material


def _flesh(name: str, colour: tuple[float, float, float], roughness: float) -> bpy.types.Material:
    material, tree, shader = _principled(name)
    red, green, blue = scene_linear(np.array(colour)).tolist()
    _set(
        shader,
        {
            # What exporters read: they do not follow the nodes that darken the throat.
            "Base Color": (red, green, blue, 1.0),
            "Specular IOR Level": FLESH_SPECULAR,
            "Roughness": roughness,
            "IOR": 1.4,
            "Subsurface Weight": 0.8,
            "Subsurface Radius": (1.0, 0.3, 0.2),
            "Subsurface Scale": 0.003,
            "Subsurface IOR": 1.4,
        },
    )
    _darken_throat(tree, shader, (red, green, blue))
    return material


def _darken_throat(tree: bpy.types.NodeTree, shader: bpy.types.ShaderNode, colour: tuple[float, float, float]) -> None:
    """Let colour and gloss fade from the lips to the throat: in EEVEE an HDRI would light it as if there were no head.

    Where a point lies is read in the object's own space, in which the eyes are at the origin (DESIGN section 3); the
    rims of the lids, which share the material of the mouth, lie above `MOUTH_TOP` and have a colour of their own.
    """
    place = tree.nodes.new("ShaderNodeTexCoord")
    axes = tree.nodes.new("ShaderNodeSeparateXYZ")
    depth, above = tree.nodes.new("ShaderNodeMapRange"), tree.nodes.new("ShaderNodeMapRange")
    light, tint, gloss = (tree.nodes.new(f"ShaderNode{kind}") for kind in ("Math", "VectorMath", "Math"))
    rims = tree.nodes.new("ShaderNodeVectorMath")
    for column, node in enumerate((place, axes, depth, light, tint, rims)):
        node.location = (-1180 + 180 * column, 300)
    above.location, gloss.location = (-640, 20), (-280, 60)
    depth.interpolation_type = above.interpolation_type = "SMOOTHSTEP"
    for node, values in ((depth, (*THROAT, 1.0, THROAT_LIGHT)), (above, (MOUTH_TOP - 0.01, MOUTH_TOP, 0.0, 1.0))):
        for socket, value in zip(("From Min", "From Max", "To Min", "To Max"), values, strict=True):
            node.inputs[socket].default_value = value
    light.operation, tint.operation, gloss.operation = "MAXIMUM", "SCALE", "MULTIPLY"
    tint.inputs[0].default_value = colour
    rims.operation = "MULTIPLY_ADD"
    rims.inputs[1].default_value = scene_linear(np.array(LID_RIM)) - np.array(colour)
    gloss.inputs[1].default_value = FLESH_SPECULAR
    tree.links.new(place.outputs["Object"], axes.inputs[0])
    tree.links.new(axes.outputs["Y"], depth.inputs["Value"])
    tree.links.new(axes.outputs["Z"], above.inputs["Value"])
    tree.links.new(depth.outputs[0], light.inputs[0])
    tree.links.new(above.outputs[0], light.inputs[1])
    tree.links.new(light.outputs[0], tint.inputs["Scale"])
    tree.links.new(light.outputs[0], gloss.inputs[0])
    tree.links.new(above.outputs[0], rims.inputs[0])
    tree.links.new(tint.outputs["Vector"], rims.inputs[2])
    tree.links.new(rims.outputs["Vector"], shader.inputs["Base Color"])
    tree.links.new(gloss.outputs[0], shader.inputs["Specular IOR Level"])


def _principled(name: str) -> tuple[bpy.types.Material, bpy.types.NodeTree, bpy.types.ShaderNode]:
    material = bpy.data.materials.new(name)
    tree = compat.node_tree_of(material)
    tree.nodes.clear()
    shader = tree.nodes.new("ShaderNodeBsdfPrincipled")
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    shader.location, output.location = (0, 300), (350, 300)
    # The sockets "Subsurface IOR" and "Subsurface Anisotropy" exist with this method only.
    shader.subsurface_method = "RANDOM_WALK_SKIN"
    tree.links.new(shader.outputs["BSDF"], output.inputs["Surface"])
    return material, tree, shader


def _set(shader: bpy.types.ShaderNode, values: Mapping[str, object]) -> None:
    for socket, value in values.items():
        shader.inputs[socket].default_value = value


def _image_node(
    tree: bpy.types.NodeTree, image: bpy.types.Image, label: str, y: int, role: str = ""
) -> bpy.types.ShaderNode:
    """A node with an image; its role, the label where none is given, tells it from others whatever it is called."""
    node = tree.nodes.new("ShaderNodeTexImage")
    node.name = node.label = label
    node[MAP] = role or label
    node.image = image
    node.location = (-700, y)
    return node


def _normal_map(tree: bpy.types.NodeTree, image: bpy.types.ShaderNode, target: bpy.types.NodeSocket, y: int) -> None:
    node = tree.nodes.new("ShaderNodeNormalMap")
    node.uv_map = UV_NAME
    node.location = (-300, y)
    tree.links.new(image.outputs["Color"], node.inputs["Color"])
    tree.links.new(node.outputs["Normal"], target)
