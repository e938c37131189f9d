"""Where a head goes on a body, how the neck blends, and how everything around goes along; in numpy alone."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

# Points are moved by all that lie within this many times the distance of the nearest.
FIELD_REACH = 2.0
# How many times the gap between two necks their blend reaches: a bend of 25 degrees at most.
GENTLE = 4.0
# Points at once, so that the table of distances stays small.
CHUNK = 256


@dataclass(frozen=True)
class Placement:
    """A rotation, a scale and a shift, in this order.

    Args:
        rotation: float [3, 3].
        scale: units of the target for one of the source.
        shift: float [3], in the target's units.
    """

    rotation: np.ndarray
    scale: float
    shift: np.ndarray

    def points(self, points: np.ndarray) -> np.ndarray:
        """Points [..., 3] where they are placed."""
        return self.scale * np.asarray(points, np.float64) @ self.rotation.T + self.shift

    def offsets(self, offsets: np.ndarray) -> np.ndarray:
        """Differences of points [..., 3]."""
        return self.scale * np.asarray(offsets, np.float64) @ self.rotation.T

    def matrix(self) -> np.ndarray:
        """The same as a float [4, 4]."""
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = self.scale * self.rotation, self.shift
        return matrix


def place_head(head: np.ndarray, body: np.ndarray, border: np.ndarray, scale: float | None) -> Placement:
    """Put a head onto a body: it looks where the body's head looks, and its neck ends where the body's begins.

    Args:
        head: float [V, 3], the vertices of the head's skin.
        body: float [V, 3], the same vertices of the body.
        border: int [n], those at which the neck ends.
        scale: units of the body for one of the head; None for the head to become as large as the body's.
    """
    head, body = np.asarray(head, np.float64), np.asarray(body, np.float64)
    a, b = head - head.mean(0), body - body.mean(0)
    # Kabsch 1976 for the rotation, Umeyama 1991 for the scale.
    u, s, vt = np.linalg.svd(a.T @ b)
    flip = np.array([1.0, 1.0, np.sign(np.linalg.det(vt.T @ u.T))])
    rotation = vt.T @ np.diag(flip) @ u.T
    factor = float((s * flip).sum() / (a**2).sum()) if scale is None else scale
    shift = body[border].mean(0) - factor * rotation @ head[border].mean(0)
    return Placement(rotation, factor, shift)


def distances_along(vertices: np.ndarray, edges: np.ndarray, start: np.ndarray) -> np.ndarray:
    """How far vertices [V, 3] are from some of them along the edges int [E, 2], float [V] (Dijkstra 1959).

    Infinite where no edges lead.
    """
    neighbours: list[list[tuple[int, float]]] = [[] for _ in vertices]
    lengths = np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1)
    for (a, b), length in zip(edges.tolist(), lengths.tolist(), strict=True):
        neighbours[a].append((b, length))
        neighbours[b].append((a, length))
    found = np.full(len(vertices), np.inf)
    found[start] = 0.0
    waiting = [(0.0, int(vertex)) for vertex in start]
    while waiting:
        distance, vertex = heapq.heappop(waiting)
        if distance > found[vertex]:
            continue
        for other, length in neighbours[vertex]:
            if distance + length < found[other]:
                found[other] = distance + length
                heapq.heappush(waiting, (distance + length, other))
    return found


def blend_weights(distances: np.ndarray, reach: float | np.ndarray) -> np.ndarray:
    """How much of the head there is at distances from the neck's border, float in [0, 1]: none there, all from `reach`.

    Slopes are 0 at both ends, so that the surface has no crease there.
    """
    t = np.clip(distances / reach, 0.0, 1.0)
    return t * t * t * (t * (6 * t - 15) + 10)


def gentle_reach(points: np.ndarray, border: np.ndarray, gaps: np.ndarray, least: float, most: float) -> np.ndarray:
    """Over which distance a neck blends at points, float [V]: further where the two necks are further apart.

    The blend's slope is 15/8 of gap over reach at its steepest, so `GENTLE` bounds the bend that it adds to a neck.

    Args:
        points: float [V, 3].
        border: float [n, 3], where the neck ends.
        gaps: float [n], how far apart the necks are there.
        least: the reach where they meet.
        most: of all.
    """
    return np.clip(GENTLE * Field(border, gaps[:, None]).at(points)[:, 0], least, max(most, least))


@dataclass(frozen=True)
class Field:
    """A displacement known at some points and continued between and around them (Shepard 1968).

    Weights are those of Franke and Little, which end at a multiple of the distance of the nearest known point, so
    that what is far away on the other side of the head counts for nothing.

    Args:
        points: float [n, 3].
        offsets: float [n, C], or any other values.
    """

    points: np.ndarray
    offsets: np.ndarray

    def at(self, places: np.ndarray) -> np.ndarray:
        """Displacements float [m, C] of places [m, 3]."""
        none = np.zeros((0, self.offsets.shape[1]))
        return np.concatenate([none, *self._chunks(np.asarray(places, np.float64))])

    def _chunks(self, places: np.ndarray) -> Iterator[np.ndarray]:
        points = self.points.astype(np.float32)
        squares = (points**2).sum(1)
        for begin in range(0, len(places), CHUNK):
            part = places[begin : begin + CHUNK].astype(np.float32)
            squared = (part**2).sum(1)[:, None] - 2 * part @ points.T + squares
            distance = np.sqrt(np.maximum(squared, 1e-12))
            reach = FIELD_REACH * distance.min(axis=1, keepdims=True)
            weights = (np.maximum(reach - distance, 0) / (reach * distance)) ** 2
            yield (weights / weights.sum(axis=1, keepdims=True)) @ self.offsets
