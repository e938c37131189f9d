"""Which of a fixed set of directions reach each vertex of a head past the head itself."""

from __future__ import annotations

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

RAY_OFFSET_M = 5e-4
# Directions a little behind the tangent plane are kept: smoothed normals and relief still catch light from there.
HORIZON = -0.25


def sphere_directions(count: int) -> np.ndarray:
    """Unit vectors float32 [count, 3] of equal solid angle 4 pi / count: a Fibonacci spiral about +y."""
    index = np.arange(count) + 0.5
    y = 1 - 2 * index / count
    angle = index * np.pi * (3 - np.sqrt(5))
    radius = np.sqrt(1 - y * y)
    return np.stack([radius * np.sin(angle), y, radius * np.cos(angle)], axis=1).astype(np.float32)


def direction_visibility(
    points: np.ndarray,  # [n, 3], on the surface
    normals: np.ndarray,  # [n, 3], unit
    vertices: np.ndarray,  # [V, 3], the occluders, in the space of the points
    triangles: np.ndarray,  # int [T, 3]
    directions: np.ndarray,  # [D, 3], unit
) -> np.ndarray:
    """1 where nothing stands between a point and infinity, else 0: uint8 [n, D]; 0 far behind the surface."""
    scene = EmbreeScene()
    TriangleMesh(scene, np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(triangles, np.int32))
    origins = np.ascontiguousarray(points + normals * RAY_OFFSET_M, np.float32)
    above = normals @ directions.T > HORIZON
    seen = np.zeros(above.shape, np.uint8)
    for column, direction in enumerate(directions):
        rows = np.flatnonzero(above[:, column])
        rays = np.ascontiguousarray(np.broadcast_to(direction, (len(rows), 3)), np.float32)
        seen[rows, column] = scene.run(origins[rows], rays) < 0
    return seen


def points_in_view(
    points: np.ndarray,  # [n, 3], on the surface
    normals: np.ndarray,  # [n, 3], unit
    vertices: np.ndarray,  # [V, 3], the occluders
    triangles: np.ndarray,  # int [T, 3]
    eye: np.ndarray,  # [3]
) -> np.ndarray:
    """True where nothing stands between a point and the eye: bool [n]."""
    scene = EmbreeScene()
    TriangleMesh(scene, np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(triangles, np.int32))
    origins = np.ascontiguousarray(points + normals * RAY_OFFSET_M, np.float32)
    return scene.run(origins, np.ascontiguousarray(eye - points, np.float32)) < 0
