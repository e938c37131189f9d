"""Between a head and the pixels of its photo: what projects where, and which triangle lies under a pixel.

Pure numpy: this module knows nothing of Blender and is tested outside of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PhotoCamera:
    """The photo's pinhole camera: head space (metres, y up) to pixels (y down).

    Args:
        rotation: float64 [3, 3], head space to camera space.
        translation: float64 [3].
        focal_px: focal length.
        centre_px: float64 [2].
    """

    rotation: np.ndarray
    translation: np.ndarray
    focal_px: float
    centre_px: np.ndarray

    def depth(self, points: np.ndarray) -> np.ndarray:
        """How far in front of the camera points [..., 3] are."""
        return -(points @ self.rotation.T + self.translation)[..., 2]

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Where points [..., 3] are seen, [..., 2]."""
        there = points @ self.rotation.T + self.translation
        return self.centre_px + self.focal_px * there[..., :2] * [1, -1] / -there[..., 2:]


@dataclass(frozen=True)
class Picked:
    """A point of a surface.

    Args:
        triangle: three vertex numbers.
        weights: how much of each, with a sum of 1.
    """

    triangle: tuple[int, int, int]
    weights: tuple[float, float, float]


def pick(points: np.ndarray, triangles: np.ndarray, camera: PhotoCamera, pixel: np.ndarray) -> Picked | None:
    """The foremost point of triangles [T, 3] of vertices [V, 3] that a pixel shows, or None."""
    seen, depth = camera.pixels(points)[triangles], camera.depth(points)[triangles]
    a, b, c = seen[:, 0], seen[:, 1], seen[:, 2]
    area = _cross(b - a, c - a)
    # Seen from outside, counter-clockwise corners go clockwise where y points down.
    front = area < -1e-9
    parts = np.stack([_cross(b - pixel, c - pixel), _cross(c - pixel, a - pixel), _cross(a - pixel, b - pixel)], axis=1)
    parts = parts / np.where(front, area, 1.0)[:, None]
    hit = np.flatnonzero(front & (parts >= 0).all(axis=1) & (depth > 0).all(axis=1))
    if not len(hit):
        return None
    # Parts of a triangle's image are parts of the triangle once they are divided by depth.
    weights = parts[hit] / depth[hit]
    weights = weights / weights.sum(axis=1, keepdims=True)
    nearest = int(np.argmin((weights * depth[hit]).sum(axis=1)))
    corner, share = triangles[hit[nearest]].tolist(), weights[nearest].tolist()
    return Picked((corner[0], corner[1], corner[2]), (share[0], share[1], share[2]))


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
