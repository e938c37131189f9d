"""Strips of quads: telling them apart, and putting their vertices in rows. Pure numpy."""

from __future__ import annotations

import numpy as np


def connected_parts(quads: np.ndarray) -> list[np.ndarray]:
    """Indices of the faces of each connected component of quads [n, 4]."""
    label = np.arange(int(quads.max()) + 1)
    while True:
        lowest = label[quads].min(axis=1)
        before = label.copy()
        np.minimum.at(label, quads.ravel(), np.repeat(lowest, quads.shape[1]))
        if np.array_equal(before, label):
            break
    of_face = label[quads[:, 0]]
    return [np.flatnonzero(of_face == k) for k in np.unique(of_face)]


def grid_of_quads(quads: np.ndarray) -> np.ndarray | None:
    """Vertex numbers [R, C] of a strip of quads that forms a regular grid, or None where it does not."""
    face_of_edge = {(int(q[i]), int(q[(i + 1) % 4])): (f, i) for f, q in enumerate(quads) for i in range(4)}
    numbers, counts = np.unique(quads, return_counts=True)
    if (counts == 1).sum() != 4:
        return None
    face, corner = (int(k) for k in np.argwhere(quads == numbers[np.argmax(counts == 1)])[0])
    # Turn so that the first edge leaves the corner and the grid lies to its left.
    rows: list[list[int]] = []
    start: tuple[int, int] | None = (face, corner)
    while start is not None:
        f, i = start
        bottom, top = [int(quads[f][i])], [int(quads[f][(i + 3) % 4])]
        step: tuple[int, int] | None = (f, i)
        while step is not None:
            f, i = step
            bottom.append(int(quads[f][(i + 1) % 4]))
            top.append(int(quads[f][(i + 2) % 4]))
            beyond = face_of_edge.get((top[-1], bottom[-1]))
            # In the next face the shared edge runs from top to bottom, so the bottom edge follows it.
            step = None if beyond is None else (beyond[0], (beyond[1] + 1) % 4)
        if not rows:
            rows.append(bottom)
        rows.append(top)
        start = face_of_edge.get((top[0], top[1]))
        if len(rows) > len(quads) + 1:
            return None
    grid = [r for r in rows if len(r) == len(rows[0])]
    if len(grid) != len(rows) or (len(rows) - 1) * (len(rows[0]) - 1) != len(quads):
        return None
    return np.array(rows, np.int64)


def arc_length(points: np.ndarray) -> np.ndarray:
    """Position [R, C] in [0, 1] along the rows of a grid of points [R, C, 3]."""
    steps = np.linalg.norm(np.diff(points, axis=1), axis=-1)
    length = np.concatenate([np.zeros((len(points), 1)), np.cumsum(steps, axis=1)], axis=1)
    return length / np.maximum(length[:, -1:], 1e-9)
