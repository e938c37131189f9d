"""The skin's maps on other texture coordinates: another UV map of the head, or one of another mesh."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import bmesh
import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from .._shared import RelightifyError
from ..anatomy.uv_raster import Coverage, covered, look_up, painted
from ..scene.mesh import UV_NAME
from ..scene.mesh_arrays import corner_uv, corner_vertices, loop_triangles
from .mesh import mesh_coordinates
from .textures import Surface

# Of a map whose texels have no colour of their own.
PLAIN_NORMAL = (0.5, 0.5, 1.0)

Report = Callable[[float], None]


@dataclass(frozen=True)
class Sheet:
    """Triangles of a mesh as it is seen, with two ways to find a place on them.

    Args:
        points: float64 [T, 3, 3] in the world.
        normals: float64 [T, 3, 3], smooth ones.
        uv: float32 [T, 3, 2].
        frames: float64 [T, 3, 3, 3]: tangent, bitangent and normal (MikkTSpace) as rows, for each corner.
    """

    points: np.ndarray
    normals: np.ndarray
    uv: np.ndarray
    frames: np.ndarray


@dataclass(frozen=True)
class Correspondence:
    """Where on the skin the texels of another texture space lie.

    Args:
        coverage: the texels.
        source_uv: float32 [N, 2] on the skin's own maps.
        turns: float64 [N, 3, 3], from the skin's tangent space to that of the target.
    """

    coverage: Coverage
    source_uv: np.ndarray
    turns: np.ndarray


def tiles_of(target: bpy.types.Object, uv_map: str) -> list[int]:
    """The UDIM tiles that a UV map has faces in, 1001 first."""
    uv = corner_uv(target.data, uv_map)
    inside = np.clip(uv, 0, 9.9999)
    return sorted({1001 + int(u) + 10 * int(v) for u, v in np.floor(inside).astype(int)})


def correspondence(
    head: bpy.types.Object,
    skin_slots: list[int],
    target: bpy.types.Object,
    uv_map: str,
    size: int,
    tile: int,
    distance: float,
    report: Report,
) -> Correspondence:
    """Find the skin under the texels of a target.

    Args:
        head: a head as it stands in the scene.
        skin_slots: its material slots that are skin.
        target: the head itself, or another mesh as it stands in the scene.
        uv_map: one of the target's UV maps.
        size: side of the maps to make, texels.
        tile: number of the UDIM tile.
        distance: how far the skin may be from another mesh, in units of the scene.
        report: gets the fraction done.

    Raises:
        RelightifyError: ``nothing_to_bake`` where no texel of the tile has skin under it.
    """
    across, up = (tile - 1001) % 10, (tile - 1001) // 10
    if target == head:
        # Not as it is seen: subdivision moves texture coordinates a little, and exports have the mesh without it.
        with _copied(head) as mesh:
            skin, own = (_sheet(mesh, np.eye(4), name, skin_slots) for name in (UV_NAME, uv_map))
        coverage = covered(own.uv - (across, up), size)
        source_uv, source = coverage.mix(skin.uv), coverage.mix(skin.frames)
        goal = coverage.mix(own.frames)
    else:
        with _as_seen(head) as mesh:
            skin = _sheet(mesh, np.array(head.matrix_world, np.float64), UV_NAME, skin_slots)
        with _as_seen(target) as mesh:
            other = _sheet(mesh, np.array(target.matrix_world, np.float64), uv_map, None)
        tree = _tree(skin)
        other = _near(other, skin, tree, distance)
        coverage = covered(other.uv - (across, up), size)
        places, normals = coverage.mix(other.points), coverage.mix(other.normals)
        found, weights = _nearest(skin, tree, places, normals, distance, report)
        kept = found >= 0
        coverage = Coverage(
            size,
            coverage.rows[kept],
            coverage.columns[kept],
            coverage.triangles[kept],
            coverage.weights[kept],
        )
        under = Coverage(size, coverage.rows, coverage.columns, found[kept], weights[kept])
        source_uv, source = under.mix(skin.uv), under.mix(skin.frames)
        goal = coverage.mix(other.frames)
    if not len(coverage.rows):
        raise RelightifyError(
            "nothing_to_bake",
            f"No part of the UV map {uv_map} of {target.name} lies on the skin.",
            "Put the mesh where the head is, allow a larger distance, or choose another UV map.",
        )
    # Rows of the frames are axes, so that encoded normals are mixed by the transpose.
    return Correspondence(coverage, source_uv, np.linalg.inv(np.swapaxes(goal, 1, 2)) @ np.swapaxes(source, 1, 2))


def baked(surface: Surface, found: Correspondence) -> Surface:
    """The skin's surface with all its maps on the target's texture coordinates."""
    coverage = found.coverage

    def moved(image: np.ndarray | None, background: float) -> np.ndarray | None:
        if image is None:
            return None
        return painted(coverage, look_up(image, found.source_uv), background)

    normal = None
    if surface.normal is not None:
        vectors = (found.turns @ (2 * look_up(surface.normal, found.source_uv)[..., None] - 1))[..., 0]
        vectors /= np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
        normal = painted(coverage, (0.5 + 0.5 * vectors).astype(np.float32), np.array(PLAIN_NORMAL))
    return replace(
        surface,
        colour_srgb=moved(surface.colour_srgb, 0.0),
        normal=normal,
        specular=moved(surface.specular, surface.specular_level),
        roughness_map=moved(surface.roughness_map, surface.roughness),
        displacement=moved(surface.displacement, 0.5),
        occlusion=moved(surface.occlusion, 1.0),
    )


@contextmanager
def _copied(thing: bpy.types.Object) -> Iterator[bpy.types.Mesh]:
    """A copy of an object's mesh for the length of a block."""
    mesh = thing.data.copy()
    try:
        yield mesh
    finally:
        bpy.data.meshes.remove(mesh)


@contextmanager
def _as_seen(thing: bpy.types.Object) -> Iterator[bpy.types.Mesh]:
    """A mesh object with its shapes, bones and modifiers, as a mesh of nobody's for the length of a block."""
    graph = bpy.context.evaluated_depsgraph_get()
    mesh = bpy.data.meshes.new_from_object(thing.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph)
    try:
        yield mesh
    finally:
        bpy.data.meshes.remove(mesh)


def _sheet(mesh: bpy.types.Mesh, world: np.ndarray, uv_map: str, slots: list[int] | None) -> Sheet:
    """The triangles of a mesh, of some material slots or of all, placed by a matrix [4, 4]."""
    if any(len(polygon.vertices) > 4 for polygon in mesh.polygons):
        _cut_ngons(mesh)
    triangles, of = loop_triangles(mesh)
    if slots is not None:
        triangles = triangles[np.isin(of, slots)]
    mesh.calc_tangents(uvmap=uv_map)
    tangent, normal = np.empty(len(mesh.loops) * 3, np.float32), np.empty(len(mesh.loops) * 3, np.float32)
    sign = np.empty(len(mesh.loops), np.float32)
    mesh.loops.foreach_get("tangent", tangent)
    mesh.loops.foreach_get("bitangent_sign", sign)
    mesh.corner_normals.foreach_get("vector", normal)
    turn = world[:3, :3]
    tangent = _unit(tangent.reshape(-1, 3).astype(np.float64) @ turn.T)
    normal = _unit(normal.reshape(-1, 3).astype(np.float64) @ np.linalg.inv(turn))
    # A mirrored object has its normals outside still, so that the third axis changes sides.
    bitangent = np.sign(np.linalg.det(turn)) * sign[:, None] * np.cross(normal, tangent)
    points = mesh_coordinates(mesh).astype(np.float64) @ turn.T + world[:3, 3]
    return Sheet(
        points[corner_vertices(mesh)[triangles]],
        normal[triangles],
        corner_uv(mesh, uv_map)[triangles],
        np.stack([tangent, bitangent, normal], axis=1)[triangles],
    )


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def _cut_ngons(mesh: bpy.types.Mesh) -> None:
    """Cut faces of more than four corners into triangles; Blender makes tangents of no others."""
    work = bmesh.new()
    try:
        work.from_mesh(mesh)
        bmesh.ops.triangulate(work, faces=[face for face in work.faces if len(face.verts) > 4])
        work.to_mesh(mesh)
    finally:
        work.free()


def _tree(skin: Sheet) -> BVHTree:
    corners = skin.points.reshape(-1, 3)
    return BVHTree.FromPolygons(corners.tolist(), np.arange(len(corners)).reshape(-1, 3).tolist())


def _near(other: Sheet, skin: Sheet, tree: BVHTree, distance: float) -> Sheet:
    """Those triangles of another mesh that have skin at a corner or in the middle, the nearest last.

    Inner parts may share texels with the skin, and the last triangle that covers a texel has it.
    """
    places = np.concatenate([other.points, other.points.mean(axis=1, keepdims=True)], axis=1)
    normals = np.concatenate([other.normals, other.normals.mean(axis=1, keepdims=True)], axis=1)
    found, weights = _nearest(skin, tree, places.reshape(-1, 3), normals.reshape(-1, 3), distance, lambda part: None)
    feet = (weights[:, :, None] * skin.points[found]).sum(axis=1)
    away = np.where(found >= 0, np.linalg.norm(feet - places.reshape(-1, 3), axis=-1), distance).reshape(-1, 4)
    order = np.argsort(-away.mean(axis=1), kind="stable")
    near = order[np.any(found.reshape(-1, 4) >= 0, axis=1)[order]]
    return Sheet(other.points[near], other.normals[near], other.uv[near], other.frames[near])


def _nearest(
    skin: Sheet, tree: BVHTree, places: np.ndarray, normals: np.ndarray, distance: float, report: Report
) -> tuple[np.ndarray, np.ndarray]:
    """The skin's triangle nearest to each place, -1 where none is near or it faces away, and barycentric weights."""
    found = np.full(len(places), -1, np.int64)
    feet = places.copy()
    for index, place in enumerate(places.tolist()):
        foot, _, triangle, _ = tree.find_nearest(Vector(place), distance)
        if triangle is not None:
            found[index], feet[index] = triangle, foot
        if index % 50000 == 0:
            report(index / len(places))
    weights = _barycentric(skin.points[found], feet)
    facing = (weights[:, :, None] * skin.normals[found]).sum(axis=1)
    found[(facing * normals).sum(axis=-1) <= 0] = -1
    return found, weights.astype(np.float32)


def _barycentric(triangles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Weights [N, 3] of the corners of triangles [N, 3, 3] at points [N, 3] in their planes."""
    first, second = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    offset = points - triangles[:, 0]
    aa, ab, bb = (first**2).sum(-1), (first * second).sum(-1), (second**2).sum(-1)
    pa, pb = (offset * first).sum(-1), (offset * second).sum(-1)
    scale = np.maximum(aa * bb - ab**2, 1e-30)
    u, v = (bb * pa - ab * pb) / scale, (aa * pb - ab * pa) / scale
    return np.clip(np.stack([1 - u - v, u, v], axis=-1), 0, 1)
