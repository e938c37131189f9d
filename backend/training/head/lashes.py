"""Lashes: strips that grow from the front edge of the lids and go where it goes."""

from __future__ import annotations

import numpy as np

from backend.training.head.registration.extension import vertices_of
from backend.training.head.registration.surfaces import split_ring
from backend.training.head.sources.hm08 import HeadTopology

REACH = 0.0012  # metres along the lid over which the edge's motion is averaged


def lash_roots(topology: HeadTopology) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each lash vertex hangs on: lash vertices int [n], lid edge vertices int [e], and weights [n, e]."""
    lashes = vertices_of(topology, "lashes")
    place = topology.vertices[lashes]
    left_edge = topology.lid_edge_left
    edges, weights = [], []
    for edge, side in ((left_edge, 1), (topology.mirror[left_edge], -1)):
        for part, path in zip((1, -1), split_ring(edge, topology.vertices), strict=True):
            root = topology.vertices[path]
            # Upper strips lie above the line between the corners of the eye, lower ones below it.
            line = np.interp(place[:, 0], np.sort(root[[0, -1], 0]), root[[0, -1], 1][np.argsort(root[[0, -1], 0])])
            mine = (place[:, 0] * side > 0) & ((place[:, 1] - line) * part > 0)
            closeness = np.exp(-(((place[:, None, 0] - root[None, :, 0]) / REACH) ** 2) / 2) + 1e-12
            edges.append(path)
            weights.append(closeness * mine[:, None])
    weight = np.concatenate(weights, axis=1)
    return lashes, np.concatenate(edges), weight / weight.sum(axis=1, keepdims=True)


def move_lashes(
    topology: HeadTopology, fields: np.ndarray, vertices: np.ndarray, turn_about: np.ndarray | None = None
) -> np.ndarray:
    """Displacement fields [K, V, 3] of the head `vertices` [V, 3] in which the lashes follow the lid edge.

    With `turn_about` (eyeball centres, left and right, [2, 3]) the lashes turn with the lid about its eyeball, as they
    do when an eye closes; without, they are only shifted.
    """
    lashes, edge, weight = lash_roots(topology)
    out = fields.copy()
    shift = np.einsum("ne,ked->knd", weight, fields[:, edge])
    out[:, lashes] = shift
    if turn_about is not None:
        root = weight @ vertices[edge]
        centre = np.where(root[:, :1] > 0, turn_about[0], turn_about[1])
        hair = vertices[lashes] - root
        for k in range(len(fields)):
            out[k, lashes] = shift[k] + _turn(root - centre, root + shift[k] - centre, hair) - hair
    return out


def _turn(before: np.ndarray, after: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Vectors [n, 3] turned by the smallest rotation that takes direction `before` to `after` (Rodrigues)."""
    a = before / np.linalg.norm(before, axis=1, keepdims=True)
    b = after / np.linalg.norm(after, axis=1, keepdims=True)
    axis, cosine = np.cross(a, b), (a * b).sum(axis=1, keepdims=True)
    along = (axis * vectors).sum(axis=1, keepdims=True)
    return vectors * cosine + np.cross(axis, vectors) + axis * along / (1 + cosine)
