"""Lips that make way for a tongue on its way out. Pure numpy, Blender space.

A tongue is put out over the lower lip and presses it down. A shape moves both on straight lines, and on half the way,
where the tip passes the lip, the jaw is half open: what of a lip the tongue would meet at any part of the way is moved
out of it, down or up, so much at the whole shape that it is enough there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..flesh import STILL, Flesh
from ..heights import heights_over


@dataclass(frozen=True)
class TongueWay:
    """How lips give way.

    Args:
        clearance: what they keep from the tongue, metres.
        stops: how far of the way they are looked at.
        spread: steps over neighbours over which the skin around goes along.
        rounds: how often what is left after spreading is pushed.
        reach: how far before the tongue's tip at rest and beside it flesh is looked at, metres.
        most: no vertex is pushed further in one round, metres.
    """

    clearance: float = 0.0003
    stops: tuple[float, ...] = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8, 0.9, 1.0)
    spread: int = 6
    rounds: int = 4
    reach: float = 0.03
    most: float = 0.006


def out_of_the_way(
    vertices: np.ndarray,
    shape: np.ndarray,
    flesh: np.ndarray,
    tongue: np.ndarray,
    upper: np.ndarray,
    way: TongueWay = TongueWay(),
) -> np.ndarray:
    """What `tongueOut` adds, with lips that lie beside the tongue's way.

    Args:
        vertices: float [V, 3], neutral, metres.
        shape: float32 [V, 3], what the shape adds.
        flesh: int [F, 4], faces of skin and lining; -1 in the last column marks a triangle.
        tongue: int [G, 4], faces of the tongue.
        upper: bool [V], which vertices are of the upper lip: they give way upwards, the others downwards.
        way: how lips give way.

    Returns:
        float32 [V, 3].
    """
    corners = np.where(tongue < 0, tongue[:, 2:3], tongue)
    triangles = np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]])
    at_rest = vertices[np.unique(corners)]
    tip, half = float(at_rest[:, 1].min()), float(np.abs(at_rest[:, 0]).max())
    quads = np.where(flesh < 0, flesh[:, 2:3], flesh)
    before = (vertices[:, 1] < tip + 0.003) & (np.abs(vertices[:, 0]) < half + way.reach)
    before &= np.abs(vertices[:, 2] - at_rest[:, 2].mean()) < way.reach
    quads = quads[before[quads].all(axis=1)]
    if not len(quads):
        return shape
    members = np.unique(quads)
    mesh = Flesh(len(members), np.searchsorted(members, quads))
    neutral, moved = vertices[members].astype(np.float64), shape[members].astype(np.float64)
    upwards = mesh.samples(np.repeat(upper[members, None].astype(np.float64), 3, axis=1))[:, 0] > 0.5
    total = np.zeros_like(neutral)
    for _ in range(way.rounds):
        wanted = np.zeros(len(upwards))
        for stop in way.stops:
            samples = mesh.samples(neutral + stop * (moved + total))
            low, high = heights_over(samples, (vertices + stop * shape)[triangles])
            meets = (samples[:, 2] > low - way.clearance) & (samples[:, 2] < high + way.clearance)
            away = np.where(upwards, high + way.clearance - samples[:, 2], samples[:, 2] - low + way.clearance)
            # What is moved at the whole shape is moved by a part of it on the way.
            wanted = np.maximum(wanted, np.where(meets, np.minimum(away / stop, way.most), 0.0))
        if wanted.max() < STILL:
            break
        push = np.zeros((len(wanted), 3))
        push[:, 2] = np.where(upwards, wanted, -wanted)
        total += mesh.spread(mesh.gathered(push), way.spread)
    cleared = shape.copy()
    cleared[members] += total.astype(np.float32)
    return cleared
