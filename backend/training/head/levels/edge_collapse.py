"""Making a mesh of many poses coarser by collapsing edges onto one of their ends: every vertex left is an old one.

Garland and Heckbert 1997 ("Surface Simplification Using Quadric Error Metrics") with the quadrics of all poses, as
Mohr and Gleicher 2003 do for deforming meshes ("Deformation Sensitive Decimation"), Hoppe's (1999, "New Quadric Metric
for Simplifying Meshes with Appearance Attributes") for texture coordinates, and curves that stay curves: borders,
seams of the texture, and where materials meet.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

BORDER, MIDDLE, MATERIAL, SEAM = 1, 2, 4, 8


@dataclass(frozen=True)
class Mesh:
    """A mesh of triangles in several poses.

    Args:
        poses: float64 [P, V, 3], the rest pose first, metres.
        pose_weights: float64 [P], how much an error in each counts.
        triangles: int [T, 3].
        corners: int [T, 3], number of each corner; rows of `corner_uv`.
        corner_uv: float64 [C, 2].
        part: int [T], which material.
        importance: float64 [T], how much an error on each counts.
        middle: bool [V], vertices of a plane of symmetry at which the mesh was cut.
        uv_metres: float64 [T], metres for a unit of texture coordinates.
    """

    poses: np.ndarray
    pose_weights: np.ndarray
    triangles: np.ndarray
    corners: np.ndarray
    corner_uv: np.ndarray
    part: np.ndarray
    importance: np.ndarray
    middle: np.ndarray
    uv_metres: np.ndarray


@dataclass(frozen=True)
class CollapseParameters:
    """What a collapse costs, and which ones there are none of.

    Args:
        curve_weight: how much more a curve counts than the surface beside it.
        uv_weight: how much an error of the texture counts against one of the shape, metres against metres.
        least_turn: cosine between a triangle before and after, under which it counts as turned over.
        least_shape: 4 sqrt(3) area / (sum of squared sides) of a triangle, 1 for an equilateral one, that none may fall
            below, unless it was worse before.
        uv_tolerance: texture coordinates of the sides of an edge that differ by more are a seam.
    """

    curve_weight: float = 4.0
    uv_weight: float = 0.3
    least_turn: float = 0.3
    least_shape: float = 0.08
    uv_tolerance: float = 1e-5


class Collapser:
    """A mesh that gets coarser edge by edge.

    The working state of one run: triangles by number, those around each vertex, curves, and the summed quadrics.
    """

    def __init__(self, mesh: Mesh, parameters: CollapseParameters = CollapseParameters()) -> None:
        self.mesh, self.parameters = mesh, parameters
        self.vertices = [list(map(int, row)) for row in mesh.triangles]
        self.corners = [list(map(int, row)) for row in mesh.corners]
        self.alive = np.ones(len(mesh.triangles), bool)
        self.around: list[set[int]] = [set() for _ in range(mesh.poses.shape[1])]
        for number, row in enumerate(self.vertices):
            for vertex in row:
                self.around[vertex].add(number)
        self.curves: list[dict[int, int]] = [{} for _ in self.around]
        self._find_curves()
        self.points = np.ascontiguousarray(mesh.poses.transpose(1, 0, 2))
        self.shape = np.zeros((len(self.around), len(mesh.poses), 4, 4))
        self.texture = np.zeros((len(self.around), 6, 6))
        self._add_quadrics()
        self.stamp = [0] * len(self.around)
        self.heap: list[tuple[float, int, int, int, int]] = []
        for vertex in range(len(self.around)):
            for other in self._neighbours(vertex):
                self._offer(vertex, other)

    def collapse_next(self) -> bool:
        """Do the cheapest collapse that is allowed; False where there is none."""
        while self.heap:
            _, gone, kept, before, after = heapq.heappop(self.heap)
            if self.stamp[gone] == before and self.stamp[kept] == after and self._allowed(gone, kept):
                self._collapse(gone, kept)
                return True
        return False

    def _neighbours(self, vertex: int) -> set[int]:
        found = {other for number in self.around[vertex] for other in self.vertices[number]}
        found.discard(vertex)
        return found

    def _find_curves(self) -> None:
        sides: dict[tuple[int, int], list[tuple[int, dict[int, int]]]] = {}
        for number, (row, corners) in enumerate(zip(self.vertices, self.corners, strict=True)):
            at = dict(zip(row, corners, strict=True))
            for a, b in zip(row, row[1:] + row[:1], strict=True):
                sides.setdefault((min(a, b), max(a, b)), []).append((number, at))
        uv = self.mesh.corner_uv
        for (a, b), found in sides.items():
            kind = 0
            if len(found) != 2:
                kind |= MIDDLE if self.mesh.middle[a] and self.mesh.middle[b] else BORDER
            else:
                (first, at), (second, beside) = found
                kind |= MATERIAL * int(self.mesh.part[first] != self.mesh.part[second])
                cut = max(np.abs(uv[at[v]] - uv[beside[v]]).max() for v in (a, b))
                kind |= SEAM * int(cut > self.parameters.uv_tolerance and not kind)
            if kind:
                self.curves[a][b] = self.curves[b][a] = kind

    def _add_quadrics(self) -> None:
        mesh = self.mesh
        corners = mesh.poses[:, mesh.triangles]  # [P, T, 3, 3]
        cross = np.cross(corners[:, :, 1] - corners[:, :, 0], corners[:, :, 2] - corners[:, :, 0])
        length = np.linalg.norm(cross, axis=-1)
        normal = cross / np.maximum(length, 1e-18)[..., None]
        weight = 0.5 * length * mesh.importance * mesh.pose_weights[:, None]
        self._add_planes(mesh.triangles, normal, corners[:, :, 0], weight)
        uv = mesh.corner_uv[mesh.corners]
        for number, row in enumerate(mesh.triangles):
            quadric = _texture_quadric(corners[0, number], uv[number])
            if quadric is not None:
                scale = weight[0, number] * (self.parameters.uv_weight * mesh.uv_metres[number]) ** 2
                for vertex in row:
                    self.texture[vertex] += scale / 3 * quadric
        edges, beside = [], []
        for number, row in enumerate(self.vertices):
            for a, b in zip(row, row[1:] + row[:1], strict=True):
                if b in self.curves[a]:
                    edges.append((a, b))
                    beside.append(number)
        if edges:
            ends, faces = np.array(edges), np.array(beside)
            start, along = mesh.poses[:, ends[:, 0]], mesh.poses[:, ends[:, 1]] - mesh.poses[:, ends[:, 0]]
            wall = np.cross(along, normal[:, faces])
            wall /= np.maximum(np.linalg.norm(wall, axis=-1, keepdims=True), 1e-18)
            weight = (along**2).sum(-1) * mesh.importance[faces] * mesh.pose_weights[:, None]
            self._add_planes(ends, wall, start, self.parameters.curve_weight * weight)

    def _add_planes(self, rows: np.ndarray, normal: np.ndarray, point: np.ndarray, weight: np.ndarray) -> None:
        """Add squared distances to planes [P, N] to the vertices [N, k] that they belong to, in equal parts."""
        plane = np.concatenate([normal, -(normal * point).sum(-1, keepdims=True)], axis=-1)
        quadric = (plane[..., :, None] * plane[..., None, :] * weight[..., None, None]).transpose(1, 0, 2, 3)
        for column in rows.T:
            np.add.at(self.shape, column, quadric / rows.shape[1])

    def _offer(self, gone: int, kept: int) -> None:
        """Put a collapse on the heap, with its cost."""
        kind = self.curves[gone].get(kept, 0)
        if self.curves[gone] and (not kind or set(self.curves[gone].values()) != {kind} or len(self.curves[gone]) != 2):
            # Off its curve, or at an end or a fork of it.
            return
        at = np.concatenate([self.points[kept], np.ones((len(self.points[kept]), 1))], axis=1)
        quadric = self.shape[gone] + self.shape[kept]
        cost = float(np.einsum("pij,pi,pj->", quadric, at, at))
        if not self.curves[gone]:
            corner = self._corner_beside(gone, kept)
            value = np.concatenate([self.points[kept][0], self.mesh.corner_uv[corner], [1.0]])
            cost += float(value @ self.texture[gone] @ value)
        heapq.heappush(self.heap, (cost, gone, kept, self.stamp[gone], self.stamp[kept]))

    def _corner_beside(self, gone: int, kept: int) -> int:
        """A corner of `kept` in a triangle that has `gone`, too."""
        number = next(n for n in self.around[gone] if kept in self.vertices[n])
        return self.corners[number][self.vertices[number].index(kept)]

    def _allowed(self, gone: int, kept: int) -> bool:
        shared = self.around[gone] & self.around[kept]
        opposite = {v for n in shared for v in self.vertices[n]} - {gone, kept}
        if not shared or self._neighbours(gone) & self._neighbours(kept) != opposite:
            # The surface would be pinched.
            return False
        staying = [number for number in self.around[gone] if number not in shared]
        if not staying:
            return False
        if any(len(self.around[v]) <= len([n for n in shared if v in self.vertices[n]]) + 1 for v in opposite):
            # A triangle that hangs on by a corner would be left.
            return False
        old = np.array([self.vertices[number] for number in staying])
        new = np.where(old == gone, kept, old)
        known = {tuple(sorted(self.vertices[n])) for v in opposite | {kept} for n in self.around[v]}
        if any(tuple(sorted(row)) in known for row in new.tolist()):
            return False
        rest = self.mesh.pose_weights >= 1
        before, after = _crosses(self.points, old, rest), _crosses(self.points, new, rest)
        sizes = np.linalg.norm(before, axis=-1) * np.linalg.norm(after, axis=-1)
        if ((before * after).sum(-1) <= self.parameters.least_turn * sizes).any():
            return False
        shape, was = _roundness(self.points[new, 0]), _roundness(self.points[old, 0])
        if (shape < np.minimum(self.parameters.least_shape, was)).any():
            return False
        return not self._turns_texture(gone, kept, staying)

    def _turns_texture(self, gone: int, kept: int, staying: list[int]) -> bool:
        corner_of = self._new_corners(gone, kept)
        for number in staying:
            corners = self.corners[number]
            moved = [corner_of[number] if v == gone else c for v, c in zip(self.vertices[number], corners, strict=True)]
            before, after = (_uv_area(self.mesh.corner_uv[c]) for c in (corners, moved))
            if abs(before) > 1e-12 and before * after <= 0:
                return True
        return False

    def _new_corners(self, gone: int, kept: int) -> dict[int, int]:
        """For each triangle around `gone`, the corner of `kept` on the same side of the curves through `gone`."""
        found: dict[int, int] = {}
        waiting = []
        for number in self.around[gone] & self.around[kept]:
            found[number] = self.corners[number][self.vertices[number].index(kept)]
            waiting.append(number)
        while waiting:
            number = waiting.pop()
            for other in self.vertices[number]:
                if other == gone or other in self.curves[gone]:
                    continue
                for beside in self.around[gone] & self.around[other]:
                    if beside not in found:
                        found[beside] = found[number]
                        waiting.append(beside)
        # What no path reaches lies beyond a fork of curves, at which nothing is collapsed.
        for number in self.around[gone] - found.keys():
            found[number] = self._corner_beside(gone, kept)
        return found

    def _collapse(self, gone: int, kept: int) -> None:
        corner_of = self._new_corners(gone, kept)
        for number in self.around[gone] & self.around[kept]:
            self.alive[number] = False
            for vertex in self.vertices[number]:
                if vertex != gone:
                    self.around[vertex].discard(number)
        for number in self.around[gone]:
            if self.alive[number]:
                place = self.vertices[number].index(gone)
                self.vertices[number][place], self.corners[number][place] = kept, corner_of[number]
                self.around[kept].add(number)
        self.around[gone] = set()
        for other, kind in self.curves[gone].items():
            del self.curves[other][gone]
            if other != kept:
                self.curves[other][kept] = self.curves[kept][other] = kind
        self.curves[gone] = {}
        self.shape[kept] += self.shape[gone]
        if not any(kind & SEAM for kind in self.curves[kept].values()):
            self.texture[kept] += self.texture[gone]
        self.stamp[gone] += 1
        self.stamp[kept] += 1
        for other in self._neighbours(kept):
            self._offer(other, kept)
            self._offer(kept, other)

    def faces(self, parts: frozenset[int]) -> Iterator[tuple[int, ...]]:
        """The corners of the faces there are of some materials: quads where two triangles make a good one."""
        triangles = [int(n) for n in np.flatnonzero(self.alive) if self.mesh.part[n] in parts]
        yield from quads_of(self, triangles)


def quads_of(state: Collapser, triangles: list[int]) -> Iterator[tuple[int, ...]]:
    """Join triangles over their common edges, the pairs that make the squarest quads first."""
    edges: dict[tuple[int, int], list[int]] = {}
    for number in triangles:
        row = state.vertices[number]
        for a, b in zip(row, row[1:] + row[:1], strict=True):
            if b not in state.curves[a]:
                edges.setdefault((min(a, b), max(a, b)), []).append(number)
    offers = []
    for (a, b), pair in edges.items():
        if len(pair) == 2:
            quad = _joined(state, pair[0], pair[1], a, b)
            quality = _squareness(state.points[[v for v, _ in quad], 0])
            if quality > 0:
                offers.append((quality, pair[0], pair[1], tuple(corner for _, corner in quad)))
    free = set(triangles)
    for _, first, second, corners in sorted(offers, reverse=True):
        if first in free and second in free:
            free -= {first, second}
            yield corners
    for number in sorted(free):
        yield tuple(state.corners[number])


def _joined(state: Collapser, first: int, second: int, a: int, b: int) -> list[tuple[int, int]]:
    """Vertices and corners of two triangles around their common edge, in order."""
    row = state.vertices[first]
    place = next(i for i, v in enumerate(row) if v not in (a, b))
    other = next(i for i, v in enumerate(state.vertices[second]) if v not in (a, b))
    ring = [(row[(place + i) % 3], state.corners[first][(place + i) % 3]) for i in range(3)]
    return [ring[0], ring[1], (state.vertices[second][other], state.corners[second][other]), ring[2]]


def _squareness(points: np.ndarray) -> float:
    """How near a quad [4, 3] is to a flat rectangle, up to 1; 0 for one that is bent, or hardly convex."""
    along = np.roll(points, -1, axis=0) - points
    along = along / np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-18)
    cosines = np.abs((along * np.roll(along, 1, axis=0)).sum(-1))
    normal = np.cross(points[2] - points[0], points[3] - points[1])
    normal /= max(np.linalg.norm(normal), 1e-18)
    at_corners = np.cross(np.roll(along, 1, axis=0), along)
    at_corners /= np.maximum(np.linalg.norm(at_corners, axis=-1, keepdims=True), 1e-18)
    if (at_corners @ normal < 0.85).any() or cosines.max() > 0.94:
        return 0.0
    return float(1 - cosines.max())


def _crosses(points: np.ndarray, rows: np.ndarray, poses: np.ndarray) -> np.ndarray:
    corners = points[rows][:, :, poses]
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def _roundness(corners: np.ndarray) -> np.ndarray:
    sides = corners - np.roll(corners, 1, axis=1)
    area = 0.5 * np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=-1)
    return 4 * np.sqrt(3) * area / np.maximum((sides**2).sum((1, 2)), 1e-18)


def _uv_area(uv: np.ndarray) -> float:
    (ax, ay), (bx, by) = uv[1] - uv[0], uv[2] - uv[0]
    return float(ax * by - ay * bx)


def _texture_quadric(points: np.ndarray, uv: np.ndarray) -> np.ndarray | None:
    """Squared difference [6, 6] between (position, uv, 1) and what a triangle has at the position; None for slivers."""
    first, second = points[1] - points[0], points[2] - points[0]
    normal = np.cross(first, second)
    size = np.linalg.norm(normal)
    if size < 1e-14:
        return None
    gradients = np.linalg.solve(np.stack([first, second, normal / size]), np.c_[uv[1] - uv[0], uv[2] - uv[0], [0, 0]].T)
    quadric = np.zeros((6, 6))
    for axis in range(2):
        row = np.zeros(6)
        row[:3], row[3 + axis] = gradients[:, axis], -1
        row[5] = uv[0, axis] - gradients[:, axis] @ points[0]
        quadric += np.outer(row, row)
    return quadric
