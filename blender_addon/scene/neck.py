"""The neck of a head: where it ends."""

from __future__ import annotations

import bpy
import numpy as np


def border_of_neck(head: bpy.types.Object, vertices: np.ndarray) -> np.ndarray:
    """The vertices, int [n], of the lowest of the rims at which the head's surface ends."""
    mesh = head.data
    of_corner = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("edge_index", of_corner)
    rims = np.flatnonzero(np.bincount(of_corner, minlength=len(mesh.edges)) == 1)
    ends = np.empty(2 * len(mesh.edges), np.int32)
    mesh.edges.foreach_get("vertices", ends)
    edges = ends.reshape(-1, 2)[rims]
    found = {int(edges.ravel()[np.argmin(vertices[edges.ravel()][:, 2])])}
    while True:
        further = found | set(edges[np.isin(edges, list(found)).any(axis=1)].ravel().tolist())
        if further == found:
            return np.array(sorted(found))
        found = further
