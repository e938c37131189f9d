"""The figures of the head model's report: distances, refits, intersections, lids."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from backend.head.model import HeadModel
from backend.training.head.registration.surfaces import Surface, area_normals


def face_vertices(mean: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """bool [V], True on the face: skin in front of the ears, from above the brows to below the chin, nostril pits
    included."""
    region = (mean[:, 2] > -0.035) & (mean[:, 1] > -0.125) & (mean[:, 1] < 0.075) & (np.abs(mean[:, 0]) < 0.07)
    out = np.zeros(len(mean), bool)
    out[skin] = True
    return out & region


def surface_distance(
    vertices: np.ndarray, triangles: np.ndarray, target: Surface, samples: int, seed: int = 0
) -> dict[str, float]:
    """Distances in mm from points spread evenly over `triangles` to a surface; feet on its rim do not count."""
    rng = np.random.default_rng(seed)
    corners = vertices[triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    chosen = rng.choice(len(triangles), samples, p=area / area.sum())
    r1, r2 = np.sqrt(rng.random(samples)), rng.random(samples)
    barycentric = np.stack([1 - r1, r1 * (1 - r2), r1 * r2], axis=1)
    found = target.closest(np.einsum("nc,ncd->nd", barycentric, corners[chosen]))
    distance = 1000 * found.distance[~target.at_border(found)]
    return {
        "mean_mm": float(distance.mean()),
        "p95_mm": float(np.percentile(distance, 95)),
        "max_mm": float(distance.max()),
    }


def flipped_triangles(vertices: np.ndarray, triangles: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Indices [n] of triangles that point against the mean normal of their corners in a shape [V, 3] but do not in a
    sound reference shape [V, 3]: those that were turned inside out."""

    def against(shape: np.ndarray) -> np.ndarray:
        corners = shape[triangles]
        face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        return (face * area_normals(shape, triangles)[triangles].mean(axis=1)).sum(axis=1) < 0

    return np.flatnonzero(against(vertices) & ~against(reference))


def self_intersections(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Pairs of triangles [n, 2] without a common corner of which an edge of the first pierces the second."""
    corners = vertices[triangles]
    centre = corners.mean(axis=1)
    reach = np.linalg.norm(corners - centre[:, None], axis=2).max(axis=1)
    found = []
    tree = KDTree(centre)
    # Large triangles are few: each asks for neighbours within its own reach and theirs.
    neighbours = tree.query_ball_point(centre, reach + np.percentile(reach, 99.5))
    first = np.repeat(np.arange(len(triangles)), [len(n) for n in neighbours])
    second = np.concatenate([np.asarray(n, np.int64) for n in neighbours])
    near = np.linalg.norm(centre[first] - centre[second], axis=1) < reach[first] + reach[second]
    apart = (triangles[first][:, :, None] != triangles[second][:, None, :]).all(axis=(1, 2))
    first, second = first[near & apart], second[near & apart]
    for k in range(3):
        start, end = corners[first, k], corners[first, (k + 1) % 3]
        hit = _segment_hits(start, end, corners[second])
        found.append(np.stack([first[hit], second[hit]], axis=1))
    return np.unique(np.concatenate(found), axis=0)


def _segment_hits(start: np.ndarray, end: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """True where a segment passes through a triangle (Möller, Trumbore 1997), rows in parallel."""
    along = end - start
    ab, ac = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    p = np.cross(along, ac)
    determinant = (ab * p).sum(axis=1)
    safe = np.where(np.abs(determinant) < 1e-18, 1.0, determinant)
    s = start - corners[:, 0]
    u = (s * p).sum(axis=1) / safe
    q = np.cross(s, ab)
    v = (along * q).sum(axis=1) / safe
    t = (ac * q).sum(axis=1) / safe
    return (np.abs(determinant) >= 1e-18) & (u >= 0) & (v >= 0) & (u + v <= 1) & (t >= 0) & (t <= 1)


def lid_gaps(
    vertices: np.ndarray, margins: list[np.ndarray], spheres: list[tuple[np.ndarray, float]]
) -> dict[str, float]:
    """Distance in mm between the lid margins of each eye and its ball (centre, radius): negative inside."""
    gaps = np.concatenate(
        [
            np.linalg.norm(vertices[margin] - centre, axis=1) - radius
            for margin, (centre, radius) in zip(margins, spheres, strict=True)
        ]
    )
    return {"min_mm": float(1000 * gaps.min()), "max_mm": float(1000 * gaps.max())}


def refit(model: HeadModel, shapes: np.ndarray, mass: np.ndarray, noise: float = 1e-4) -> np.ndarray:
    """Identity coefficients [K, 100] that fit shapes [K, V, 3] best in the metric of vertex masses [V].

    Least squares with the prior p_s ~ N(0, I) at a noise of `noise` metres.
    """
    root = np.sqrt(mass)[None, :, None]
    basis = (model.identity_basis * root).reshape(len(model.identity_basis), -1).astype(np.float64)
    target = ((shapes - model.mean) * root).reshape(len(shapes), -1)
    system = basis @ basis.T + noise**2 * np.eye(len(basis))
    return np.linalg.solve(system, basis @ target.T).T


def align(points: np.ndarray, target: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Points [V, 3] moved rigidly onto a target [V, 3], least squares with vertex masses [V] (Kabsch)."""
    share = mass / mass.sum()
    a, b = share @ points, share @ target
    u, _, vt = np.linalg.svd((points - a).T @ ((target - b) * share[:, None]))
    flip = np.diag([1, 1, np.sign(np.linalg.det(vt.T @ u.T))])
    return (points - a) @ (vt.T @ flip @ u.T).T + b
