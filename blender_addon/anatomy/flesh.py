"""Skin that gives way: points on it, who pushes whom, and how the skin around goes along. Pure numpy."""

from __future__ import annotations

import numpy as np

# Shapes that move nothing by more, metres, and pushes that are shorter, are none.
STILL = 1e-5


class Flesh:
    """A part of the skin and of the mouth's lining by its own numbering.

    Args:
        count: of vertices.
        quads: int [F, 4], its faces.
    """

    def __init__(self, count: int, quads: np.ndarray) -> None:
        self.count, self.quads = count, quads
        edges = np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1).reshape(-1, 2)
        self.edges = np.unique(np.sort(edges[edges[:, 0] != edges[:, 1]], axis=1), axis=0)
        self.degree = np.bincount(self.edges.ravel(), minlength=self.count)[:, None]

    def samples(self, points: np.ndarray) -> np.ndarray:
        """Vertices, middles of edges and of faces [s, 3] of vertices [n, 3]."""
        return np.concatenate([points, points[self.edges].mean(1), points[self.quads].mean(1)])

    def gathered(self, of_sample: np.ndarray) -> np.ndarray:
        """For each vertex the longest of the vectors [s, 3] at itself, its edges and faces, [n, 3]."""
        found = of_sample[: self.count].copy()
        length = np.linalg.norm(found, axis=1)
        edge_end = self.count + len(self.edges)
        for corners, values in ((self.edges, of_sample[self.count : edge_end]), (self.quads, of_sample[edge_end:])):
            size = np.linalg.norm(values, axis=1)
            for index in np.flatnonzero(size > 0):
                for vertex in corners[index]:
                    if size[index] > length[vertex]:
                        found[vertex], length[vertex] = values[index], size[index]
        return found

    def averaged(self, values: np.ndarray) -> np.ndarray:
        """Values [n, 3] with half of the mean of their neighbours'."""
        total = np.zeros_like(values)
        np.add.at(total, self.edges[:, 0], values[self.edges[:, 1]])
        np.add.at(total, self.edges[:, 1], values[self.edges[:, 0]])
        return 0.5 * values + 0.5 * total / np.maximum(self.degree, 1)

    def spread(self, wanted: np.ndarray, steps: int) -> np.ndarray:
        """Pushes [n, 3] with which the skin around goes along over some steps, none of them any shorter."""
        size = np.linalg.norm(wanted, axis=1, keepdims=True)
        direction = wanted / np.maximum(size, 1e-12)
        spread = wanted
        for _ in range(steps):
            spread = self.averaged(spread)
            short = np.maximum(size[:, 0] - (spread * direction).sum(1), 0)
            spread = spread + short[:, None] * direction
        return spread
