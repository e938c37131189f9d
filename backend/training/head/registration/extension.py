"""Smooth extension of displacements over the head: from known vertices to unknown ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import coo_matrix, diags, eye
from scipy.sparse.linalg import splu
from scipy.spatial import KDTree

from backend.training.head.registration.surfaces import quad_edges
from backend.training.head.sources.hm08 import HeadTopology

SMOOTHING = 0.02  # weight of the squared Laplacian against a trusted correspondence
MEMBRANE = 1e-4  # keeps vertices without any correspondence from overshooting


def vertices_of(topology: HeadTopology, *names: str) -> np.ndarray:
    """Vertices int64 [n] of the named parts."""
    wanted = [topology.part_names.index(n) for n in names]
    return np.unique(topology.quads[np.isin(topology.face_part, wanted)])


def smooth_solver(quads: np.ndarray, vertices: np.ndarray, weight: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A solver for min sum w |d - d0|^2 + SMOOTHING |L d|^2 + MEMBRANE |grad d|^2 on the mesh of `quads`.

    Args:
        quads: int [F, 4], over the whole head's vertex numbers.
        vertices: int [n], the vertices solved for, in ascending order.
        weight: float64 [n], w.

    Returns:
        a function from w * d0 [n, C] to d [n, C].
    """
    index = np.full(int(vertices.max()) + 1, -1)
    index[vertices] = np.arange(len(vertices))
    edges = index[quad_edges(quads)]
    n = len(vertices)
    adjacency = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(n, n))
    adjacency = (adjacency + adjacency.T).tocsr()
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    laplacian = eye(n) - diags(1 / degree) @ adjacency
    graph = diags(degree) - adjacency
    return splu((diags(weight) + SMOOTHING * laplacian.T @ laplacian + MEMBRANE * graph).tocsc()).solve


class Linings:
    """Moves the linings of mouth and eye sockets with the skin in front of them, so that they don't come through it."""

    REACH = 0.006  # metres over which the skin's motion is averaged
    DEPTH = 0.010  # metres behind the skin at which a lining follows what lies inside rather than the skin

    def __init__(self, topology: HeadTopology, mean: np.ndarray) -> None:
        """`mean` [V, 3] is the head that distances are measured on, metres."""
        skin = vertices_of(topology, "skin")
        self.vertices = np.setdiff1d(vertices_of(topology, "mouth"), skin)
        distance, nearest = KDTree(mean[skin]).query(mean[self.vertices], k=24)
        weight = np.exp(-((distance / self.REACH) ** 2) / 2 + (distance[:, :1] / self.REACH) ** 2 / 2)
        self._nearest, self._weight = skin[nearest], weight / weight.sum(axis=1, keepdims=True)
        self._share = np.exp(-((distance[:, 0] / self.DEPTH) ** 2))[None, :, None]

    def follow(self, fields: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """Displacements [K, n, 3] of `vertices`, from those of the skin in fields [K, V, 3] and of what lies inside
        [K, n, 3]."""
        skin = np.einsum("vn,kvnd->kvd", self._weight, fields[:, self._nearest])
        return self._share * skin + (1 - self._share) * inside
