"""Where the texture of a head is cut. Pure numpy."""

from __future__ import annotations

import numpy as np

from .geometry import HeadGeometry

UV_TOLERANCE = 1e-5


def seam_edges(geometry: HeadGeometry) -> np.ndarray:
    """Edges int32 [n, 2] of vertices at which the texture is cut: its two faces have different coordinates there."""
    quads, uv = geometry.quads, geometry.corner_uv
    count = len(geometry.vertices)
    sides = []
    for i in range(4):
        # The last corner of a triangle is missing: its third edge leads back to the first.
        j = np.where(quads[:, (i + 1) % 4] < 0, 0, (i + 1) % 4)
        rows = np.arange(len(quads))
        a, b = quads[:, i], quads[rows, j]
        at_a, at_b = uv[:, i], uv[rows, j]
        swap = (a > b)[:, None]
        ends = np.where(swap, np.c_[at_b, at_a], np.c_[at_a, at_b])
        sides.append(np.c_[np.minimum(a, b) * np.int64(count) + np.maximum(a, b), ends][a >= 0])
    table = np.concatenate(sides)
    table = table[np.argsort(table[:, 0], kind="stable")]
    same_edge = table[1:, 0] == table[:-1, 0]
    differs = np.abs(table[1:, 1:] - table[:-1, 1:]).max(axis=1) > UV_TOLERANCE
    keys = np.unique(table[1:, 0][same_edge & differs].astype(np.int64))
    return np.stack([keys // count, keys % count], axis=1).astype(np.int32)
