"""One interface to rasterisation; the CPU engine casts rays with Embree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from backend.head.camera import Camera


@dataclass(frozen=True)
class Fragments:
    """What each pixel sees.

    Args:
        triangle: int32 [H, W], index of the nearest triangle, -1 for background.
        barycentric: float32 [H, W, 3], weights of the triangle's corners, 0 for background.
        depth: float32 [H, W], distance along the viewing axis (-z of the camera) in metres, inf for background.
    """

    triangle: np.ndarray
    barycentric: np.ndarray
    depth: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """bool [H, W], True where a triangle is seen."""
        return self.triangle >= 0

    def interpolate(self, triangles: np.ndarray, attribute: np.ndarray) -> np.ndarray:
        """Interpolate a per-vertex attribute [V, C] over the image [H, W, C]; background is 0."""
        corners = attribute[triangles[np.maximum(self.triangle, 0)]]
        return np.einsum("hwk,hwkc->hwc", self.barycentric, corners)


class Rasteriser(Protocol):
    """Finds the nearest triangle of a mesh for every pixel of a camera."""

    def rasterise(self, vertices: np.ndarray, triangles: np.ndarray, camera: Camera) -> Fragments:
        """Rasterise vertices [V, 3] (head space, metres) and triangles [F, 3] as `camera` sees them."""
        ...


class EmbreeRasteriser:
    """Rasterisation by one primary ray through every pixel centre, on the CPU."""

    def rasterise(self, vertices: np.ndarray, triangles: np.ndarray, camera: Camera) -> Fragments:
        """See `Rasteriser.rasterise`."""
        height, width = camera.height, camera.width
        directions = _ray_directions(camera)
        origins = np.broadcast_to(camera.position.astype(np.float32), directions.shape)
        scene = EmbreeScene()
        TriangleMesh(scene, np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(triangles, np.int32))
        hits = scene.run(np.ascontiguousarray(origins), directions, output=True)
        triangle = hits["primID"].astype(np.int32)
        hit = triangle >= 0
        u, v = hits["u"], hits["v"]
        barycentric = np.stack([1 - u - v, u, v], axis=-1) * hit[:, None]
        # The directions have unit depth in camera space, so the ray parameter is the depth.
        depth = np.where(hit, hits["tfar"], np.inf)
        return Fragments(
            triangle.reshape(height, width),
            barycentric.reshape(height, width, 3).astype(np.float32),
            depth.reshape(height, width).astype(np.float32),
        )


def _ray_directions(camera: Camera) -> np.ndarray:
    """Rays through the pixel centres, float32 [H * W, 3] in head space, with unit depth in camera space."""
    x = (np.arange(camera.width) + 0.5 - camera.centre_px[0]) / camera.focal_px
    y = -(np.arange(camera.height) + 0.5 - camera.centre_px[1]) / camera.focal_px
    grid_x, grid_y = np.meshgrid(x, y)
    in_camera = np.stack([grid_x, grid_y, -np.ones_like(grid_x)], axis=-1).reshape(-1, 3)
    return np.ascontiguousarray(in_camera @ camera.rotation, np.float32)
