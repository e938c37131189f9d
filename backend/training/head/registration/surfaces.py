"""Geometry on triangle meshes: closest points, loops, smooth extension of displacements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree


@dataclass(frozen=True)
class SurfacePoints:
    """Points on a triangle mesh.

    Args:
        triangles: int [N], triangle indices.
        barycentric: float64 [N, 3].
        points: float64 [N, 3].
        distance: float64 [N], from the query to the point.
        normal_agreement: float64 [N], cosine between the query's normal and the surface's (1 where none was given).
    """

    triangles: np.ndarray
    barycentric: np.ndarray
    points: np.ndarray
    distance: np.ndarray
    normal_agreement: np.ndarray


class Surface:
    """A triangle mesh that answers closest-point queries, with regard to normals where they are given."""

    def __init__(self, vertices: np.ndarray, triangles: np.ndarray, normal_weight: float = 0.008) -> None:
        """`normal_weight` is the distance in metres that a normal difference of length 1 counts for."""
        self.vertices = np.asarray(vertices, np.float64)
        self.triangles = triangles
        self.normals = area_normals(self.vertices, triangles)
        corners = self.vertices[triangles]
        normals = self.normals[triangles]
        blends = np.array([[1, 1, 1], [4, 1, 1], [1, 4, 1], [1, 1, 4]], float)
        blends /= blends.sum(axis=1, keepdims=True)
        sites = np.einsum("sk,tkd->tsd", blends, corners).reshape(-1, 3)
        site_normals = np.einsum("sk,tkd->tsd", blends, normals).reshape(-1, 3)
        self._normal_weight = normal_weight
        self._site_triangle = np.repeat(np.arange(len(triangles)), len(blends))
        self._plain = KDTree(sites)
        self._oriented = KDTree(np.hstack([sites, site_normals * normal_weight]))
        edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
        unique, counts = np.unique(edges, axis=0, return_counts=True)
        self.on_border = np.zeros(len(vertices), bool)
        self.on_border[unique[counts == 1]] = True

    def closest(self, points: np.ndarray, normals: np.ndarray | None = None, candidates: int = 12) -> SurfacePoints:
        """Closest points to `points` [N, 3]; with `normals` [N, 3], those on surfaces that face the same way."""
        points = np.asarray(points, np.float64)
        if normals is None:
            sites = self._plain.query(points, k=candidates)[1]
        else:
            sites = self._oriented.query(np.hstack([points, normals * self._normal_weight]), k=candidates)[1]
        triangles = self._site_triangle[sites]
        corners = self.vertices[self.triangles[triangles]]
        barycentric = closest_barycentric(points[:, None], corners)
        feet = np.einsum("nck,nckd->ncd", barycentric, corners)
        cost = ((feet - points[:, None]) ** 2).sum(axis=-1)
        agreement = np.ones(cost.shape)
        if normals is not None:
            there = np.einsum("nck,nckd->ncd", barycentric, self.normals[self.triangles[triangles]])
            there /= np.maximum(np.linalg.norm(there, axis=-1, keepdims=True), 1e-12)
            agreement = np.einsum("ncd,nd->nc", there, normals)
            cost = cost + self._normal_weight**2 * 2 * (1 - agreement)
        best = cost.argmin(axis=1)
        rows = np.arange(len(points))
        foot = feet[rows, best]
        return SurfacePoints(
            triangles[rows, best],
            barycentric[rows, best],
            foot,
            np.linalg.norm(foot - points, axis=1),
            agreement[rows, best],
        )

    def at_border(self, found: SurfacePoints) -> np.ndarray:
        """bool [N], True where a found point lies on the rim of an open surface."""
        weight_inside = (found.barycentric * ~self.on_border[self.triangles[found.triangles]]).sum(axis=1)
        return weight_inside < 1e-6


def area_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit normals float64 [V, 3], the corners' face normals weighted by area.

    Weighting by angle (`backend.rendering.normals`) lets the noisy normals of slivers count fully, and registration
    then folds the ears.
    """
    corners = vertices[triangles]
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros((len(vertices), 3))
    for corner in range(3):
        for axis in range(3):
            normals[:, axis] += np.bincount(triangles[:, corner], face[:, axis], len(vertices))
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)


def closest_barycentric(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Barycentrics [..., 3] of the point of each triangle `corners` [..., 3, 3] that is nearest to `points` [..., 3].

    Inside the triangle this is the orthogonal projection; outside, the best of the three clamped edges.
    """
    a, b, c = corners[..., 0, :], corners[..., 1, :], corners[..., 2, :]
    ab, ac, ap = b - a, c - a, points - a
    d00, d01, d11 = (ab * ab).sum(-1), (ab * ac).sum(-1), (ac * ac).sum(-1)
    d20, d21 = (ap * ab).sum(-1), (ap * ac).sum(-1)
    determinant = np.maximum(d00 * d11 - d01 * d01, 1e-30)
    v = (d11 * d20 - d01 * d21) / determinant
    w = (d00 * d21 - d01 * d20) / determinant
    inside = np.stack([1 - v - w, v, w], axis=-1)
    options, costs = [], []
    for i, j in ((0, 1), (1, 2), (2, 0)):
        start, along = corners[..., i, :], corners[..., j, :] - corners[..., i, :]
        t = np.clip(((points - start) * along).sum(-1) / np.maximum((along * along).sum(-1), 1e-30), 0, 1)
        option = np.zeros((*t.shape, 3))
        option[..., i], option[..., j] = 1 - t, t
        options.append(option)
        costs.append(((start + t[..., None] * along - points) ** 2).sum(-1))
    edge = np.argmin(np.stack(costs, axis=-1), axis=-1)
    clamped = np.take_along_axis(np.stack(options, axis=-2), edge[..., None, None], axis=-2)[..., 0, :]
    return np.where((inside >= 0).all(axis=-1, keepdims=True), inside, clamped)


def split_ring(ring: np.ndarray, vertices: np.ndarray, up: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """An upper and a lower path, both from the +x corner to the -x corner, of a closed ring of vertices [n]; `up` is
    the axis that tells above from below."""
    start = int(vertices[ring, 0].argmax())
    ring = np.roll(ring, -start)
    end = int(vertices[ring, 0].argmin())
    one, other = ring[: end + 1], np.concatenate([ring[end:], ring[:1]])[::-1]
    return (one, other) if vertices[one, up].mean() > vertices[other, up].mean() else (other, one)


def ring_correspondence(
    ring: np.ndarray, vertices: np.ndarray, target_ring: np.ndarray, target_vertices: np.ndarray, up: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each vertex of a ring lands on another ring, by arc length from corner to corner, above and below.

    Returns:
        the ring's vertices [n] and, for each, two target vertices [n, 2] with their weights [n, 2].
    """
    found: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    paths = zip(split_ring(ring, vertices, up), split_ring(target_ring, target_vertices, up), strict=True)
    for path, target in paths:
        here, there = _arc_length(vertices[path]), _arc_length(target_vertices[target])
        segment = np.clip(np.searchsorted(there, here, side="right") - 1, 0, len(there) - 2)
        t = (here - there[segment]) / (there[segment + 1] - there[segment])
        for vertex, s, weight in zip(path.tolist(), segment, t, strict=True):
            found[vertex] = (target[[s, s + 1]], np.array([1 - weight, weight]))
    order = np.array(list(found))
    return order, np.stack([found[v][0] for v in order]), np.stack([found[v][1] for v in order])


def _arc_length(points: np.ndarray) -> np.ndarray:
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return np.concatenate([[0], np.cumsum(steps)]) / steps.sum()


def quad_edges(quads: np.ndarray) -> np.ndarray:
    """Unique edges int [E, 2] of quads [F, 4]."""
    edges = np.concatenate([quads[:, [k, (k + 1) % 4]] for k in range(4)])
    return np.unique(np.sort(edges, axis=1), axis=0)


def triangulate(quads: np.ndarray) -> np.ndarray:
    """Quads int [F, 4] to triangles int [2 F, 3], cut along corners 0-2."""
    return np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], axis=1).reshape(-1, 3)
