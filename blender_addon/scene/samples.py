"""Several completions of one photo: the skins of a head, to choose from."""

from __future__ import annotations

from collections.abc import Mapping

import bpy

from .. import compat
from .._shared import DIFFUSE_ALBEDO, NORMAL, SPECULAR_ALBEDO, RelightifyError, maps_of_sample, sample_count
from . import extra_maps
from .heads import HEAD
from .images import image_from_bytes
from .replacing import remove_unused

# The nodes of the skin's material that hold the maps; `materials.skin_material` names them.
NODES = {"Diffuse": DIFFUSE_ALBEDO, "Specular": SPECULAR_ALBEDO, "Normal": NORMAL}
PREFIX = "relightify_sample_"
SHOWN = "relightify_shown_sample"


def sample_numbers(collection: bpy.types.Collection) -> list[int]:
    """The numbers of a head's samples, from 1; empty where it has only one."""
    keys = [key for key in collection.keys() if key.startswith(PREFIX)]  # noqa: SIM118, no mapping of Python's
    return sorted({int(key.removeprefix(PREFIX).split("_")[0]) for key in keys})


def keep_samples(collection: bpy.types.Collection, maps: Mapping[str, bytes]) -> None:
    """Store the samples of a result with the head that shows the first of them; older ones are forgotten.

    Raises:
        RelightifyError: ``bad_image`` where Blender cannot read a map.
    """
    forget_samples(collection)
    if sample_count(maps) < 2:
        return
    nodes = skin_nodes(collection)
    for number in range(1, sample_count(maps) + 1):
        files = maps_of_sample(maps, number)
        for name, spec in NODES.items():
            image = nodes[name].image
            if number > 1:
                data, srgb = bytes(files[spec.name]), spec is DIFFUSE_ALBEDO
                image = image_from_bytes(f"{nodes[name].image.name} {number}", data, srgb=srgb)
            collection[f"{PREFIX}{number}_{name}"] = image
        for name in extra_maps.NAMES:
            image = collection.get(extra_maps.PREFIX + name)
            if image is not None:
                if number > 1:
                    image = extra_maps.extra_image(f"{collection[HEAD].name} {number}", name, files[name])
                collection[f"{PREFIX}{number}_{name}"] = image
    collection[SHOWN] = 1


def show_sample(collection: bpy.types.Collection, number: int) -> None:
    """Dress a head in one of its samples.

    Raises:
        RelightifyError: ``no_sample``.
    """
    if number not in sample_numbers(collection):
        raise RelightifyError("no_sample", f"This head has no sample {number}.", "Reconstruct it with more samples.")
    for name, node in skin_nodes(collection).items():
        node.image = collection[f"{PREFIX}{number}_{name}"]
    for name in extra_maps.NAMES:
        kept = collection.get(f"{PREFIX}{number}_{name}")
        if kept is not None:
            collection[extra_maps.PREFIX + name] = kept
    collection[SHOWN] = number


def forget_samples(collection: bpy.types.Collection) -> None:
    """Let go of all samples but the one that is shown."""
    images = []
    for number in sample_numbers(collection):
        for name in (*NODES, *extra_maps.NAMES):
            key = f"{PREFIX}{number}_{name}"
            if key in collection:
                images.append(collection[key])
                del collection[key]
    if SHOWN in collection:
        del collection[SHOWN]
    remove_unused(images)


def skin_nodes(collection: bpy.types.Collection) -> dict[str, bpy.types.ShaderNode]:
    """The nodes with the skin's maps, as far as the user has left them."""
    material = next((m for m in collection[HEAD].data.materials if m is not None), None)
    nodes = compat.node_tree_of(material).nodes if material is not None else {}
    return {name: nodes[name] for name in NODES if name in nodes}
