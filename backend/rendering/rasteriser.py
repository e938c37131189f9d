"""One interface to rasterisation; the CPU engine casts rays with Embree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from backend.rendering.camera import Camera
from backend.rendering.rays import RayScene

RAYS_PER_BAND = 1_000_000


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
        scene = RayScene(vertices, triangles)
        triangle = np.full((height, width), -1, np.int32)
        barycentric = np.zeros((height, width, 3), np.float32)
        depth = np.full((height, width), np.inf, np.float32)
        # In bands of rows: Embree's answer is some 60 bytes a ray, too much for a 25 megapixel photo at once.
        rows = max(RAYS_PER_BAND // width, 1)
        for start in range(0, height, rows):
            band = slice(start, min(start + rows, height))
            directions = _ray_directions(camera, band.start, band.stop)
            hits = scene.first_hits(np.broadcast_to(camera.position, directions.shape), directions)
            hit = (hits["primID"] >= 0).reshape(-1, width)
            triangle[band] = hits["primID"].reshape(-1, width)
            u, v = hits["u"].reshape(-1, width), hits["v"].reshape(-1, width)
            barycentric[band] = np.stack([1 - u - v, u, v], axis=-1) * hit[..., None]
            # The directions have unit depth in camera space, so the ray parameter is the depth.
            depth[band] = np.where(hit, hits["tfar"].reshape(-1, width), np.inf)
        return Fragments(triangle, barycentric, depth)


def _ray_directions(camera: Camera, first_row: int, last_row: int) -> np.ndarray:
    """Rays through the pixel centres of rows [first, last), float32 [n * W, 3] in head space, unit camera depth."""
    x = (np.arange(camera.width) + 0.5 - camera.centre_px[0]) / camera.focal_px
    y = -(np.arange(first_row, last_row) + 0.5 - camera.centre_px[1]) / camera.focal_px
    # rotation^T (x, y, -1), row by row and column by column.
    along_rows = y[:, None] * camera.rotation[1] - camera.rotation[2]
    directions = along_rows[:, None, :] + x[None, :, None] * camera.rotation[0]
    return np.ascontiguousarray(directions.reshape(-1, 3), np.float32)
