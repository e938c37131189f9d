"""What the shapes of an exported copy are called, and the mouths of speech that are mixed from them."""

from __future__ import annotations

import bpy

from .. import compat
from ..expression.visemes import VISEMES
from .mesh import shape_coordinates

# As ARKit spells the 52, or as VRM's "perfect sync" does, with a capital at the front.
ARKIT, VRM = "ARKIT", "VRM"


def add_visemes(copy: bpy.types.Object) -> None:
    """Give an exported copy the fifteen visemes as further shapes; those of which it lacks a shape are left out."""
    keys = copy.data.shape_keys
    if keys is None:
        return
    basis = shape_coordinates(keys.reference_key)
    for viseme, mixture in VISEMES.items():
        if not set(mixture) <= set(keys.key_blocks.keys()):
            continue
        offsets = [value * (shape_coordinates(keys.key_blocks[name]) - basis) for name, value in mixture.items()]
        key = compat.add_shape_key(copy, viseme)
        key.data.foreach_set("co", (basis + sum(offsets)).ravel())


def rename_shapes(copy: bpy.types.Object, naming: str) -> None:
    """Spell the shapes of an exported copy as another program does; its animation goes along."""
    keys = copy.data.shape_keys
    if keys is None or naming == ARKIT:
        return
    # Names stand in the curves of the action, which the copy shares with the head in the scene.
    compat.own_action(keys)
    for key in keys.key_blocks[1:]:
        if key.name not in VISEMES:
            key.name = spelled(key.name, naming)


def spelled(name: str, naming: str) -> str:
    """The name of one of the 52 shapes as `ARKIT` or `VRM` spells it."""
    return name if naming == ARKIT else name[:1].upper() + name[1:]
