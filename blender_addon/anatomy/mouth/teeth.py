"""Rows of rounded crowns in place of the head model's two strips of teeth. Pure numpy, Blender space.

The strips say where the arches lie and how they move; a crown's size is anatomy. Nothing here knows of meshes: a row
is a grid of points, from the front's gum over the biting edge to the back, from one side of the arch to the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Crown widths from the middle outwards: incisors, canine, premolars, molars, millimetres. Wheeler's tables (Nelson,
# "Wheeler's Dental Anatomy, Physiology and Occlusion"); the third molar takes what is left of the arch.
UPPER_WIDTHS_MM = (8.5, 6.5, 7.5, 7.0, 7.0, 10.0, 9.0, 8.5)
LOWER_WIDTHS_MM = (5.0, 5.5, 7.0, 7.0, 7.0, 11.0, 10.5, 10.0)
# How far round a row, from the front's gum to the back's, gums end in front, edges lie, and gums begin behind.
NECK, BITE, BACK_NECK = 0.22, 0.60, 0.86
# Where across a crown, from -1 to 1, its columns of vertices lie; the gap at 1 is the next one's at -1.
ACROSS = (-1.0, -0.86, -0.4, 0.4, 0.86)


@dataclass(frozen=True)
class CrownShape:
    """The shape of a row's crowns, millimetres; Wheeler's tables where not said otherwise.

    Args:
        widths: of the crowns from the middle outwards.
        heights: of the crowns in front, gum to edge, one for each width.
        edges: how thick the crowns are at the biting edge.
        bulges: how thick they are at their widest.
        lower: how far the biting edge comes down (upper row) or goes up (lower row, negative: down) from the strip's.
            At rest 2 to 4 mm of the upper incisors lie below the upper lip, and the upper row overlaps the lower by 2
            to 3 mm (Proffit, "Contemporary Orthodontics").
        forward: how far the row comes out from the strip's.
    """

    widths: tuple[float, ...]
    heights: tuple[float, ...]
    edges: tuple[float, ...]
    bulges: tuple[float, ...]
    lower: float
    forward: float


UPPER = CrownShape(
    UPPER_WIDTHS_MM,
    (10.5, 9.2, 10.2, 8.5, 8.0, 7.5, 7.0, 6.5),
    (1.4, 1.4, 2.2, 6.0, 6.0, 8.0, 8.0, 7.5),
    (7.0, 6.0, 8.0, 9.0, 9.0, 11.0, 11.0, 10.0),
    lower=2.6,
    forward=0.9,
)
LOWER = CrownShape(
    LOWER_WIDTHS_MM,
    (8.8, 9.2, 10.2, 8.5, 8.0, 7.5, 7.0, 6.5),
    (1.2, 1.3, 2.2, 5.0, 6.0, 8.0, 8.0, 7.5),
    (5.8, 6.2, 7.5, 8.0, 8.0, 10.0, 10.0, 9.5),
    lower=-0.9,
    forward=-2.0,
)
# Rows of vertices: how far round (NECK, BITE...), height above the edge as a part of the crown's, and where between the
# front (0) and the back (1) of the edge (first) and of the bulge (second number) the surface lies there.
_PROFILE = (
    (0.00, 1.45, 0.0, 0.10),
    (0.17, 1.07, 0.0, 0.04),
    (NECK, 0.97, 0.0, 0.14),
    (0.34, 0.66, 0.0, 0.02),
    (0.46, 0.34, 0.0, 0.03),
    (0.56, 0.07, 0.0, 0.0),
    (BITE, 0.00, 0.5, 0.0),
    (0.64, 0.07, 1.0, 0.0),
    (0.74, 0.45, 1.0, 0.55),
    (BACK_NECK, 0.90, 1.0, 1.0),
    (1.00, 1.35, 1.0, 1.15),
)
# How deep the gaps between crowns are, and how far the corners of the edges are rounded, millimetres.
GAP_DEPTH, CORNER, PAPILLA = 1.1, 0.45, 1.3


@dataclass(frozen=True)
class Row:
    """A row of crowns.

    Args:
        points: float64 [R, C, 3], metres.
        u: float64 [C], where along the arch each column is drawn, [0, 1].
        t: float64 [R], where from the front's gum to the back's, [0, 1].
        upper: whether it is the upper row.
    """

    points: np.ndarray
    u: np.ndarray
    t: np.ndarray
    upper: bool


def crown_edges(widths: tuple[float, ...]) -> np.ndarray:
    """Where the crowns of a row begin and end along the arch, [0, 1], from one side to the other."""
    half = np.concatenate([[0], np.cumsum(widths)]) / np.sum(widths)
    return np.concatenate([0.5 - 0.5 * half[::-1], 0.5 + 0.5 * half[1:]])


def row_of_crowns(strip: np.ndarray, upper: bool) -> Row:
    """A row of crowns along a strip.

    Args:
        strip: float64 [R, C, 3], metres, from the front's gum over the fold to the back, along the arch.
        upper: whether it is the upper row.
    """
    shape = UPPER if upper else LOWER
    down = -1.0 if upper else 1.0
    height = strip[..., 2].mean(axis=1)
    fold = strip[np.argmax(np.abs(height - height[0]))]
    position = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(fold, axis=0), axis=1))])
    middle = np.interp(0.0, fold[:, 0] * np.sign(fold[-1, 0] - fold[0, 0]), position)

    count = len(shape.widths)
    # Outwards from the middle: the crowns' own sizes, and the last one what is left of the arch.
    half = np.concatenate([[0], np.cumsum(shape.widths)]) / 1000
    tooth = np.concatenate([np.repeat(np.arange(2 * count), len(ACROSS)), [2 * count - 1]])
    across = np.concatenate([np.tile(ACROSS, 2 * count), [1.0]])
    edges = crown_edges(shape.widths)
    u = edges[tooth] + (edges[tooth + 1] - edges[tooth]) * (across + 1) / 2
    kind = np.where(tooth < count, count - 1 - tooth, tooth - count)
    reach = min(middle, position[-1] - middle)
    known = half * min(1.0, reach / half[-1])
    known[-1] = reach
    places = np.concatenate([middle - known[::-1], middle + known[1:]])
    along = places[tooth] + (places[tooth + 1] - places[tooth]) * (across + 1) / 2

    # The arch is drawn by a curve without the corners of the strip.
    centre = _along(position, fold, along)
    tangent = _along(position, fold, along + 0.002) - _along(position, fold, along - 0.002)
    tangent[:, 2] = 0
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    outward = np.stack([tangent[:, 1], -tangent[:, 0], np.zeros(len(tangent))], axis=1)
    if outward[np.argmin(np.abs(along - middle)), 1] > 0:
        outward = -outward

    def of(values: tuple[float, ...]) -> np.ndarray:
        return np.array(values)[kind]

    gap = np.abs(across) ** 6
    corner = CORNER * np.abs(across) ** 4
    heights, edge, bulge = of(shape.heights), of(shape.edges), of(shape.bulges)
    points = np.empty((len(_PROFILE), len(along), 3))
    for row, (round_, above, on_edge, on_bulge) in enumerate(_PROFILE):
        depth = edge * on_edge * (on_bulge == 0 or on_edge < 1) + bulge * on_bulge
        if on_edge == 1.0 and on_bulge:
            depth = edge * (1 - on_bulge) + bulge * on_bulge
        crown = NECK <= round_ <= BACK_NECK
        # Gaps are cut from both sides; gums fill them.
        sink = GAP_DEPTH * gap * (1.0 if crown else 0.25)
        depth = depth + (sink if round_ <= BITE else -np.minimum(sink, 0.4 * depth))
        lift = above * heights
        lift = lift + corner * max(0.0, 1 - above / 0.35) - (PAPILLA * gap if round_ in (NECK, 0.17) else 0.0)
        points[row] = centre + outward * ((shape.forward - depth) / 1000)[:, None]
        points[row, :, 2] += down * (shape.lower - lift) / 1000
    return Row(points, u, np.array([row[0] for row in _PROFILE]), upper)


def _along(position: np.ndarray, fold: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Points [n, 3] of the strip's fold, smoothed, at lengths along it."""
    # Five points of a Gaussian a column wide, so that the arch has no corners.
    step = float(np.diff(position).mean())
    offsets, weights = np.array([-1.0, -0.5, 0, 0.5, 1.0]) * step, np.array([0.1, 0.2, 0.4, 0.2, 0.1])
    total = np.zeros((len(where), 3))
    for offset, weight in zip(offsets, weights, strict=True):
        at = where + offset
        inside = np.clip(at, position[0], position[-1])
        point = np.stack([np.interp(inside, position, fold[:, k]) for k in range(3)], axis=1)
        # Beyond the ends it goes on straight.
        ends = np.where((at < position[0])[:, None], fold[0] - fold[1], fold[-1] - fold[-2])
        total += weight * (point + ends / np.linalg.norm(ends, axis=1, keepdims=True) * np.abs(at - inside)[:, None])
    return total
