"""The fold under the lower lip and the floor of the mouth: they go with the jaw, and gums stand on them.

Pure numpy, Blender space.

`mouthClose` shuts lips over an open jaw. The head model's lifts what lies below and behind the lip as far as the lip
itself, into the lower gums, which stay with the jaw.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..heights import heights_over
from .teeth import Row

# Part of the way from the row's base to its biting edge up to which the lining goes with the jaw alone.
WITH_JAW = 0.4
# Where the mouth's lining counts as floor: how upright its faces are, and how far over gums it is looked for; and how
# far over it gums end, so that shapes, which bend it, do not drive them in. Metres.
UPRIGHT, SUNKEN, OVER = 0.4, 0.006, 0.0004


def closed_over_floor(
    vertices: np.ndarray, shape: np.ndarray, lining: np.ndarray, row: Row, with_jaw: float = WITH_JAW
) -> np.ndarray:
    """What `mouthClose` adds, with less of it the lower in the mouth.

    Args:
        vertices: float [V, 3], neutral, metres.
        shape: float32 [V, 3], what the shape adds.
        lining: int [n], vertices of the mouth's lining that are none of the skin's.
        row: the lower row of crowns.
        with_jaw: see `WITH_JAW`.

    Returns:
        float32 [V, 3].
    """
    base, edge = float(row.points[..., 2].min()), float(row.points[..., 2].max())
    part = np.clip(((vertices[lining, 2] - base) / (edge - base) - with_jaw) / (1 - with_jaw), 0.0, 1.0)
    closed = shape.copy()
    closed[lining] *= (part * part * (3 - 2 * part))[:, None].astype(np.float32)
    return closed


def on_floor(row: Row, vertices: np.ndarray, lining: np.ndarray) -> Row:
    """A lower row whose gums end on the floor where the arches of some people have them sink into it.

    Args:
        row: the row.
        vertices: float [V, 3], neutral, metres.
        lining: int [F, 4], faces of the mouth's lining; -1 in the last column marks a triangle.
    """
    corners = np.where(lining < 0, lining[:, 2:3], lining)
    triangles = vertices[np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]])].astype(np.float64)
    normal = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    upright = normal[:, 2] > UPRIGHT * np.maximum(np.linalg.norm(normal, axis=1), 1e-15)
    points = row.points.copy()
    low, high = row.points[..., 2].min(), row.points[..., 2].max()
    around = (triangles[..., 2].max(axis=1) > low) & (triangles[..., 2].min(axis=1) < high)
    floor = triangles[upright & around]
    if not len(floor):
        return row
    flat = points.reshape(-1, 3)
    height = heights_over(flat, floor)[1] + OVER
    sunken = (height > flat[:, 2]) & (height < flat[:, 2] + SUNKEN)
    flat[sunken, 2] = height[sunken]
    return replace(row, points=points)
