"""The maps of a result besides the three that every skin has, kept with the head also where no material shows them."""

from __future__ import annotations

from collections.abc import Mapping

import bpy

from ..._shared import EXTRA_MAPS
from ..heads import skin_nodes
from ..images import image_from_bytes, remove_unused

# Custom properties of a head, one for each map; pointers, so that the images are saved.
MAP_PREFIX = "relightify_map_"


def keep_extra_maps(head: bpy.types.Object, maps: Mapping[str, bytes]) -> None:
    """Store the extra maps of a result, as far as it has them, in the place of older ones.

    Raises:
        RelightifyError: ``bad_image`` where Blender cannot read a map.
    """
    old = [head.get(MAP_PREFIX + spec.name) for spec in EXTRA_MAPS]
    for spec in EXTRA_MAPS:
        if MAP_PREFIX + spec.name in head:
            del head[MAP_PREFIX + spec.name]
    remove_unused(old)
    for spec in EXTRA_MAPS:
        if spec.name in maps:
            shown = [node.image for node in skin_nodes(head, spec.name) if node.image is not None]
            head[MAP_PREFIX + spec.name] = (
                shown[0] if shown else image_from_bytes(f"{head.name} {spec.name}", maps[spec.name], srgb=spec.srgb)
            )
