"""Smooth vertex normals of a triangle mesh."""

from __future__ import annotations

import numpy as np

from backend.imaging.channels import length, total


def vertex_normals(
    vertices: np.ndarray,  # [V, 3]
    triangles: np.ndarray,  # int [n, 3], counter-clockwise from outside
) -> np.ndarray:
    """Unit normals float32 [V, 3], the corners' face normals weighted by their angles, as Blender smooths them.

    A vertex that no triangle uses gets (0, 0, 0). Source: Thürmer and Wüthrich, "Computing vertex normals from
    polygonal facets", 1998.
    """
    corners = np.asarray(vertices, np.float64)[triangles]
    face = unit(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
    weighted = corner_angles(corners)[:, :, None] * face[:, None, :]
    return unit(sum_by_index(weighted.reshape(-1, 3), triangles.ravel(), len(vertices))).astype(np.float32)


def frames(normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two unit vectors [n, 3] each that complete unit normals [n, 3] to a frame."""
    helper = np.where(np.abs(normals[:, :1]) < 0.9, np.array([[1.0, 0, 0]]), np.array([[0, 1.0, 0]]))
    tangent = np.cross(helper, normals)
    tangent /= np.maximum(length(tangent)[:, None], 1e-9)
    return tangent, np.cross(normals, tangent)


def corner_angles(corners: np.ndarray) -> np.ndarray:
    """Inner angles [n, 3] in radians of triangles given by their corners [n, 3, D]; 0 where an edge has no length."""
    edges = unit(np.roll(corners, -1, axis=1) - corners)
    cosine = -np.einsum("nkd,nkd->nk", edges, np.roll(edges, 1, axis=1))
    valid = (total(np.abs(edges)) > 0) & (total(np.abs(np.roll(edges, 1, axis=1))) > 0)
    return np.where(valid, np.arccos(np.clip(cosine, -1, 1)), 0.0)


def sum_by_index(values: np.ndarray, index: np.ndarray, count: int) -> np.ndarray:
    """Sums float64 [count, D] of the rows of `values` [n, D] that share an index [n]."""
    return np.stack([np.bincount(index, values[:, d], count) for d in range(values.shape[1])], axis=1)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors scaled to length 1 along the last axis; a vector of length 0 stays 0."""
    lengths = length(vectors)[..., None]
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
