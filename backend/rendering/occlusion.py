"""Which of a fixed set of directions reach each vertex of a head past the head itself."""

from __future__ import annotations

import numpy as np

from backend.rendering.rays import RayScene, off_surface

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
    scene = RayScene(vertices, triangles)
    origins = off_surface(points, normals).astype(np.float32)
    above = normals @ directions.T > HORIZON
    seen = np.zeros(above.shape, np.uint8)
    for column, direction in enumerate(directions):
        rows = np.flatnonzero(above[:, column])
        seen[rows, column] = ~scene.hits(origins[rows], np.broadcast_to(direction, (len(rows), 3)))
    return seen


def points_in_view(
    points: np.ndarray,  # [n, 3], on the surface
    normals: np.ndarray,  # [n, 3], unit
    vertices: np.ndarray,  # [V, 3], the occluders
    triangles: np.ndarray,  # int [T, 3]
    eye: np.ndarray,  # [3]
) -> np.ndarray:
    """True where nothing stands between a point and the eye: bool [n]."""
    return ~RayScene(vertices, triangles).hits(off_surface(points, normals), eye - points)
