"""Rays against a triangle mesh, by Embree."""

from __future__ import annotations

from typing import Any

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

# Rays start so far off the surface, or a surface that bends away from its smooth normal would hide itself.
RAY_OFFSET_M = 5e-4


class RayScene:
    """A mesh that rays are cast at.

    Args:
        vertices: [V, 3].
        triangles: int [T, 3].
    """

    def __init__(self, vertices: np.ndarray, triangles: np.ndarray) -> None:
        self._scene: Any = EmbreeScene()
        TriangleMesh(self._scene, np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(triangles, np.int32))

    def hits(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Whether anything lies on rays [n, 3] from origins [n, 3], bool [n]; as far as infinity."""
        return self._run(origins, directions, query="OCCLUDED") >= 0

    def first_hits(self, origins: np.ndarray, directions: np.ndarray) -> dict[str, np.ndarray]:
        """The first triangle on each ray: `primID` int [n], -1 for none, its barycentrics `u` and `v` float32 [n] (of
        corners 1 and 2), and `tfar` float32 [n], the way there in lengths of the direction."""
        return self._run(origins, directions, output=True)

    def _run(self, origins: np.ndarray, directions: np.ndarray, **how: Any) -> Any:
        return self._scene.run(
            np.ascontiguousarray(origins, np.float32), np.ascontiguousarray(directions, np.float32), **how
        )


def off_surface(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Where rays start that leave a surface at points [n, 3] with unit normals [n, 3]."""
    return points + normals * RAY_OFFSET_M
