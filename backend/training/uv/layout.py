"""The texture space of the skin: one mirror-symmetric island that fills the unit square (DESIGN section 4).

Half a head is flattened and mirrored. Its outline is the middle of the face (on u = 0.5), the seam down the back of the
head, and the neck rim; eye and mouth openings are filled with virtual triangles, so that they neither close nor
overlap. The face gets more of the square than its share of the skin, by a density that falls off smoothly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from backend.head.head_parts import Proportions, proportions
from backend.training.uv.flattening import (
    Constraints,
    Outline,
    RestShapes,
    flat_edges,
    in_plane,
    minimise_distortion,
    tutte_embedding,
)
from backend.training.uv.metric import LayoutStyle, away_from_face, densities

# Left free around the island, as a fraction of the square: 20 texels at 1024, so that mip-maps don't bleed.
BORDER = 0.02
# Real triangles flatter than this (their height over their longest edge) are treated as this high.
LEAST_HEIGHT = 0.15
LEAST_HEIGHT_OF_FILLING = 0.5
WEIGHT_OF_FILLING = 3.0


@dataclass(frozen=True)
class SkinUV:
    """The layout of the skin.

    Args:
        uv: float32 [W, 2], (0, 0) bottom-left.
        uv_quads: int32 [Fs, 4], indices into `uv`, corner by corner with the skin's quads.
        uv_vertex: int32 [W], the mesh vertex of each UV vertex (seam vertices come twice).
    """

    uv: np.ndarray
    uv_quads: np.ndarray
    uv_vertex: np.ndarray


@dataclass(frozen=True)
class _Half:
    """The subject's left half (x >= 0), with its own vertex numbers."""

    vertices: np.ndarray  # [H, 3]
    quads: np.ndarray  # [n, 4]
    mesh_vertex: np.ndarray  # [H], number in the mesh
    axis: np.ndarray  # front midline and filling's own, without its two ends
    rim: np.ndarray  # from the front of the neck, up the back, to the crown, without its two ends
    bottom: int
    top: int
    filling: np.ndarray  # virtual triangles [m, 3]


def skin_uv(
    vertices: np.ndarray,  # float [V, 3], metres, head space
    skin_quads: np.ndarray,  # int [Fs, 4], counter-clockwise from outside
    mirror: np.ndarray,  # int [V]
    style: LayoutStyle | None = None,
) -> SkinUV:
    """Lay the skin out in the unit square: upright, symmetric about u = 0.5, seam behind the head.

    Only the skin's left half is looked at; the right half is its exact mirror image.

    Raises:
        ValueError: the skin is not two mirrored halves that meet along the middle, each bounded by the neck rim, one
            eye opening and half a mouth opening.
    """
    style = style or LayoutStyle()
    half = _half_head(vertices, skin_quads, mirror, style)
    outline = Outline(0.5 - BORDER, style.outline_exponent)
    constraints = Constraints(half.axis, half.rim, half.bottom, half.top)
    shapes = _wanted(half, outline, proportions(vertices, mirror), style)
    # First every triangle counts alike, which frees in a few steps those that Tutte's embedding has crushed.
    alike = replace(shapes, weights=np.full(len(shapes.weights), 1 / len(shapes.weights)))
    start, _ = minimise_distortion(_start(half, outline), alike, outline, constraints, tolerance=1e-3)
    flat, _ = minimise_distortion(start, shapes, outline, constraints)
    return _both_sides(flat, half, vertices, skin_quads, mirror)


def _half_head(vertices: np.ndarray, quads: np.ndarray, mirror: np.ndarray, style: LayoutStyle) -> _Half:
    """Cut the skin along the middle and name the parts of the half's boundary."""
    middle = mirror == np.arange(len(mirror))
    left = middle | (vertices[:, 0] > 0)
    kept = quads[left[quads].all(axis=1)]
    if 2 * len(kept) != len(quads):
        raise ValueError("The skin does not fall into two mirrored halves along its middle.")
    mesh_vertex, local = np.unique(kept, return_inverse=True)
    local = local.reshape(-1, 4)
    points, on_middle = vertices[mesh_vertex].astype(np.float64), middle[mesh_vertex]
    points[on_middle, 0] = 0

    loops = _boundary_loops(local)
    outer = [loop for loop in loops if on_middle[loop].any()]
    eyes = [loop for loop in loops if not on_middle[loop].any()]
    if len(outer) != 1 or len(eyes) != 1:
        raise ValueError("Half the skin must have one boundary through the middle, and one eye opening.")
    neck, upper, mouth, lower = _sections(outer[0], on_middle, points)
    crown = _crown(upper, points, style.crown)
    inner, outer_corner = (int(eyes[0][k]) for k in (points[eyes[0], 0].argmin(), points[eyes[0], 0].argmax()))
    lids = _rotated(eyes[0], inner)
    turn = int(np.flatnonzero(lids == outer_corner)[0])
    lips = np.concatenate([upper[-1:], mouth, lower[:1]])
    corner = int(points[lips, 0].argmax())
    filling = np.concatenate(
        [
            _ladder(points, np.append(lids, inner)[: turn - 1 : -1], lids[: turn + 1]),
            _ladder(points, lips[: corner - 1 : -1], lips[: corner + 1]),
        ]
    )
    return _Half(
        points,
        local,
        mesh_vertex,
        axis=np.concatenate([upper[crown + 1 :], lower[:-1]]),
        rim=np.concatenate([neck, upper[:crown]]),
        bottom=int(lower[-1]),
        top=int(upper[crown]),
        filling=filling,
    )


def _boundary_loops(quads: np.ndarray) -> list[np.ndarray]:
    """Closed loops of vertices that run with the faces on their left."""
    directed = np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1).reshape(-1, 2)
    known = {(int(a), int(b)) for a, b in directed}
    following = {a: b for a, b in known if (b, a) not in known}
    loops = []
    while following:
        loop = [min(following)]
        while (vertex := following.pop(loop[-1])) != loop[0]:
            loop.append(vertex)
        loops.append(np.array(loop))
    return loops


def _rotated(loop: np.ndarray, first: int) -> np.ndarray:
    return np.roll(loop, -int((loop == first).argmax()))


def _sections(
    loop: np.ndarray, on_middle: np.ndarray, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Cut the boundary into neck rim, middle from nape over crown to upper lip, lip, middle from lower lip to neck."""
    off = ~on_middle[loop]
    starts = np.flatnonzero(off & ~np.roll(off, 1))
    if len(starts) != 2:
        raise ValueError("The middle of the skin must be interrupted twice: by the mouth and by the neck.")
    loops = [np.roll(loop, -start) for start in starts]
    run_heights = [points[turned[: int(on_middle[turned].argmax())], 1].mean() for turned in loops]
    loop = loops[int(np.argmin(run_heights))]
    changes = np.flatnonzero(np.diff(on_middle[loop].astype(int))) + 1
    neck, upper, lip, lower = np.split(loop, changes)
    return neck, upper, lip, lower


def _crown(upper: np.ndarray, points: np.ndarray, angle: float) -> int:
    """Index into the upper middle chain of the vertex where the seam begins."""
    y, z = points[upper, 1], points[upper, 2]
    from_up = np.arctan2(-(z + 0.075), y)
    return int(np.abs(from_up - angle).argmin())


def _ladder(points: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Triangles [m, 3] between two chains that run alike, `lower` to the right of their direction."""

    def travelled(chain: np.ndarray) -> np.ndarray:
        length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points[chain], axis=0), axis=1))])
        return length / length[-1]

    along_lower, along_upper = travelled(lower), travelled(upper)
    i = j = 0
    triangles = []
    while i < len(lower) - 1 or j < len(upper) - 1:
        if j == len(upper) - 1 or (i < len(lower) - 1 and along_lower[i + 1] <= along_upper[j + 1]):
            triangles.append((lower[i], lower[i + 1], upper[j]))
            i += 1
        else:
            triangles.append((lower[i], upper[j + 1], upper[j]))
            j += 1
    result = np.array(triangles)
    proper = (result != np.roll(result, 1, axis=1)).all(axis=1)
    return result[proper]


def _start(half: _Half, outline: Outline) -> np.ndarray:
    """A first embedding without overlap: the boundary by its length on the skin, the inside by Tutte."""

    def travelled(chain: np.ndarray) -> np.ndarray:
        length = np.cumsum(np.linalg.norm(np.diff(half.vertices[chain], axis=0), axis=1))
        return length / length[-1]

    rim = np.concatenate([[half.bottom], half.rim, [half.top]])
    axis = np.concatenate([[half.top], half.axis, [half.bottom]])
    rim_position = outline.point(outline.spread(travelled(rim)[:-1]))
    down = 0.5 + outline.radius * (1 - 2 * np.concatenate([[0], travelled(axis)]))
    axis_position = np.stack([np.full(len(axis), 0.5), down], axis=1)
    edges = np.concatenate(
        [
            np.stack([half.quads, np.roll(half.quads, -1, axis=1)], -1).reshape(-1, 2),
            np.stack([half.filling, np.roll(half.filling, -1, axis=1)], -1).reshape(-1, 2),
        ]
    )
    edges = np.unique(np.sort(edges, axis=1), axis=0)
    return tutte_embedding(
        len(half.vertices),
        edges,
        np.concatenate([axis, half.rim]),
        np.concatenate([axis_position, rim_position]),
    )


def _wanted(half: _Half, outline: Outline, head: Proportions, style: LayoutStyle) -> RestShapes:
    """Every corner of every quad at its wanted size (so that quads stay convex), and the filling."""
    corners = half.quads[:, [[0, 1, 2], [0, 2, 3], [0, 1, 3], [1, 2, 3]]].reshape(-1, 3)
    triangles = np.concatenate([corners, half.filling])
    real = np.arange(len(triangles)) < len(corners)
    edges = flat_edges(half.vertices, triangles, np.full(len(triangles), LEAST_HEIGHT))
    # Openings keep the shape that they have from the front.
    from_front = half.vertices * [1, 1, 0]
    edges[~real] = flat_edges(from_front, half.filling, np.full(len(half.filling), LEAST_HEIGHT_OF_FILLING))
    along, across = (d[triangles].mean(axis=1) for d in densities(half.vertices, head, style))
    direction = in_plane(half.vertices, triangles, away_from_face(half.vertices, triangles, half.rim))
    stretch = across[:, None, None] * np.eye(2) + np.einsum("n,ni,nj->nij", along - across, direction, direction)
    edges = stretch @ edges
    area = 0.5 * np.linalg.det(edges)
    # Every quad is covered twice by its four corners.
    share = np.where(real, 0.5, 1)
    edges *= np.sqrt(outline.area() / 2 / (area * share).sum())
    weights = share * np.where(real, 1, WEIGHT_OF_FILLING) * area * along**style.loyalty
    return RestShapes(triangles, np.linalg.inv(edges), weights / weights.sum())


def _both_sides(flat: np.ndarray, half: _Half, vertices: np.ndarray, quads: np.ndarray, mirror: np.ndarray) -> SkinUV:
    """Mirror the half's positions [H, 2] and number the UV vertices; those of the seam come once for each side."""
    right = flat.astype(np.float32)
    on_axis = np.concatenate([half.axis, [half.bottom, half.top]])
    right[on_axis, 0] = 0.5
    # 1 - u is exact in single precision for u in [0.5, 1], so the layout is symmetric to the last bit.
    left = np.stack([1 - right[:, 0], right[:, 1]], axis=1)
    shared = np.zeros(len(right), bool)
    shared[on_axis] = True
    left_number = np.where(shared, np.arange(len(right)), len(right) + np.cumsum(~shared) - 1)

    right_of_mesh = np.full(len(vertices), -1)
    right_of_mesh[half.mesh_vertex] = np.arange(len(right))
    left_of_mesh = np.full(len(vertices), -1)
    left_of_mesh[mirror[half.mesh_vertex]] = left_number
    in_right = np.all(right_of_mesh[quads] >= 0, axis=1, keepdims=True)
    uv_quads = np.where(in_right, right_of_mesh[quads], left_of_mesh[quads])
    return SkinUV(
        np.concatenate([right, left[~shared]]),
        uv_quads.astype(np.int32),
        np.concatenate([half.mesh_vertex, mirror[half.mesh_vertex[~shared]]]).astype(np.int32),
    )
