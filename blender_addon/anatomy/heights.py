"""How high a surface lies over a place. Pure numpy."""

from __future__ import annotations

import numpy as np


def heights_over(points: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest z, [n] each, of triangles [m, 3, 3] over or under points [n, 2 or 3]; infinite and
    minus infinite where there is none."""
    lowest, highest = np.full(len(points), np.inf), np.full(len(points), -np.inf)
    near = np.flatnonzero(
        ((points[:, :2] >= triangles[..., :2].min((0, 1))) & (points[:, :2] <= triangles[..., :2].max((0, 1)))).all(1)
    )
    a, b, c = (triangles[:, k, :2] for k in range(3))
    area = _cross(b - a, c - a)
    flat = np.abs(area) < 1e-12
    area = np.where(flat, 1.0, area)
    place = points[near, None, :2]
    u, v = _cross(place - a, c - a) / area, _cross(b - a, place - a) / area
    inside = (u >= 0) & (v >= 0) & (u + v <= 1) & ~flat
    z = (
        triangles[:, 0, 2]
        + u * (triangles[:, 1, 2] - triangles[:, 0, 2])
        + v * (triangles[:, 2, 2] - triangles[:, 0, 2])
    )
    lowest[near] = np.where(inside, z, np.inf).min(axis=1, initial=np.inf)
    highest[near] = np.where(inside, z, -np.inf).max(axis=1, initial=-np.inf)
    return lowest, highest


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
