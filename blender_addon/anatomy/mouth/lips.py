"""Lips and cheeks that stay in front of the teeth in every shape. Pure numpy, Blender space.

A row of crowns is a wall along its arch: at each place along it and each height its front lies so far out. What of the
flesh is before that wall in the neutral face has to be before it in a shape as well; where a shape draws it through,
it is pushed out along the arch's own normal, and its neighbours give way with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..flesh import STILL, Flesh
from .teeth import BITE, Row


@dataclass(frozen=True)
class LipParameters:
    """How flesh gives way.

    Args:
        clearance: what flesh keeps from the teeth, metres, unless it is nearer in the neutral face.
        spread: steps over neighbours over which the skin around goes along.
        rounds: how often what is left after spreading is pushed out.
        back: only teeth in front of this, metres along y from between the eyes: further back gums grow out of flesh.
        most: no vertex is pushed further by one row in one round, metres.
    """

    clearance: float = 0.0005
    spread: int = 10
    rounds: int = 6
    back: float = -0.012
    most: float = 0.008


class Wall:
    """The front of a row of crowns at rest.

    Args:
        row: the row.
        back: see `LipParameters`.
    """

    def __init__(self, row: Row, back: float) -> None:
        front = row.points[row.t <= BITE]
        middle = front[len(front) // 2, :, :2]
        self.arch = middle[_run_in_front(middle[:, 1] < back)]
        columns = np.flatnonzero(_run_in_front(middle[:, 1] < back))
        tangent = np.gradient(self.arch, axis=0)
        normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        # Outwards is forward in the middle of the arch.
        self.normal = normal if normal[len(normal) // 2, 1] < 0 else -normal
        heights = front[:, columns, 2].T
        out = np.einsum("rck,ck->cr", front[:, columns, :2] - self.arch, self.normal)
        order = np.argsort(heights, axis=1)
        self.heights, self.out = np.take_along_axis(heights, order, 1), np.take_along_axis(out, order, 1)

    def reaches(self, points: np.ndarray) -> np.ndarray:
        """Whether points [n, 3] are at the height of any crown, bool [n]; the others need no closer look."""
        return (points[:, 2] > self.heights.min()) & (points[:, 2] < self.heights.max())

    def depths(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """How far points [n, 3] lie behind the front, metres, negative before it; the normals [n, 3] there; and
        whether the crowns reach to their place and height, bool [n]."""
        flat = points[:, :2]
        begin, along = self.arch[:-1], np.diff(self.arch, axis=0)
        share = ((flat[:, None] - begin) * along).sum(-1) / (along**2).sum(-1)
        inside = np.clip(share, 0, 1)
        nearest = np.argmin(np.linalg.norm(flat[:, None] - begin - inside[..., None] * along, axis=-1), axis=1)
        rows = np.arange(len(points))
        part, raw = inside[rows, nearest][:, None], share[rows, nearest]
        normal = (1 - part) * self.normal[nearest] + part * self.normal[nearest + 1]
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        foot = begin[nearest] + part * along[nearest]
        front = (1 - part[:, 0]) * self._front(nearest, points[:, 2]) + part[:, 0] * self._front(
            nearest + 1, points[:, 2]
        )
        low = np.minimum(self.heights[nearest, 0], self.heights[nearest + 1, 0])
        high = np.maximum(self.heights[nearest, -1], self.heights[nearest + 1, -1])
        ends = ((nearest == 0) & (raw < 0)) | ((nearest == len(begin) - 1) & (raw > 1))
        reached = (points[:, 2] > low) & (points[:, 2] < high) & ~ends
        return front - ((flat - foot) * normal).sum(1), np.c_[normal, np.zeros(len(normal))], reached

    def _front(self, column: np.ndarray, height: np.ndarray) -> np.ndarray:
        """How far out the front of columns lies at heights, both [n]."""
        heights, out = self.heights[column], self.out[column]
        last = heights.shape[1] - 1
        above = np.clip((heights < height[:, None]).sum(1), 1, last)
        rows = np.arange(len(column))
        low, high = heights[rows, above - 1], heights[rows, above]
        part = np.clip((height - low) / np.maximum(high - low, 1e-9), 0, 1)
        return (1 - part) * out[rows, above - 1] + part * out[rows, above]


def before_teeth(
    vertices: np.ndarray,
    offsets: np.ndarray,
    flesh: np.ndarray,
    rows: Sequence[tuple[Row, np.ndarray]],
    parameters: LipParameters = LipParameters(),
) -> np.ndarray:
    """Shapes that leave lips and cheeks before the teeth.

    Args:
        vertices: float [V, 3], neutral, metres.
        offsets: float32 [K, V, 3], what each shape adds.
        flesh: int [F, 4], faces of skin and of the mouth's lining; -1 in the last column marks a triangle.
        rows: each row of crowns with the numbers of its vertices, int [R, C].
        parameters: how flesh gives way.

    Returns:
        float32 [K, V, 3].
    """
    quads = np.where(flesh < 0, flesh[:, 2:3], flesh)
    if not rows or not len(quads):
        return offsets
    near = _near(vertices.astype(np.float64), np.unique(quads), rows)
    quads = quads[np.isin(quads, near).all(axis=1)]
    members = np.unique(quads)
    mesh = Flesh(len(members), np.searchsorted(members, quads))
    walls = [Wall(row, parameters.back) for row, _ in rows]
    neutral = vertices[members].astype(np.float64)
    allowed = [_allowed(wall, mesh.samples(neutral), parameters.clearance) for wall in walls]
    offsets = offsets.copy()
    for shape in offsets:
        if np.abs(shape[members]).max() < STILL:
            continue
        motions = [_motion(row, shape[numbers.ravel()]) for row, numbers in rows]
        pushed = _pushed(neutral + shape[members], mesh, walls, allowed, motions, parameters)
        shape[members] += pushed.astype(np.float32)
    return offsets


def _pushed(
    posed: np.ndarray,
    flesh: Flesh,
    walls: Sequence[Wall],
    allowed: Sequence[np.ndarray],
    motions: Sequence[np.ndarray],
    parameters: LipParameters,
) -> np.ndarray:
    """By how much the flesh of a shape gives way, float [n, 3]."""
    total = np.zeros_like(posed)
    for _ in range(parameters.rounds):
        wanted = np.zeros_like(posed)
        for wall, limit, motion in zip(walls, allowed, motions, strict=True):
            # In the frame of the row at rest.
            linear = np.eye(3) + motion[:3]
            samples = (flesh.samples(posed + total) - motion[3]) @ np.linalg.inv(linear)
            at = np.flatnonzero(np.isfinite(limit) & wall.reaches(samples))
            depth, normal, reached = wall.depths(samples[at])
            excess = np.zeros_like(samples)
            excess[at] = np.where(reached, np.clip(depth - limit[at], 0, parameters.most), 0.0)[:, None] * normal
            wanted += flesh.gathered(excess @ linear)
        if np.linalg.norm(wanted, axis=1).max() < STILL:
            break
        total += flesh.spread(wanted, parameters.spread)
    return total


def _allowed(wall: Wall, samples: np.ndarray, clearance: float) -> np.ndarray:
    """How deep samples [s, 3] may lie behind a wall, metres; infinite for those that are not before it at rest."""
    depth, _, _ = wall.depths(samples)
    return np.where(depth < 0, np.maximum(-clearance, depth), np.inf)


def _motion(row: Row, moved: np.ndarray) -> np.ndarray:
    """What moves a row of crowns by offsets [n, 3], affine: float [4, 3] to be multiplied with (x, y, z, 1)."""
    points = row.points.reshape(-1, 3)
    return np.linalg.lstsq(np.c_[points, np.ones(len(points))], moved.astype(np.float64), rcond=None)[0]


def _near(vertices: np.ndarray, members: np.ndarray, rows: Sequence[tuple[Row, np.ndarray]]) -> np.ndarray:
    """Those of some vertices that lie around rows of teeth, so that a shape could bring them there."""
    teeth = np.concatenate([row.points.reshape(-1, 3) for row, _ in rows])
    low, high = teeth.min(0) - 0.025, teeth.max(0) + 0.025
    points = vertices[members]
    return members[((points > low) & (points < high)).all(axis=1)]


def _run_in_front(front: np.ndarray) -> np.ndarray:
    """The columns from the first to the last that are in front, bool [C]."""
    found = np.zeros(len(front), bool)
    if front.any():
        places = np.flatnonzero(front)
        found[places[0] : places[-1] + 1] = True
    return found
