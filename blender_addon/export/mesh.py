"""The copy of a head that is exported: its parts, its expression, its shape keys; the head itself stays untouched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import bmesh
import bpy
import numpy as np
from mathutils import Matrix

from .. import compat
from ..scene.mesh import HM08_ATTRIBUTE, LIKENESS
from .levels import make_coarser

# What to do with the expression.
CURRENT, NEUTRAL, APPLIED = "CURRENT", "NEUTRAL", "APPLIED"


def copied_mesh(
    head: bpy.types.Object,
    left_out: Iterable[int],
    expression: str,
    *,
    keep_animation: bool,
    metres: float = 1.0,
    shapes: Mapping[str, np.ndarray] | None = None,
    level: int = 0,
    parts: Sequence[str] = (),
) -> tuple[bpy.types.Mesh, tuple[int, ...]]:
    """A copy of a head's mesh, ready to be exported from the origin.

    Args:
        head: an imported head, in any mode.
        left_out: material slots whose faces are not wanted.
        expression: `CURRENT` keeps the shape keys' values, `NEUTRAL` sets them to 0, `APPLIED` freezes the face as it
            is and has no shape keys.
        keep_animation: keep an action of the shape keys.
        metres: what a unit of the scene is.
        shapes: where shape keys put the vertices instead, float [V, 3] by name, in the head's own space.
        level: of detail, 0 for the mesh as it is.
        parts: the part of each of the head's material slots; needed for other levels.

    Returns:
        A mesh of nobody's yet in metres, scaled as the head is in the scene, with empty material slots, and for each of
        its slots the slot of the head that it comes from. Slots without faces are gone.

    Raises:
        RelightifyError: ``no_levels`` where the mesh was edited.
    """
    if head.mode == "EDIT":
        # Brings the mesh up to date without leaving the mode.
        head.update_from_editmode()
    mesh = head.data.copy()
    for name in [a.name for a in mesh.attributes if a.name == HM08_ATTRIBUTE]:
        mesh.attributes.remove(mesh.attributes[name])
    if head.data.shape_keys is not None:
        # Also where they are driven or animated, these are the values of this moment.
        values = {k.name: k.value for k in head.data.shape_keys.key_blocks}
        if not keep_animation or expression != CURRENT:
            mesh.shape_keys.animation_data_clear()
        elif mesh.shape_keys.animation_data is not None:
            # Drivers would go on asking the head in the scene.
            for driver in list(mesh.shape_keys.animation_data.drivers):
                mesh.shape_keys.animation_data.drivers.remove(driver)
        for name, points in (shapes or {}).items():
            mesh.shape_keys.key_blocks[name].data.foreach_set("co", points.astype(np.float32).ravel())
        for key in mesh.shape_keys.key_blocks:
            keeps = expression != NEUTRAL or key.name.startswith(LIKENESS)
            key.value = values[key.name] if keeps else 0.0
    scale = metres * head.matrix_world.to_scale()
    if max(abs(s - 1) for s in scale) > 1e-5:
        mesh.transform(Matrix.Diagonal((*scale, 1.0)), shape_keys=True)
    if level:
        make_coarser(mesh, parts, level)
    return mesh, _remove_faces(mesh, set(left_out))


def bake_likeness(head: bpy.types.Object) -> None:
    """Turn the likeness sliders into the head's own shape, which all its expressions then have, and drop them.

    Args:
        head: the exported copy.
    """
    keys = head.data.shape_keys
    likeness = [key for key in keys.key_blocks if key.name.startswith(LIKENESS)] if keys is not None else []
    if not likeness:
        return
    moved = sum(
        key.value * (shape_coordinates(key) - shape_coordinates(key.relative_key)) for key in likeness if not key.mute
    )
    for key in likeness:
        head.shape_key_remove(key)
    for key in head.data.shape_keys.key_blocks:
        key.data.foreach_set("co", (shape_coordinates(key) + moved).astype(np.float32).ravel())
    head.data.vertices.foreach_set("co", shape_coordinates(head.data.shape_keys.reference_key).ravel())
    head.data.update()


def freeze_expression(head: bpy.types.Object) -> None:
    """Turn the shape keys' mix into the mesh's own shape and drop them.

    Args:
        head: the exported copy.
    """
    keys = head.data.shape_keys
    if keys is None:
        return
    mixed = shape_coordinates(keys.reference_key)
    for key in keys.key_blocks[1:]:
        if key.value and not key.mute:
            mixed += key.value * (shape_coordinates(key) - shape_coordinates(key.relative_key))
    head.shape_key_clear()
    head.data.vertices.foreach_set("co", mixed.ravel())
    head.data.update()


def subdivide(head: bpy.types.Object, layer: bpy.types.ViewLayer, levels: int) -> None:
    """Replace the mesh of an exported copy by its Catmull-Clark subdivision, shape keys included.

    Args:
        head: the copy, linked in `layer`.
        layer: view layer that evaluates it.
        levels: number of subdivisions, 0 for none.
    """
    if levels == 0:
        return
    modifier = head.modifiers.new("Subdivision", "SUBSURF")
    modifier.levels = modifier.render_levels = levels
    keys = head.data.shape_keys
    names = [k.name for k in keys.key_blocks] if keys else []
    values = [k.value for k in keys.key_blocks] if keys else []
    head.show_only_shape_key = True
    fine = bpy.data.meshes.new_from_object(
        _evaluated(head, layer, 0), preserve_all_data_layers=True, depsgraph=layer.depsgraph
    )
    shapes = [mesh_coordinates(_evaluated(head, layer, index).data) for index in range(len(names))]
    coarse = head.data
    animation = _animation_of(keys)
    head.modifiers.remove(modifier)
    head.show_only_shape_key = False
    head.data = fine
    for name, value, shape in zip(names, values, shapes, strict=True):
        key = compat.add_shape_key(head, name)
        key.data.foreach_set("co", shape.ravel())
        key.value = value
    _set_animation(fine.shape_keys, animation)
    name = coarse.name
    bpy.data.meshes.remove(coarse)
    fine.name = name


def move_to_tile(mesh: bpy.types.Mesh, slot: int, tile: int) -> None:
    """Move the texture coordinates of a material slot's faces from the unit square to a UDIM tile."""
    slots, sizes = np.empty(len(mesh.polygons), np.int32), np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("material_index", slots)
    mesh.polygons.foreach_get("loop_total", sizes)
    layer = mesh.uv_layers[0].data
    uv = np.empty(len(layer) * 2, np.float32)
    layer.foreach_get("uv", uv)
    across, up = (tile - 1001) % 10, (tile - 1001) // 10
    uv.reshape(-1, 2)[np.repeat(slots == slot, sizes)] += (across, up)
    layer.foreach_set("uv", uv)


def _evaluated(head: bpy.types.Object, layer: bpy.types.ViewLayer, index: int) -> bpy.types.Object:
    """The head with its modifiers, showing one shape key alone."""
    head.active_shape_key_index = index
    layer.update()
    return head.evaluated_get(layer.depsgraph)


def shape_coordinates(key: bpy.types.ShapeKey) -> np.ndarray:
    """Positions float32 [V, 3] of a shape key."""
    values = np.empty(len(key.data) * 3, np.float32)
    key.data.foreach_get("co", values)
    return values.reshape(-1, 3)


def mesh_coordinates(mesh: bpy.types.Mesh) -> np.ndarray:
    """Positions float32 [V, 3] of a mesh."""
    values = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", values)
    return values.reshape(-1, 3)


def _remove_faces(mesh: bpy.types.Mesh, slots: set[int]) -> tuple[int, ...]:
    """Delete the faces of material slots with their vertices, then the slots that no face uses; returns those left."""
    work = bmesh.new()
    try:
        work.from_mesh(mesh)
        unwanted = [face for face in work.faces if face.material_index in slots]
        bmesh.ops.delete(work, geom=unwanted, context="FACES")
        work.to_mesh(mesh)
    finally:
        work.free()
    index = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("material_index", index)
    used = np.unique(index)
    mesh.materials.clear()
    for _ in used:
        mesh.materials.append(None)
    mesh.polygons.foreach_set("material_index", np.searchsorted(used, index).astype(np.int32))
    mesh.update()
    return tuple(int(slot) for slot in used)


def _animation_of(keys: bpy.types.Key | None) -> tuple[bpy.types.Action, object] | None:
    data = keys.animation_data if keys else None
    if data is None or data.action is None:
        return None
    return data.action, getattr(data, "action_slot", None)


def _set_animation(keys: bpy.types.Key | None, animation: tuple[bpy.types.Action, object] | None) -> None:
    if keys is None or animation is None:
        return
    action, slot = animation
    data = keys.animation_data_create()
    data.action = action
    if slot is not None:
        # Actions have slots from 4.4 on.
        data.action_slot = slot
