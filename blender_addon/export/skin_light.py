"""What the shape of a head says of light on its skin: what hides the surroundings, how far light goes beneath."""

from __future__ import annotations

from dataclasses import replace

import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from ..anatomy.uv_raster import covered, painted
from ..scene.mesh import UV_NAME
from ..scene.mesh_arrays import corner_uv, corner_vertices, loop_triangles
from .mesh import mesh_coordinates
from .textures import SMOOTH_PX, Surface

# Rays from each vertex; how far what they meet hides the surroundings, and how far above the skin they start, metres.
RAYS = 96
REACH_M = 0.2
START_M = 0.0004
# Parts that let light through.
THIN_PARTS = ("lashes",)


def with_skin_light(
    surface: Surface, mesh: bpy.types.Mesh, parts: tuple[str, ...], *, occlusion: bool, metres: float = 1.0
) -> Surface:
    """The skin's surface with ambient occlusion and with how far light goes under it, in texture space.

    Args:
        surface: that of the skin, with `scatter` in units of the mesh.
        mesh: of the head, of which the reference shape counts.
        parts: the part of each of the mesh's material slots.
        occlusion: whether ambient occlusion is wanted.
        metres: what a unit of the mesh is.
    """
    triangles, slots = loop_triangles(mesh)
    skin = np.isin(slots, [slot for slot, part in enumerate(parts) if part == surface.part])
    uv = corner_uv(mesh, UV_NAME)[triangles[skin]]
    corners = corner_vertices(mesh)[triangles]
    points = mesh_coordinates(mesh).astype(np.float64)
    side = np.sqrt(_areas(points[corners[skin]]) / max(_areas(np.pad(uv, ((0, 0), (0, 0), (0, 1)))), 1e-12))
    red, green, blue = (float(length / side) for length in surface.scatter)
    surface = replace(surface, scatter=(red, green, blue))
    if not occlusion:
        return surface
    hiding = ~np.isin(slots, [slot for slot, part in enumerate(parts) if part in THIN_PARTS])
    tree = BVHTree.FromPolygons(points.tolist(), corners[hiding].tolist())
    asked = np.unique(corners[skin])
    open_part = np.ones(len(points))
    normals = np.empty(len(points) * 3, np.float32)
    mesh.vertices.foreach_get("normal", normals)
    open_part[asked] = openness(tree, points[asked], normals.reshape(-1, 3)[asked], metres)
    coverage = covered(uv, min(_side_px(surface), SMOOTH_PX))
    values = coverage.mix(open_part[corners[skin]][..., None].astype(np.float32))
    return replace(surface, occlusion=painted(coverage, values, 1.0))


def openness(tree: BVHTree, points: np.ndarray, normals: np.ndarray, metres: float = 1.0) -> np.ndarray:
    """How much of the sky over points [N, 3] of a surface is open, weighted by the cosine, [N] in [0, 1].

    Args:
        tree: what hides the sky.
        points: on the surface.
        normals: [N, 3], unit vectors.
        metres: what a unit is.
    """
    # Directions on a spiral, as dense as the cosine of their angle to the normal: all count the same.
    turn = np.arange(RAYS) * np.pi * (3 - np.sqrt(5))
    out = np.sqrt((np.arange(RAYS) + 0.5) / RAYS)
    directions = np.stack([out * np.cos(turn), out * np.sin(turn), np.sqrt(1 - out**2)], axis=-1)
    found = np.empty(len(points))
    for index, (point, normal) in enumerate(zip(points, normals, strict=True)):
        across = np.cross(normal, np.eye(3)[np.abs(normal).argmin()])
        across /= np.linalg.norm(across)
        world = directions @ np.stack([across, np.cross(normal, across), normal])
        start = Vector(point + START_M / metres * normal)
        free = [tree.ray_cast(start, Vector(ray), REACH_M / metres)[0] is None for ray in world]
        found[index] = sum(free) / RAYS
    return found


def _areas(triangles: np.ndarray) -> float:
    """The area of triangles [T, 3, 3] together."""
    first, second = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    return float(0.5 * np.linalg.norm(np.cross(first, second), axis=-1).sum())


def _side_px(surface: Surface) -> int:
    maps = (surface.colour_srgb, surface.normal, surface.specular)
    return max((max(image.shape[:2]) for image in maps if image is not None), default=SMOOTH_PX)
