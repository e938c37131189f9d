"""The maps of a result besides the three that every skin has, kept with the head."""

from __future__ import annotations

from collections.abc import Mapping

import bpy

from .._shared import EXTRA_MAPS
from .images import image_from_bytes, remove_unused

# Custom properties of a head, one for each map; pointers, so that the images are saved.
PREFIX = "relightify_map_"
NAMES = tuple(spec.name for spec in EXTRA_MAPS)


def keep_extra_maps(head: bpy.types.Object, maps: Mapping[str, bytes]) -> None:
    """Store the extra maps of a result, as far as it has them, in the place of older ones.

    Raises:
        RelightifyError: ``bad_image`` where Blender cannot read a map.
    """
    old = [head.get(PREFIX + name) for name in NAMES]
    for name in NAMES:
        if PREFIX + name in head:
            del head[PREFIX + name]
    remove_unused(old)
    for name in NAMES:
        if name in maps:
            head[PREFIX + name] = extra_image(head.name, name, maps[name])


def extra_image(person: str, name: str, data: bytes) -> bpy.types.Image:
    """The image of an extra map: data, no colours."""
    return image_from_bytes(f"{person} {name}", bytes(data), srgb=False)
