"""One call from a head's skin to texture files alone, on its own or on other texture coordinates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import bpy

from .._shared import RelightifyError
from ..anatomy.parts import SKIN_PART
from ..scene.heads import units_per_metre
from . import presets, surfaces
from .baking import baked, correspondence, tiles_of
from .files import check_room, make_folder, publish, staging_folder
from .mesh import NEUTRAL, bake_likeness, copied_mesh
from .skin_light import with_skin_light
from .textures import Surface, TextureChoices, textures_of


@dataclass(frozen=True)
class BakeOptions:
    """What to bake the skin's maps to, and how.

    Args:
        preset: one of `export.presets.PRESETS`: names of the files, direction of normals, packing.
        uv_map: a UV map of the target.
        distance_m: how far the skin may lie from another mesh, metres.
        textures: which textures, and how they are stored; with `udim`, each tile of the target's UV map has files of
            its own, else only its unit square has.
    """

    preset: str
    uv_map: str
    distance_m: float = 0.01
    textures: TextureChoices = TextureChoices()


def bake_maps(
    context: bpy.types.Context,
    head: bpy.types.Object,
    target: bpy.types.Object,
    folder: str,
    options: BakeOptions,
    report: Callable[[float], None],
) -> tuple[Path, ...]:
    """Write the skin's maps as textures for a UV map of the head or of another mesh.

    Args:
        context: gives the scene.
        head: a head, in any mode.
        target: the head itself, or a mesh that lies on it.
        folder: for the files.
        options: what to write.
        report: gets the fraction done, 0 to 1.

    Returns:
        The files written.

    Raises:
        RelightifyError: ``no_preset``, ``no_uv_map``, ``nothing_to_bake``, ``no_skin``, ``read_only``, ``disk_full`` or
            ``cannot_write``; the folder then holds what it held before.
    """
    preset = presets.preset_named(options.preset)
    for thing in {head, target}:
        if thing.mode == "EDIT":
            thing.update_from_editmode()
    if options.uv_map not in target.data.uv_layers:
        named = ", ".join(layer.name for layer in target.data.uv_layers) or "none"
        raise RelightifyError(
            "no_uv_map", f"{target.name} has no UV map {options.uv_map!r}.", f"It has these: {named}."
        )
    stem = presets.clean_stem(target.name)
    if not folder:
        raise RelightifyError("no_file_name", "There is no folder for the textures.", "Choose a folder.")
    out = Path(folder).expanduser().absolute() / stem
    make_folder(out)
    check_room(out)
    surface, slots = skin_surface(head, options.textures, 1 / units_per_metre(context.scene))
    size = min(options.textures.limit_px or _side(surface), 8192)
    distance = options.distance_m * units_per_metre(context.scene)
    tiles = tiles_of(target, options.uv_map) if options.textures.udim else [1001]
    files, empty = [], None
    with staging_folder(out) as staging:
        for number, tile in enumerate(tiles):
            progress = lambda part, number=number: report((number + 0.8 * part) / len(tiles))  # noqa: E731
            try:
                found = correspondence(head, slots, target, options.uv_map, size, tile, distance, progress)
            except RelightifyError as error:
                # Other tiles of a body have no face on them.
                empty = error
                continue
            named = tile if options.textures.udim else None
            choices = replace(options.textures, udim=False)
            for texture in textures_of(baked(surface, found), preset, stem, choices, named).values():
                path = staging / texture.file_name
                path.write_bytes(texture.encoded())
                files.append(path)
        if empty is not None and not files:
            raise empty
        return publish(staging, out)


def skin_surface(head: bpy.types.Object, choices: TextureChoices, metres: float) -> tuple[Surface, list[int]]:
    """The surface of a head's skin on its own texture coordinates, and the material slots that are skin.

    Args:
        head: a head.
        choices: whether occlusion is wanted.
        metres: what a unit of the scene is.

    Raises:
        RelightifyError: ``no_skin`` where no material is the skin's.
    """
    parts = surfaces.parts_of(head)
    slots = [slot for slot, part in enumerate(parts) if part == SKIN_PART and slot < len(head.material_slots)]
    if not slots:
        raise RelightifyError(
            "no_skin", f"{head.name} has no skin material.", "Give it back the material it came with."
        )
    surface = surfaces.surface_of(head.material_slots[slots[0]].material, SKIN_PART)
    red, green, blue = (metres * length for length in surface.scatter)
    surface = replace(surface, scatter=(red, green, blue))
    mesh, kept = copied_mesh(head, (), NEUTRAL, keep_animation=False, metres=metres)
    copy = bpy.data.objects.new("relightify bake", mesh)
    try:
        bake_likeness(copy)
        surface = with_skin_light(surface, mesh, tuple(parts[slot] for slot in kept), occlusion=choices.occlusion)
    finally:
        bpy.data.objects.remove(copy)
        bpy.data.meshes.remove(mesh)
    return surface, slots


def _side(surface: Surface) -> int:
    maps = (surface.colour_srgb, surface.normal, surface.specular)
    return max((max(image.shape[:2]) for image in maps if image is not None), default=1024)
