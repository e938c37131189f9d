"""Exact rasterisation of triangles in the unit UV square."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

# Pixel centres this close (in pixels) to an edge count as inside, so that rounding opens no cracks along shared edges.
EDGE_TOLERANCE = 1e-7
PIXELS_PER_CHUNK = 1 << 20


def rasterise_uv(
    uv_corners: np.ndarray,  # [n, 3, 2], (0, 0) bottom-left
    resolution: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Which triangle covers each texel's centre, and where in it.

    Every row of texels cuts a triangle in one span, whose ends follow from the three edge functions; the texels of all
    spans are then filled at once. Work grows with the texels covered. On a shared edge the later triangle wins.

    Returns:
        triangle: int32 [R, R], -1 outside; row 0 is v = 1.
        barycentric: float32 [R, R, 3], 0 outside.
    """
    # Texel space: x to the right, y down, texel centres at whole numbers.
    corners = np.asarray(uv_corners, np.float64) * resolution
    x, y = corners[..., 0] - 0.5, resolution - 0.5 - corners[..., 1]
    # Barycentric k as a function of the texel: weight_x[k] * column + weight_y[k] * row + weight_1[k].
    ax, ay, bx, by = np.roll(x, -1, 1), np.roll(y, -1, 1), np.roll(x, -2, 1), np.roll(y, -2, 1)
    area = ((ax - x) * (by - y) - (bx - x) * (ay - y))[:, :1]
    usable = np.abs(area[:, 0]) > 1e-12
    area = np.where(usable[:, None], area, 1.0)
    weight_x, weight_y, weight_1 = (ay - by) / area, (bx - ax) / area, (ax * by - bx * ay) / area

    tri, row, first, last = _spans(x, y, weight_x, weight_y, weight_1, usable, resolution)
    triangle = np.full(resolution * resolution, -1, np.int32)
    barycentric = np.zeros((resolution * resolution, 3), np.float32)
    for chunk in _chunks(last - first + 1):
        count = last[chunk] - first[chunk] + 1
        span = np.repeat(np.arange(len(count)), count)
        column = np.arange(len(span)) - np.repeat(np.cumsum(count) - count, count) + first[chunk][span]
        texel, t = row[chunk][span] * resolution + column, tri[chunk]
        at_row = weight_y[t] * row[chunk][:, None] + weight_1[t]
        weights = np.clip(at_row[span] + weight_x[t][span] * column[:, None], 0, 1)
        triangle[texel] = t[span]
        barycentric[texel] = weights / weights.sum(1, keepdims=True)
    shape = (resolution, resolution)
    return triangle.reshape(shape), barycentric.reshape(*shape, 3)


def _spans(
    x: np.ndarray,
    y: np.ndarray,
    weight_x: np.ndarray,
    weight_y: np.ndarray,
    weight_1: np.ndarray,
    usable: np.ndarray,
    resolution: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Triangle, row, first and last column of every run of texels inside a triangle, in the order of the triangles."""
    top = np.clip(np.ceil(y.min(1) - EDGE_TOLERANCE), 0, resolution).astype(np.int64)
    bottom = np.clip(np.floor(y.max(1) + EDGE_TOLERANCE), -1, resolution - 1).astype(np.int64)
    rows = np.where(usable, np.maximum(bottom - top + 1, 0), 0)
    tri = np.repeat(np.arange(len(x)), rows)
    row = np.arange(len(tri)) - np.repeat(np.cumsum(rows) - rows, rows) + top[tri]

    slope, offset = weight_x[tri], weight_y[tri] * row[:, None] + weight_1[tri]
    # The tolerance as a bound on the barycentric: it grows by `scale` per texel across the edge.
    scale = np.hypot(weight_x, weight_y)[tri]
    offset = offset + EDGE_TOLERANCE * scale
    level = np.abs(slope) <= 1e-12 * scale  # edges along the row: all texels of it are inside, or none
    bound = -offset / np.where(level, 1.0, slope)
    low = np.where(~level & (slope > 0), bound, -np.inf).max(1)
    high = np.where(~level & (slope < 0), bound, np.inf).min(1)
    first = np.ceil(np.maximum(low, 0)).astype(np.int64)
    last = np.floor(np.minimum(high, resolution - 1)).astype(np.int64)
    keep = (last >= first) & ~(level & (offset < 0)).any(1)
    return tri[keep], row[keep], first[keep], last[keep]


def _chunks(lengths: np.ndarray) -> list[slice]:
    """Slices of consecutive spans that hold about `PIXELS_PER_CHUNK` texels each."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    cuts = np.searchsorted(ends, np.arange(PIXELS_PER_CHUNK, total, PIXELS_PER_CHUNK)) + 1
    edges = np.unique(np.concatenate([[0], cuts, [len(lengths)]]))
    return [slice(a, b) for a, b in pairwise(edges.tolist())]
