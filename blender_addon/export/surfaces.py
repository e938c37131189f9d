"""From the head's materials, as the artist left them, to plain surfaces with their maps."""

from __future__ import annotations

from itertools import zip_longest

import bpy
import numpy as np

from .._shared import DISPLACEMENT
from ..anatomy.paint import srgb_from_linear
from ..scene.colour import rec709
from ..scene.heads import MAP, PART
from ..scene.mesh import PARTS
from .textures import Surface

# Parts by material slot where a file from an older version does not say: the order of `head_model.npz`.
DEFAULT_PARTS = ("skin", "mouth", "eye_left", "eye_right", "teeth", "tongue", "lashes")


def parts_of(head: bpy.types.Object) -> tuple[str, ...]:
    """Name of the part that each material slot of a head belongs to, also where slots have been removed since."""
    named = tuple(head[PARTS].split(",")) if PARTS in head else DEFAULT_PARTS
    named += tuple(f"part{index}" for index in range(len(named), len(head.material_slots)))
    marks = [slot.material.get(PART) if slot.material is not None else None for slot in head.material_slots]
    return tuple(mark or name for mark, name in zip_longest(marks, named))


def surface_of(material: bpy.types.Material | None, part: str) -> Surface:
    """What a material looks like, read from its Principled BSDF; a plain surface where it has none."""
    shader = _principled(material)
    if shader is None:
        return Surface(part)
    colour = _image(shader, "Base Color")
    specular = _image(shader, "Specular IOR Level")
    opacity = _image(shader, "Alpha")
    roughness = _image(shader, "Roughness")
    normal = _image(shader, "Normal")
    coat_normal = _image(shader, "Coat Normal")
    height = next((n.image for n in shader.id_data.nodes if n.get(MAP) == DISPLACEMENT.name and n.image), None)
    return Surface(
        part=part,
        colour_srgb=None if colour is None else stored_pixels(colour.image)[..., :3],
        colour=_colour(shader),
        opacity=None if opacity is None else _opacity(shader, opacity),
        normal=None if normal is None else stored_pixels(normal.image)[..., :3],
        coat_normal=None if coat_normal is None else stored_pixels(coat_normal.image)[..., :3],
        specular=None if specular is None else stored_pixels(specular.image)[..., :1],
        specular_level=_number(shader, "Specular IOR Level"),
        roughness=_number(shader, "Roughness"),
        roughness_map=None if roughness is None else stored_pixels(roughness.image)[..., :1],
        scatter=_scatter(shader),
        displacement=None if height is None else stored_pixels(height)[..., :1],
        ior=_number(shader, "IOR"),
        coat=_number(shader, "Coat Weight"),
        coat_roughness=_number(shader, "Coat Roughness"),
        repeats=colour is None or colour.extension == "REPEAT",
    )


def stored_pixels(image: bpy.types.Image) -> np.ndarray:
    """Pixels float32 [H, W, 4] in [0, 1] as the file stores them, row 0 at the top, painted changes included."""
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    pixels = pixels.reshape(height, width, 4)[::-1]
    if image.is_float and not image.colorspace_settings.is_data:
        # Blender keeps such images in linear light, in the space of the scene.
        pixels = np.concatenate([srgb_from_linear(np.maximum(rec709(pixels[..., :3]), 0)), pixels[..., 3:]], axis=-1)
    return np.clip(pixels, 0, 1)


def _principled(material: bpy.types.Material | None) -> bpy.types.Node | None:
    if material is None or material.node_tree is None:
        return None
    return next((n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED"), None)


def _number(shader: bpy.types.Node, socket: str) -> float:
    return float(shader.inputs[socket].default_value)


def _scatter(shader: bpy.types.Node) -> tuple[float, float, float]:
    """How far light of each colour goes under the surface, in units of the object."""
    scale = _number(shader, "Subsurface Scale") if _number(shader, "Subsurface Weight") > 0 else 0.0
    red, green, blue = shader.inputs["Subsurface Radius"].default_value
    return scale * red, scale * green, scale * blue


def _colour(shader: bpy.types.Node) -> tuple[float, float, float]:
    red, green, blue, _ = shader.inputs["Base Color"].default_value
    red, green, blue = rec709(np.array((red, green, blue))).tolist()
    return red, green, blue


def _image(shader: bpy.types.Node, socket: str) -> bpy.types.Node | None:
    """The nearest image texture behind a socket, through whatever nodes lie between."""
    waiting, seen = [shader.inputs[socket]], set()
    while waiting:
        for link in waiting.pop(0).links:
            node = link.from_node
            if node.name in seen or link.is_muted:
                continue
            seen.add(node.name)
            if node.type == "TEX_IMAGE" and node.image is not None and min(node.image.size) > 0:
                return node
            waiting += list(node.inputs)
    return None


def _opacity(shader: bpy.types.Node, node: bpy.types.Node) -> np.ndarray:
    """Opacity [H, W, 1]: the alpha channel where that is wired, else the colour."""
    pixels = stored_pixels(node.image)
    uses_alpha = any(link.from_socket.name == "Alpha" for link in shader.inputs["Alpha"].links)
    return pixels[..., 3:] if uses_alpha else pixels[..., :1]
