"""The wet rims of the lids and the caruncle in the inner corner, as a band that rides on each lid's edge.

The head model's lids end on the eyeball without any thickness, so nothing pink and wet is seen between lashes and eye.
Pure numpy, Blender space.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RimShape:
    """Sizes in metres; the margin's breadth and the caruncle's after Warwick, "Wolff's Anatomy of the Eye and Orbit".

    Args:
        breadth: how much of the lid's margin is seen from the front.
        caruncle: how much broader the band is in the inner corner.
        caruncle_reach: how far from the corner it is so.
        bulge, caruncle_bulge: how far margin and caruncle stand out of the eyeball.
        tuck: how far the band begins under the lid.
    """

    breadth: float = 0.0008
    caruncle: float = 0.0026
    caruncle_reach: float = 0.0026
    bulge: float = 0.00025
    caruncle_bulge: float = 0.0009
    tuck: float = 0.0004


@dataclass(frozen=True)
class Rim:
    """A closed band.

    Args:
        points: float64 [3, N, 3], from under the lid to the eye, around the opening.
        offsets: float64 [K, 3, N, 3], metres for a weight of 1.
    """

    points: np.ndarray
    offsets: np.ndarray


def lid_edge(border: np.ndarray, centre: np.ndarray, radius: float, vertices: np.ndarray) -> np.ndarray:
    """The vertices of `border` on the lids of one eye, in order around the opening.

    Args:
        border: vertices where skin and lining meet.
        centre, radius: of the eyeball.
        vertices: [V, 3].
    """
    near = border[np.linalg.norm(vertices[border] - centre, axis=1) < 1.1 * radius]
    around = vertices[near] - vertices[near].mean(axis=0)
    # Seen from the front, counter-clockwise; the opening is more than twice as wide as high.
    return near[np.argsort(np.arctan2(2 * around[:, 2], around[:, 0]))]


def rim_of_lids(
    edge: np.ndarray, offsets: np.ndarray, centre: np.ndarray, radius: float, shape: RimShape = RimShape()
) -> Rim:
    """The band along a lid's edge.

    Args:
        edge: float64 [N, 3], the edge in order around the opening.
        offsets: float64 [K, N, 3], what the shapes do to it.
        centre, radius: of the eyeball.
    """
    arm = edge - centre
    reach = np.linalg.norm(arm, axis=1, keepdims=True)
    along = np.roll(edge, -1, axis=0) - np.roll(edge, 1, axis=0)
    inward = np.cross(arm, along)
    inward /= np.linalg.norm(inward, axis=1, keepdims=True)
    inward *= np.sign(((edge.mean(axis=0) - edge) * inward).sum(axis=1, keepdims=True))
    # The inner corner is the end of the opening next to the nose.
    corner = edge[np.argmin(np.abs(edge[:, 0]))]
    near = np.exp(-((np.linalg.norm(edge - corner, axis=1, keepdims=True) / shape.caruncle_reach) ** 2))
    breadth = shape.breadth + shape.caruncle * near
    bulge = shape.bulge + shape.caruncle_bulge * near

    def on_ball(inwards: np.ndarray | float, distance: np.ndarray | float) -> np.ndarray:
        direction = arm + inward * inwards
        return centre + direction / np.linalg.norm(direction, axis=1, keepdims=True) * distance

    points = np.stack(
        [
            on_ball(-shape.tuck, reach - 0.0001),
            on_ball(0.45 * breadth, np.maximum(reach, radius) + bulge - 0.0002),
            on_ball(breadth, np.full_like(reach, radius)),
        ]
    )
    # The band turns about the eyeball's centre as the edge does, so that it stays on the ball.
    moved = np.stack([_turned(points - centre, arm, arm + offset) for offset in offsets]) if len(offsets) else offsets
    return Rim(points, moved - (points - centre) if len(offsets) else np.zeros((0, *points.shape)))


def _turned(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Points [3, N, 3] by the smallest turn and the growth that take arms `start` [N, 3] to `end` (Rodrigues)."""
    long, short = np.linalg.norm(end, axis=1, keepdims=True), np.linalg.norm(start, axis=1, keepdims=True)
    a, b = start / short, end / long
    axis, cosine = np.cross(a, b), (a * b).sum(axis=1, keepdims=True)
    turned = points * cosine + np.cross(np.broadcast_to(axis, points.shape), points)
    turned = turned + axis * (axis * points).sum(axis=-1, keepdims=True) / (1 + cosine)
    return turned * (long / short)
