"""Maps that a job makes on demand, kept with the head: no material of ours shows them, artists wire them themselves."""

from __future__ import annotations

from collections.abc import Mapping

import bpy

from .._shared import EXTRA_MAPS
from .images import image_from_bytes
from .replacing import remove_unused

# Custom properties of a head's collection, one for each map; pointers, so that the images are saved.
PREFIX = "relightify_map_"
NAMES = tuple(spec.name for spec in EXTRA_MAPS)


def keep_extra_maps(collection: bpy.types.Collection, person: str, maps: Mapping[str, bytes]) -> None:
    """Store the extra maps of a result, as far as it has them, in the place of older ones.

    Raises:
        RelightifyError: ``bad_image`` where Blender cannot read a map.
    """
    old = [collection.get(PREFIX + name) for name in NAMES]
    for name in NAMES:
        if PREFIX + name in collection:
            del collection[PREFIX + name]
    remove_unused(old)
    for name in NAMES:
        if name in maps:
            collection[PREFIX + name] = extra_image(person, name, maps[name])


def extra_image(person: str, name: str, data: bytes) -> bpy.types.Image:
    """The image of an extra map: data, no colours."""
    return image_from_bytes(f"{person} {name}", bytes(data), srgb=False)
