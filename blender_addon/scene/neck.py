"""The neck of a head: where it ends, and closing it from below, for busts."""

from __future__ import annotations

from itertools import pairwise

import bmesh
import bpy
import numpy as np

from .mesh import HM08_ATTRIBUTE, PARTS, UV_NAME
from .renewing.reshaping import coordinates, corners, vertex_ids

# How far the rings of the cap are from the neck's border, as shares of the way to its middle: one close to the border
# keeps subdivision from rounding its edge off.
RINGS = (0.04, 0.3, 0.55, 0.8)


def border_of_neck(head: bpy.types.Object, vertices: np.ndarray) -> np.ndarray:
    """The vertices, int [n], of the lowest of the rims at which the head's surface ends but for a cap."""
    mesh = head.data
    of_corner, of_cap = np.empty(len(mesh.loops), np.int32), np.zeros(len(mesh.loops), bool)
    mesh.loops.foreach_get("edge_index", of_corner)
    for face in cap_faces(head).tolist():
        polygon = mesh.polygons[face]
        of_cap[polygon.loop_start : polygon.loop_start + polygon.loop_total] = True
    rims = np.flatnonzero(np.bincount(of_corner[~of_cap], minlength=len(mesh.edges)) == 1)
    ends = np.empty(2 * len(mesh.edges), np.int32)
    mesh.edges.foreach_get("vertices", ends)
    edges = ends.reshape(-1, 2)[rims]
    found = {int(edges.ravel()[np.argmin(vertices[edges.ravel()][:, 2])])}
    while True:
        further = found | set(edges[np.isin(edges, list(found)).any(axis=1)].ravel().tolist())
        if further == found:
            return np.array(sorted(found))
        found = further


def cap_faces(head: bpy.types.Object) -> np.ndarray:
    """The faces of a head's cap, int [n]: those of the skin with vertices that are not the head model's."""
    mesh = head.data
    parts = str(head.get(PARTS, "")).split(",")
    if "skin" not in parts:
        return np.zeros(0, np.int64)
    slots, sizes = np.empty(len(mesh.polygons), np.int32), np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("material_index", slots)
    mesh.polygons.foreach_get("loop_total", sizes)
    of_corner = np.repeat(np.arange(len(sizes)), sizes)
    foreign = np.bincount(of_corner[vertex_ids(mesh)[corners(mesh)] < 0], minlength=len(sizes)) > 0
    return np.flatnonzero(foreign & (slots == parts.index("skin")))


def cap_vertices(head: bpy.types.Object) -> np.ndarray:
    """The vertices of a head's cap without the neck's border, int [n]."""
    faces = [head.data.polygons[index].vertices[:] for index in cap_faces(head)]
    members = np.unique(np.concatenate([np.zeros(0, np.int64), *faces])).astype(np.int64)
    return members[vertex_ids(head.data)[members] < 0]


def is_closed(head: bpy.types.Object) -> bool:
    """Whether a head has a cap."""
    return bool(len(cap_faces(head)))


def close_neck(head: bpy.types.Object) -> None:
    """Give a head a cap from the border of its neck to the middle of that.

    In every shape the cap lies between the border's vertices as that shape has them. It wears the neck's own skin,
    mirrored at the border.

    Args:
        head: a head without a cap, in object mode.
    """
    border = border_of_neck(head, coordinates(head.data.vertices).reshape(-1, 3))
    work = bmesh.new()
    try:
        work.from_mesh(head.data)
        work.verts.ensure_lookup_table()
        _build(work, [work.verts[int(index)] for index in border], str(head[PARTS]).split(",").index("skin"))
        work.to_mesh(head.data)
    finally:
        work.free()
    head.data.update()


def open_neck(head: bpy.types.Object) -> None:
    """Take the cap of a head away again."""
    gone = cap_vertices(head)
    if not len(gone):
        return
    work = bmesh.new()
    try:
        work.from_mesh(head.data)
        work.verts.ensure_lookup_table()
        bmesh.ops.delete(work, geom=[work.verts[int(index)] for index in gone], context="VERTS")
        work.to_mesh(head.data)
    finally:
        work.free()
    head.data.update()


def _build(work: bmesh.types.BMesh, border: list[bmesh.types.BMVert], slot: int) -> None:
    """Add rings, their faces and the middle to a mesh."""
    ids, uv = work.verts.layers.int.get(HM08_ATTRIBUTE), work.loops.layers.uv[UV_NAME]
    shapes = list(work.verts.layers.shape.values())
    rim = set(border)
    edges = {edge for vertex in border for edge in vertex.link_edges if set(edge.verts) <= rim and edge.is_boundary}
    rings: dict[tuple[bmesh.types.BMVert, int], bmesh.types.BMVert] = {(vertex, 0): vertex for vertex in border}
    middle = _between(work, border[0], border, 1.0, shapes)
    for vertex in border:
        for ring, share in enumerate(RINGS):
            rings[vertex, ring + 1] = _between(work, vertex, border, share, shapes)
    for vertex in (middle, *(v for (_, ring), v in rings.items() if ring)):
        if ids is not None:
            vertex[ids] = -1
    for edge in edges:
        row = edge.link_loops[0]
        a, b = row.vert, row.link_loop_next.vert
        for ring, (outer, inner) in enumerate(pairwise([*range(len(RINGS) + 1), -1])):
            # The row's lower and upper corners, as the skin has them.
            lower = row[uv].uv.copy(), row.link_loop_next[uv].uv.copy()
            upper = row.link_loop_prev[uv].uv.copy(), row.link_loop_next.link_loop_next[uv].uv.copy()
            if inner < 0:
                face = work.faces.new((rings[b, outer], rings[a, outer], middle))
                places = (lower[1], lower[0], (upper[0] + upper[1]) / 2)
            else:
                face = work.faces.new((rings[b, outer], rings[a, outer], rings[a, inner], rings[b, inner]))
                places = (lower[1], lower[0], upper[0], upper[1])
            face.material_index, face.smooth = slot, True
            for loop, place in zip(face.loops, places, strict=True):
                loop[uv].uv = place
            above = row.link_loop_next.link_loop_next.link_loop_radial_next
            if len(row.face.verts) == 4 and len(above.face.verts) == 4 and ring < len(RINGS):
                row = above


def _between(
    work: bmesh.types.BMesh,
    vertex: bmesh.types.BMVert,
    border: list[bmesh.types.BMVert],
    share: float,
    shapes: list[bmesh.types.BMLayerItem],
) -> bmesh.types.BMVert:
    """A new vertex on the way from one of the border to the middle of all, in every shape."""
    new = work.verts.new(vertex.co.lerp(sum((v.co for v in border), vertex.co * 0) / len(border), share), vertex)
    for layer in shapes:
        new[layer] = vertex[layer].lerp(sum((v[layer] for v in border), vertex.co * 0) / len(border), share)
    return new
