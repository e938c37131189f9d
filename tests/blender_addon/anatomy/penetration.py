"""How deep teeth, tongue and eyeballs lie inside the skin around them: a signed distance to triangles, in numpy."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from blender_addon.anatomy.geometry import HeadGeometry, part_faces

# Triangles whose middle is among the nearest so many are looked at for the closest point.
CANDIDATES = 400
# What may touch what: the moving part, and the faces it is measured against.
PAIRS = {"teeth and lips": "teeth", "tongue and lips": "tongue", "lids and eyes": "eyes"}


def posed(built: HeadGeometry, weights: dict[str, float]) -> np.ndarray:
    """Vertices [V, 3] with shapes dialled in, metres."""
    total = built.vertices.astype(np.float64)
    for name, weight in weights.items():
        total = total + weight * built.shape_offsets[built.shape_names.index(name)]
    return total


def depths_mm(built: HeadGeometry, weights: dict[str, float]) -> dict[str, float]:
    """The deepest interpenetration of each pair, millimetres; 0 where nothing touches.

    Teeth and tongue are measured by their vertices against the lips and the mouth's lining, which bound the flesh;
    lids, by the skin's vertices in front of an eyeball, against the sphere that the eyeball is.
    """
    vertices = posed(built, weights)
    flesh = np.concatenate([part_faces(built, "skin"), part_faces(built, "mouth")])
    quads = built.quads[flesh]
    middle = built.vertices[quads].mean(1)
    # Around the mouth, in the neutral face.
    near = (np.abs(middle[:, 0]) < 0.04) & (middle[:, 2] < -0.04) & (middle[:, 2] > -0.105) & (middle[:, 1] < 0.01)
    triangles = _triangles(vertices, quads[near])
    found = {}
    for pair, part in PAIRS.items():
        if part == "eyes":
            found[pair] = _lids(built, vertices)
            continue
        numbers = np.unique(built.quads[part_faces(built, part)])
        # Only the front of the mouth: further back, gums and tongue grow out of the flesh.
        numbers = numbers[built.vertices[numbers, 1] < (-0.012 if part == "teeth" else 0.005)]
        distance = signed_distance(vertices[numbers], triangles)
        # Where lips fold over each other, the closest triangle may be the other one's far side.
        behind = np.flatnonzero(distance < 0)
        inside = behind[winding_number(vertices[numbers[behind]], _triangles(vertices, quads)) > 0.5]
        found[pair] = 1000 * float(np.max(-distance[inside], initial=0.0))
    return found


def winding_number(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """How often a surface of triangles [m, 3, 3] winds around points [n, 3]: 0 outside, 1 inside, float [n].

    A surface with holes gives what lies between (Jacobson, Kavan and Sorkine-Hornung, "Robust inside-outside
    segmentation using generalized winding numbers", 2013); solid angles after van Oosterom and Strackee 1983.
    """
    found = np.zeros(len(points))
    for index, point in enumerate(points):
        a, b, c = np.moveaxis(triangles - point, 1, 0)
        far_a, far_b, far_c = (np.linalg.norm(arm, axis=1) for arm in (a, b, c))
        volume = (a * np.cross(b, c)).sum(1)
        below = far_a * far_b * far_c + (a * b).sum(1) * far_c + (b * c).sum(1) * far_a + (c * a).sum(1) * far_b
        found[index] = np.arctan2(volume, below).sum() / (2 * np.pi)
    return found


def signed_distance(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Distance [n] of points to the closest of triangles [m, 3, 3]; negative behind it."""
    tree = KDTree(triangles.mean(axis=1))
    _, near = tree.query(points, k=min(CANDIDATES, len(triangles)))
    corners = triangles[near]
    closest = closest_points(points[:, None], corners)
    away = points[:, None] - closest
    distance = np.linalg.norm(away, axis=-1)
    normal = np.cross(corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :])
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-15)
    best = distance.min(axis=1, keepdims=True)
    # Triangles that share the closest point count by the angle that each takes up there (Baerentzen and Aanaes,
    # "Signed distance computation using the angle weighted pseudonormal", 2005).
    shared = distance <= best + 1e-7
    weight = shared * _angle_at(closest, corners)
    side = (away * (normal * weight[..., None]).sum(axis=1, keepdims=True)).sum(-1)
    first = np.argmin(distance, axis=1)[:, None]
    return best[:, 0] * np.sign(np.take_along_axis(side, first, axis=1)[:, 0])


def _angle_at(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The angle [...] that triangles take up around points [..., 3] on them."""
    arms = triangles - points[..., None, :]
    length = np.linalg.norm(arms, axis=-1)
    units = arms / np.maximum(length, 1e-15)[..., None]
    following = np.roll(units, -1, axis=-2)
    angle = np.arccos(np.clip((units * following).sum(-1), -1, 1))
    # Seen from one of its corners, a triangle shows the side across alone.
    here = (length < 1e-9) | (np.roll(length, -1, axis=-1) < 1e-9)
    return np.where(here, 0.0, angle).sum(-1)


def closest_points(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The points [..., 3] of triangles [..., 3, 3] that are closest to points [..., 3]."""
    a, b, c = (triangles[..., k, :] for k in range(3))
    ab, ac, ap = b - a, c - a, points - a
    d00, d01, d11 = (ab * ab).sum(-1), (ab * ac).sum(-1), (ac * ac).sum(-1)
    d20, d21 = (ap * ab).sum(-1), (ap * ac).sum(-1)
    area = np.maximum(d00 * d11 - d01 * d01, 1e-30)
    v, w = (d11 * d20 - d01 * d21) / area, (d00 * d21 - d01 * d20) / area
    inside = (v >= 0) & (w >= 0) & (v + w <= 1)
    plane = a + v[..., None] * ab + w[..., None] * ac
    ends = np.stack([_on_segment(points, *ends) for ends in ((a, b), (b, c), (c, a))], axis=-2)
    gap = np.linalg.norm(points[..., None, :] - ends, axis=-1)
    edge = np.take_along_axis(ends, np.argmin(gap, axis=-1)[..., None, None], axis=-2)[..., 0, :]
    return np.where(inside[..., None], plane, edge)


def _on_segment(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    along = b - a
    t = ((points - a) * along).sum(-1) / np.maximum((along * along).sum(-1), 1e-30)
    return a + np.clip(t, 0, 1)[..., None] * along


def _triangles(vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    return vertices[np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])]


def _lids(built: HeadGeometry, vertices: np.ndarray) -> float:
    """How deep the middle of a skin's face in front of an eye lies in the eyeball, millimetres."""
    middle = vertices[built.quads[part_faces(built, "skin")]].mean(1)
    deepest = 0.0
    for eye in built.eyes.values():
        away = np.linalg.norm(middle - eye.centre, axis=1)
        deepest = max(deepest, 1000 * float((eye.radius - away).max()))
    return deepest
