"""Lids that stay before their eyeballs in every shape, and on the way there. Pure numpy, Blender space.

A lid that closes goes round the eyeball, a shape key straight through it: half a blink cuts into the ball, the deeper
the further the lid goes. Lids that a shape leads through give way outwards, so much that half of it clears the ball.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..flesh import STILL, Flesh


@dataclass(frozen=True)
class LidParameters:
    """How lids and eyeballs make room for each other.

    Args:
        touch: how deep the middle of a face may lie in the eyeball's sphere, metres: a face is flat, the ball round.
        smallest: part of its radius that an eyeball keeps.
        stops: how far of the way to a shape it is looked at.
        spread: steps over neighbours over which the skin around goes along.
        rounds: how often what is left after spreading is pushed out.
        near: in radii of the eyeball, how far from its middle skin is its lids'.
    """

    touch: float = 0.00015
    smallest: float = 0.95
    stops: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    spread: int = 2
    rounds: int = 4
    near: float = 1.35


@dataclass(frozen=True)
class Ball:
    """An eyeball: its centre float64 [3] and radius, metres."""

    centre: np.ndarray
    radius: float


def ball_under_lids(
    ball: Ball, vertices: np.ndarray, skin: np.ndarray, parameters: LidParameters = LidParameters()
) -> Ball:
    """An eyeball as large as its lids leave room for at rest, about the same centre.

    Args:
        ball: as the head model has it.
        vertices: float [V, 3], neutral.
        skin: int [F, 4], faces of the skin; -1 in the last column marks a triangle.
        parameters: how deep lids may lie in it.
    """
    quads = np.where(skin < 0, skin[:, 2:3], skin)
    nearest = np.linalg.norm(vertices[quads].mean(axis=1) - ball.centre, axis=1).min(initial=np.inf)
    return replace(
        ball, radius=float(np.clip(nearest + parameters.touch, parameters.smallest * ball.radius, ball.radius))
    )


def before_eyeballs(
    vertices: np.ndarray,
    offsets: np.ndarray,
    skin: np.ndarray,
    balls: Sequence[Ball],
    parameters: LidParameters = LidParameters(),
) -> np.ndarray:
    """Shapes that leave the lids before the eyeballs.

    Args:
        vertices: float [V, 3], neutral, metres.
        offsets: float32 [K, V, 3], what each shape adds.
        skin: int [F, 4], faces of the skin; -1 in the last column marks a triangle.
        balls: the eyeballs.
        parameters: how lids give way.

    Returns:
        float32 [K, V, 3].
    """
    offsets = offsets.copy()
    quads = np.where(skin < 0, skin[:, 2:3], skin)
    for ball in balls:
        away = np.linalg.norm(vertices[quads].mean(axis=1) - ball.centre, axis=1)
        near = quads[away < parameters.near * ball.radius]
        members = np.unique(near)
        if not len(members):
            continue
        flesh = Flesh(len(members), np.searchsorted(members, near))
        neutral = vertices[members].astype(np.float64)
        allowed = np.maximum(_depths(flesh.samples(neutral), ball), parameters.touch)
        for shape in offsets:
            if np.abs(shape[members]).max() >= STILL:
                pushed = _pushed(neutral, shape[members].astype(np.float64), flesh, ball, allowed, parameters)
                shape[members] += pushed.astype(np.float32)
    return offsets


def along_with(points: np.ndarray, skin: np.ndarray, pushes: np.ndarray) -> np.ndarray:
    """What points [n, 3], such as lashes, take over of pushes [K, s, 3] of the skin's vertices [s, 3]: their nearest
    one's, [K, n, 3]."""
    nearest = np.argmin(np.linalg.norm(points[:, None] - skin[None], axis=-1), axis=1)
    return pushes[:, nearest]


def _depths(points: np.ndarray, ball: Ball) -> np.ndarray:
    return ball.radius - np.linalg.norm(points - ball.centre, axis=1)


def _pushed(
    neutral: np.ndarray,
    shape: np.ndarray,
    flesh: Flesh,
    ball: Ball,
    allowed: np.ndarray,
    parameters: LidParameters,
) -> np.ndarray:
    """By how much the lids of a shape give way, [n, 3]."""
    total = np.zeros_like(neutral)
    for _ in range(parameters.rounds):
        wanted = np.zeros((len(allowed), 3))
        length = np.zeros(len(allowed))
        for stop in parameters.stops:
            samples = flesh.samples(neutral + stop * (shape + total))
            # What is pushed at the whole shape is pushed by a part of it on the way.
            needed = np.maximum(_depths(samples, ball) - allowed, 0.0) / stop
            outward = samples - ball.centre
            outward /= np.linalg.norm(outward, axis=1, keepdims=True)
            more = needed > length
            wanted[more], length[more] = (needed[:, None] * outward)[more], needed[more]
        if length.max() < STILL:
            break
        total += flesh.spread(flesh.gathered(wanted), parameters.spread)
    return total
