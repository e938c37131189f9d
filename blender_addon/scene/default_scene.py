"""The cube and the lamp of Blender's default scene, which nobody has asked for: put away where they are untouched."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix, Vector

from .. import compat

# As Blender's startup file has them, in every version since 2.80.
LAMP_PLACE, LAMP_WATTS = Vector((4.0762, 1.0055, 5.9039)), 1000.0
CUBE_GREY = 0.8


def hide_default_objects(layer: bpy.types.ViewLayer) -> tuple[bpy.types.Object, ...]:
    """Hide the default cube and lamp from view and render where they are as Blender made them.

    Args:
        layer: its objects are looked at.

    Returns:
        what was hidden.
    """
    found = [thing for thing in layer.objects if is_default_cube(thing) or is_default_lamp(thing)]
    hidden = [thing for thing in found if thing.visible_get(view_layer=layer)]
    for thing in hidden:
        thing.hide_set(True, view_layer=layer)
        thing.hide_render = True
    return tuple(hidden)


def is_default_cube(thing: bpy.types.Object) -> bool:
    """Whether an object is a cube as Blender begins with, unmoved, unedited and in plain grey."""
    if thing.type != "MESH" or not _is_untouched(thing) or not _is_near(thing.matrix_basis, Matrix()):
        return False
    mesh = thing.data
    if (len(mesh.vertices), len(mesh.edges), len(mesh.polygons)) != (8, 12, 6) or mesh.shape_keys is not None:
        return False
    at = np.empty(24, np.float32)
    mesh.vertices.foreach_get("co", at)
    return bool(np.all(np.abs(at) == 1)) and all(_is_plain(m) for m in mesh.materials)


def is_default_lamp(thing: bpy.types.Object) -> bool:
    """Whether an object is the lamp that Blender begins with, unmoved and as bright."""
    if thing.type != "LIGHT" or thing.data.type != "POINT" or not _is_untouched(thing):
        return False
    return (thing.location - LAMP_PLACE).length < 1e-3 and abs(thing.data.energy - LAMP_WATTS) < 1e-3


def _is_untouched(thing: bpy.types.Object) -> bool:
    changed = (thing.parent, thing.animation_data, thing.data.animation_data, thing.library, thing.override_library)
    return not any(changed) and not (thing.modifiers or thing.constraints or thing.children or list(thing.keys()))


def _is_near(a: Matrix, b: Matrix) -> bool:
    return bool(np.allclose(a, b, atol=1e-6))


def _is_plain(material: bpy.types.Material | None) -> bool:
    if material is None:
        return True
    nodes = compat.node_tree_of(material).nodes
    shader = next((node for node in nodes if node.type == "BSDF_PRINCIPLED"), None)
    if shader is None or len(nodes) != 2:
        return False
    return bool(np.allclose(shader.inputs["Base Color"].default_value[:3], CUBE_GREY, atol=1e-4))
