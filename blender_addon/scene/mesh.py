"""The head as a Blender mesh object: quads, texture coordinates, material slots, shape keys, subdivision."""

from __future__ import annotations

from collections.abc import Mapping

import bpy
import numpy as np

from .. import compat
from ..anatomy.geometry import HeadGeometry, biting_edges
from ..anatomy.regions import vertex_groups
from ..anatomy.seams import seam_edges

UV_NAME = "UVMap"
HM08_ATTRIBUTE = "hm08_vertex_id"
# Custom property of the object: the names of the parts in the order of the material slots, separated by commas.
PARTS = "relightify_parts"
# How the names of shape keys begin that change who a head is, not what face it makes.
LIKENESS = "Likeness "


def build_head(name: str, geometry: HeadGeometry, materials: dict[str, bpy.types.Material]) -> bpy.types.Object:
    """A mesh object of the head in its neutral shape, with the photo's expression dialled in by shape keys.

    Args:
        name: name of object and mesh.
        geometry: arrays in Blender space.
        materials: material by part name; every part of the geometry needs one.

    Returns:
        An object that is not linked to any collection yet.
    """
    mesh = bpy.data.meshes.new(name)
    _fill(mesh, geometry)
    for part in geometry.part_names:
        mesh.materials.append(materials[part])
    mesh.polygons.foreach_set("material_index", geometry.face_part.astype(np.int32))
    mesh.shade_smooth()
    ids = mesh.attributes.new(HM08_ATTRIBUTE, "INT", "POINT")
    ids.data.foreach_set("value", geometry.hm08_vertex_ids.astype(np.int32))
    mesh.update()

    head = bpy.data.objects.new(name, mesh)
    head[PARTS] = ",".join(geometry.part_names)
    _add_groups(head, vertex_groups(geometry))
    _add_shape_keys(head, geometry)
    subdivision = head.modifiers.new("Subdivision", "SUBSURF")
    subdivision.levels = 1
    subdivision.render_levels = 2
    return head


def set_expression(head: bpy.types.Object, weights: dict[str, float]) -> None:
    """Set the shape keys by name; those that are not named go to 0."""
    for key in expression_keys(head):
        key.value = weights.get(key.name, 0.0)


def expression_keys(head: bpy.types.Object) -> list[bpy.types.ShapeKey]:
    """The shape keys without the basis and the sliders of the likeness."""
    keys = head.data.shape_keys
    return [key for key in keys.key_blocks[1:] if not key.name.startswith(LIKENESS)] if keys else []


def likeness_values(head: bpy.types.Object) -> dict[str, float]:
    """How far the sliders of the likeness are set, millimetres by the shape keys' names; those at 0 are left out."""
    keys = head.data.shape_keys
    found = keys.key_blocks[1:] if keys else ()
    return {key.name: key.value for key in found if key.name.startswith(LIKENESS) and key.value and not key.mute}


def liked_shape(head: bpy.types.Object, values: Mapping[str, float]) -> np.ndarray:
    """The neutral vertices of a head with shape keys, with a likeness, float32 [V, 3].

    Args:
        head: the head.
        values: as of `likeness_values`.
    """
    keys = head.data.shape_keys
    basis = np.empty(3 * len(head.data.vertices), np.float32)
    keys.reference_key.data.foreach_get("co", basis)
    shape, points = basis.copy(), np.empty_like(basis)
    for name, value in values.items():
        if name in keys.key_blocks:
            keys.key_blocks[name].data.foreach_get("co", points)
            shape += np.float32(value) * (points - basis)
    return shape.reshape(-1, 3)


def part_vertices(head: bpy.types.Object) -> dict[str, np.ndarray]:
    """The vertices of each part of a head, int [n], by the part's name."""
    mesh = head.data
    slots, sizes = np.empty(len(mesh.polygons), np.int32), np.empty(len(mesh.polygons), np.int32)
    corners = np.empty(len(mesh.loops), np.int32)
    mesh.polygons.foreach_get("material_index", slots)
    mesh.polygons.foreach_get("loop_total", sizes)
    mesh.loops.foreach_get("vertex_index", corners)
    of_corner = np.repeat(slots, sizes)
    return {part: np.unique(corners[of_corner == slot]) for slot, part in enumerate(head[PARTS].split(","))}


def _fill(mesh: bpy.types.Mesh, geometry: HeadGeometry) -> None:
    is_corner = geometry.quads >= 0
    sizes = is_corner.sum(axis=1).astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
    mesh.vertices.add(len(geometry.vertices))
    mesh.vertices.foreach_set("co", geometry.vertices.ravel())
    mesh.loops.add(int(sizes.sum()))
    mesh.loops.foreach_set("vertex_index", geometry.quads[is_corner])
    mesh.polygons.add(len(sizes))
    mesh.polygons.foreach_set("loop_start", starts)
    mesh.update(calc_edges=True)
    if mesh.validate(verbose=False):
        raise ValueError("the head mesh has broken faces")
    _crease(mesh, biting_edges(geometry))
    mesh.edges.foreach_set("use_seam", _is_among(mesh, seam_edges(geometry)))
    mesh.uv_layers.new(name=UV_NAME).data.foreach_set("uv", geometry.corner_uv[is_corner].astype(np.float32).ravel())


def _crease(mesh: bpy.types.Mesh, edges: np.ndarray) -> None:
    """Keep subdivision from rounding the edges [n, 2] between these pairs of vertices."""
    crease = mesh.attributes.new("crease_edge", "FLOAT", "EDGE")
    crease.data.foreach_set("value", _is_among(mesh, edges).astype(np.float32))


def _is_among(mesh: bpy.types.Mesh, edges: np.ndarray) -> np.ndarray:
    """For each edge of a mesh whether it is one of those [n, 2] between pairs of vertices, bool [E]."""
    ends = np.empty(2 * len(mesh.edges), np.int32)
    mesh.edges.foreach_get("vertices", ends)
    count = len(mesh.vertices)
    key = np.sort(ends.reshape(-1, 2), axis=1).astype(np.int64) @ [count, 1]
    return np.isin(key, np.sort(edges, axis=1).astype(np.int64) @ [count, 1])


def _add_groups(head: bpy.types.Object, groups: Mapping[str, np.ndarray]) -> None:
    for name, weights in groups.items():
        group = head.vertex_groups.new(name=name)
        # Few different weights, so few calls.
        for weight in np.unique(weights[weights > 0]):
            group.add(np.flatnonzero(weights == weight).tolist(), float(weight), "REPLACE")


def _add_shape_keys(head: bpy.types.Object, geometry: HeadGeometry) -> None:
    compat.add_shape_key(head, "Basis")
    for name, offset in zip(geometry.shape_names, geometry.shape_offsets, strict=True):
        key = compat.add_shape_key(head, name)
        key.data.foreach_set("co", (geometry.vertices + offset).astype(np.float32).ravel())
    set_expression(head, dict(zip(geometry.shape_names, map(float, geometry.shape_weights), strict=True)))
    head.active_shape_key_index = 0
