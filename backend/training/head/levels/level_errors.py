"""How far a coarser mesh lies from the fine one: on the surface, and in outline seen from around."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

# Side of a pixel in which outlines are compared, and how far round from the front the views go, degrees.
PIXEL_M = 0.00025
VIEWS_DEGREES = (0, 30, 60, 90, 120, 150, 180)
PAIRS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class LevelErrors:
    """Distances of a coarser mesh from the fine one, millimetres.

    Args:
        surface_mean, surface_max: from the fine mesh's vertices to the coarser surface.
        outline_mean, outline_max: from the fine mesh's outlines to the coarser one's.
    """

    surface_mean: float
    surface_max: float
    outline_mean: float
    outline_max: float


def level_errors(
    points: np.ndarray,  # [V, 3], metres, Blender's space: z up, the face along -y
    fine: np.ndarray,  # int [T, 3]
    coarse: np.ndarray,  # int [t, 3]
) -> LevelErrors:
    """Compare two meshes between the same points."""
    distances = surface_distances(points[np.unique(fine)], points[coarse])
    outlines = np.concatenate([_outline_distances(points, fine, coarse, view) for view in VIEWS_DEGREES])
    return LevelErrors(
        *(1000 * float(value) for value in (distances.mean(), distances.max(), outlines.mean(), outlines.max()))
    )


def triangles_of(faces: np.ndarray) -> np.ndarray:
    """Triangles int [T, 3] of quads and triangles [N, 4], whose last corner is -1."""
    quads = faces[faces[:, 3] >= 0]
    return np.concatenate([faces[:, :3], quads[:, [0, 2, 3]]])


def surface_distances(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Distance of each point [N, 3] from the nearest of triangles [T, 3, 3], [N]."""
    step = max(1, PAIRS_AT_ONCE // len(triangles))
    parts = [_distances(points[start : start + step], triangles) for start in range(0, len(points), step)]
    return np.concatenate(parts)


def _distances(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    origin, first, second = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    offset = points[:, None] - origin
    aa, ab, bb = (first**2).sum(-1), (first * second).sum(-1), (second**2).sum(-1)
    pa, pb = np.einsum("ntk,tk->nt", offset, first), np.einsum("ntk,tk->nt", offset, second)
    scale = np.maximum(aa * bb - ab**2, 1e-24)
    u, v = (bb * pa - ab * pb) / scale, (aa * pb - ab * pa) / scale
    normal = np.cross(first, second) / np.sqrt(scale)[:, None]
    found = np.where((u >= 0) & (v >= 0) & (u + v <= 1), np.abs(np.einsum("ntk,tk->nt", offset, normal)), np.inf)
    for start, along in ((origin, first), (origin, second), (triangles[:, 1], second - first)):
        away = points[:, None] - start
        t = np.clip(np.einsum("ntk,tk->nt", away, along) / np.maximum((along**2).sum(-1), 1e-24), 0, 1)
        found = np.minimum(found, np.linalg.norm(away - t[..., None] * along, axis=-1))
    return found.min(axis=1)


def _outline_distances(points: np.ndarray, fine: np.ndarray, coarse: np.ndarray, degrees: float) -> np.ndarray:
    """From each pixel of the fine mesh's outline to the coarse one's, metres, without perspective."""
    angle = np.radians(degrees)
    flat = np.stack([points[:, 0] * np.cos(angle) + points[:, 1] * np.sin(angle), -points[:, 2]], axis=-1)
    low, high = flat.min(axis=0), flat.max(axis=0)
    width, height = np.ceil((high - low) / PIXEL_M).astype(int) + 8
    places = np.rint((flat - low) / PIXEL_M + 4).astype(np.int32)
    outlines = []
    for triangles in (fine, coarse):
        mask = np.zeros((height, width), np.uint8)
        for corners in places[triangles]:
            cv2.fillConvexPoly(mask, corners, 1)
        outlines.append(mask - cv2.erode(mask, np.ones((3, 3), np.uint8)))
    away = cv2.distanceTransform(1 - outlines[1], cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return away[outlines[0] > 0] * PIXEL_M
