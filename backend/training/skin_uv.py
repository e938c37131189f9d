"""The texture space of the skin: one mirror-symmetric island that fills the unit square (DESIGN section 4).

Half a head is flattened and mirrored. Its outline is the middle of the face (on u = 0.5), the seam down the back of the
head, and the neck rim; eye and mouth openings are filled with virtual triangles, so that they neither close nor
overlap. The face gets more of the square than its share of the skin, by a density that falls off smoothly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.training.flattening import (
    Constraints,
    Outline,
    RestShapes,
    minimise_distortion,
    rest_shapes,
    tutte_embedding,
)

# Left free around the island, as a fraction of the square: 20 texels at 1024, so that mip-maps don't bleed.
BORDER = 0.02
# Real triangles flatter than this (their height over their longest edge) are treated as this high.
LEAST_HEIGHT = 0.15
LEAST_HEIGHT_OF_FILLING = 0.5
WEIGHT_OF_FILLING = 0.1


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
class LayoutStyle:
    """How the square is shared out; the densities are lengths in the map per length on the skin, the face being 1.

    Args:
        crown: where the seam begins, as a direction from the head's middle: radians from straight up to the back.
        outline_exponent: how square the island's outline is.
        ear, scalp, neck: densities there.
        loyalty: how much a density's distortion counts: energy weights are target area times density ** loyalty.
    """

    crown: float = 0.6
    outline_exponent: float = 6.0
    ear: float = 0.6
    scalp: float = 0.4
    neck: float = 0.4
    loyalty: float = 1.0


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
    start = _start(half, outline)
    constraints = Constraints(half.axis, half.rim, half.bottom, half.top)
    flat, _ = minimise_distortion(start, _wanted(half, outline, style), outline, constraints)
    return _both_sides(flat, half, vertices, skin_quads, mirror)


def density(vertices: np.ndarray, style: LayoutStyle) -> np.ndarray:
    """Wanted map length per skin length [n] at points [n, 3] in head space (metres), 1 on the face.

    Falls off smoothly with the angle around the head's vertical axis from the ears on, above the hairline, and below
    the jaw. Distances are those of an adult head with eyes 63 mm apart.
    """
    x, y, z = vertices.T
    around = np.arctan2(np.abs(x), z + 0.075)
    behind = _smoothstep(around, np.radians(80), np.radians(130))
    above = _smoothstep(y + 0.35 * np.minimum(z, 0), 0.05, 0.12)
    # The jaw line rises from the chin to the ear.
    below = _smoothstep(-y - 0.55 * np.minimum(z - 0.01, 0) - 0.115, 0.0, 0.07)
    ear = _smoothstep(np.abs(x), 0.070, 0.078) * (1 - _smoothstep(np.hypot(y + 0.015, z + 0.085), 0.035, 0.06))
    scalp = np.log(style.scalp) * np.maximum(above, behind)
    outer = scalp * (1 - below) + np.log(style.neck) * below
    return np.exp(outer * (1 - ear) + np.log(style.ear) * ear)


def _smoothstep(value: np.ndarray, low: float, high: float) -> np.ndarray:
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


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
    inner, outer_corner = eyes[0][points[eyes[0], 0].argmin()], eyes[0][points[eyes[0], 0].argmax()]
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
    return np.roll(loop, -int(np.flatnonzero(loop == first)[0]))


def _sections(loop: np.ndarray, on_middle: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, ...]:
    """Cut the boundary into neck rim, middle from nape over crown to upper lip, lip, middle from lower lip to neck."""
    off = ~on_middle[loop]
    starts = np.flatnonzero(off & ~np.roll(off, 1))
    if len(starts) != 2:
        raise ValueError("The middle of the skin must be interrupted twice: by the mouth and by the neck.")
    loops = [np.roll(loop, -start) for start in starts]
    run_heights = [points[turned[: int(on_middle[turned].argmax())], 1].mean() for turned in loops]
    loop = loops[int(np.argmin(run_heights))]
    changes = np.flatnonzero(np.diff(on_middle[loop].astype(int))) + 1
    return tuple(np.split(loop, changes))


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


def _wanted(half: _Half, outline: Outline, style: LayoutStyle) -> RestShapes:
    """Every corner of every quad at its wanted size (so that quads stay convex), and the filling."""
    corners = half.quads[:, [[0, 1, 2], [0, 2, 3], [0, 1, 3], [1, 2, 3]]].reshape(-1, 3)
    triangles = np.concatenate([corners, half.filling])
    real = np.arange(len(triangles)) < len(corners)
    p = half.vertices[triangles]
    area = 0.5 * np.linalg.norm(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1)
    wanted = density(half.vertices, style)[triangles].mean(axis=1)
    # Every quad is covered twice by its four corners.
    total = float((area * wanted**2)[real].sum() / 2 + (area * wanted**2)[~real].sum())
    scale = wanted * np.sqrt(outline.area() / 2 / total)
    weights = np.where(real, 0.5, WEIGHT_OF_FILLING) * area * scale**2 * wanted**style.loyalty
    return rest_shapes(half.vertices, triangles, scale, weights, np.where(real, LEAST_HEIGHT, LEAST_HEIGHT_OF_FILLING))


def _both_sides(flat: np.ndarray, half: _Half, vertices: np.ndarray, quads: np.ndarray, mirror: np.ndarray) -> SkinUV:
    """Mirror the half's positions [H, 2] and number the UV vertices; those of the seam come once for each side."""
    right = flat.astype(np.float32)
    on_axis = np.concatenate([half.axis, [half.bottom, half.top]])
    right[on_axis, 0] = 0.5
    # 1 - u is exact in single precision for u in [0.5, 1], so the layout is symmetric to the last bit.
    left = np.stack([1 - right[:, 0], right[:, 1]], axis=1)
    shared = np.isin(np.arange(len(right)), on_axis)
    left_number = np.where(shared, np.arange(len(right)), len(right) + np.cumsum(~shared) - 1)

    right_of_mesh = np.full(len(vertices), -1)
    right_of_mesh[half.mesh_vertex] = np.arange(len(right))
    left_of_mesh = np.full(len(vertices), -1)
    left_of_mesh[mirror[half.mesh_vertex]] = left_number
    in_right = (right_of_mesh[quads] >= 0).all(axis=1)
    uv_quads = np.where(in_right[:, None], right_of_mesh[quads], left_of_mesh[quads])
    return SkinUV(
        np.concatenate([right, left[~shared]]),
        uv_quads.astype(np.int32),
        np.concatenate([half.mesh_vertex, mirror[half.mesh_vertex[~shared]]]).astype(np.int32),
    )
