"""The materials of an exported copy: surfaces and textures from the head's own, written once for all its levels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import bpy

from ..anatomy.parts import SKIN_PART
from ..scene.colour import set_space
from . import presets, surfaces
from .materials import export_material
from .mesh import move_to_tile
from .presets import Preset
from .skin_light import with_skin_light
from .textures import EXR, Surface, Texture, TextureChoices, textures_of


@dataclass(frozen=True)
class Dress:
    """What one part of a head looks like in a format.

    Args:
        surface: plain values.
        textures: by role, those that the format's material shows.
        beside: by role, those that are only written.
    """

    surface: Surface
    textures: Mapping[str, Texture]
    beside: Mapping[str, Texture]


def material_name(preset: Preset, stem: str, part: str) -> str:
    """Name of a part's material in the exported file."""
    return preset.material_name.format(stem=stem, part=presets.PART_LABELS.get(part, part))


def dresses_of(
    copy: bpy.types.Object,
    head: bpy.types.Object,
    slots: tuple[int, ...],
    preset: Preset,
    stem: str,
    choices: TextureChoices,
    metres: float,
    report: Callable[[float], None],
) -> dict[int, Dress]:
    """What the material slots of a head look like, by slot.

    Args:
        copy: the exported copy of the whole head, in metres.
        head: the head itself.
        slots: the head's slot for each of the copy's.
        preset: format.
        stem: goes into the names of the files.
        choices: which textures, and how.
        metres: what a unit of the scene is.
        report: gets the fraction done.
    """
    parts = surfaces.parts_of(head)
    kept = tuple(parts[slot] for slot in slots)
    dresses = {}
    for index, slot in enumerate(slots):
        part = parts[slot]
        material = head.material_slots[slot].material if slot < len(head.material_slots) else None
        surface = surfaces.surface_of(material, part)
        # The copy is in metres; the material counts in units of the scene.
        red, green, blue = (metres * length if part == SKIN_PART else 0.0 for length in surface.scatter)
        surface = replace(surface, scatter=(red, green, blue))
        if part == SKIN_PART:
            surface = with_skin_light(surface, copy.data, kept, occlusion=choices.occlusion)
        if choices.udim:
            # From its own tile, a part sees its texture only where that is repeated.
            surface = replace(surface, repeats=True)
        textures = textures_of(surface, preset, stem, choices)
        beside = {role: textures.pop(role) for role in presets.BESIDE if role in textures}
        dresses[slot] = Dress(surface, textures, beside)
        report((index + 1) / len(slots))
    return dresses


def put_on(
    copies: Mapping[bpy.types.Object, tuple[int, ...]],
    dresses: Mapping[int, Dress],
    out: Path,
    preset: Preset,
    stem: str,
    *,
    udim: bool,
) -> None:
    """Give copies materials that the format's exporter can read, with textures written to files.

    Args:
        copies: the head's slot for each slot of each copy.
        dresses: what the head's slots look like.
        out: folder of the exported file.
        preset: format.
        stem: goes into the names of materials and of the folder of textures.
        udim: whether each part has a tile of its own.
    """
    # Those exporters write textures themselves, into the file or into the folder.
    own = preset.writer == presets.GLTF or preset.suffix == ".usdz"
    folder = out.parent / "work" if own else out / presets.texture_folder(stem)
    materials = {}
    for slot in sorted({slot for slots in copies.values() for slot in slots}):
        dress = dresses[slot]
        if preset.has_folder:
            _write_files(dress.beside.values(), out / presets.texture_folder(stem))
        name = material_name(preset, stem, dress.surface.part)
        materials[slot] = export_material(name, dress.surface, _images(dress, folder), preset)
    for copy, slots in copies.items():
        for index, slot in enumerate(slots):
            copy.data.materials[index] = materials[slot]
            if udim:
                move_to_tile(copy.data, index, presets.tile_of(dresses[slot].surface.part))


def _images(dress: Dress, folder: Path) -> dict[str, bpy.types.Image]:
    """Write the files of a surface and load them as images of their names."""
    images = {}
    for texture, path in zip(dress.textures.values(), _write_files(dress.textures.values(), folder), strict=True):
        image = bpy.data.images.load(str(path))
        image.name = texture.name
        if texture.depth != EXR or not texture.srgb:
            # Colours in OpenEXR files are linear, and Blender takes them so.
            set_space(image, srgb=texture.srgb)
        # The alpha channel of Unity's maps is smoothness; it must not be multiplied in.
        image.alpha_mode = "STRAIGHT" if dress.surface.opacity is not None else "CHANNEL_PACKED"
        images[texture.role] = image
    return images


def _write_files(textures: Iterable[Texture], folder: Path) -> list[Path]:
    """Write textures into a folder, which is made where there is anything to write; levels share them."""
    paths = []
    for texture in textures:
        folder.mkdir(exist_ok=True)
        paths.append(folder / texture.file_name)
        if not paths[-1].exists():
            paths[-1].write_bytes(texture.encoded())
    return paths
