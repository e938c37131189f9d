"""What differs between Blender versions; the only module that asks which one is running."""

from __future__ import annotations

import bpy


def eevee_engine() -> str:
    """The identifier of EEVEE: renamed in 4.2 and back in 5.0."""
    return "BLENDER_EEVEE" if bpy.app.version >= (5, 0, 0) else "BLENDER_EEVEE_NEXT"


def node_tree_of(owner: bpy.types.Material | bpy.types.World) -> bpy.types.NodeTree:
    """The node tree of a material or world; it always exists from 5.0, where `use_nodes` is deprecated."""
    if bpy.app.version < (5, 0, 0):
        owner.use_nodes = True
    return owner.node_tree


def disable_sun_extraction(world: bpy.types.World) -> None:
    """EEVEE 4.3+ turns bright spots of a world into a sun, whose hard shadow looks wrong on a small head."""
    if hasattr(world, "sun_threshold"):
        world.sun_threshold = 0.0


def add_shape_key(target: bpy.types.Object, name: str) -> bpy.types.ShapeKey:
    """A shape key of value 0; in 5.0 new ones start at 1."""
    key = target.shape_key_add(name=name, from_mix=False)
    key.value = 0.0
    return key


def blend_alpha(material: bpy.types.Material) -> None:
    """Soft transparency in EEVEE that still casts dithered shadows."""
    material.surface_render_method = "DITHERED"
