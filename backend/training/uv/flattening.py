"""Flattening a disc of quads into a fixed convex outline: Tutte's embedding, then least symmetric Dirichlet energy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array
from scipy.sparse.linalg import splu


@dataclass(frozen=True)
class Outline:
    """The right half of a square with round corners: |x|^p + |y|^p = r^p about (0.5, 0.5), for u >= 0.5.

    Args:
        radius: half the side of the square.
        exponent: p; 2 is a circle, infinity the square itself.
    """

    radius: float
    exponent: float

    def point(self, angle: np.ndarray) -> np.ndarray:
        """Points [n, 2] at angles [n] in radians, from pi / 2 (top) through 0 (right) to -pi / 2 (bottom)."""
        return 0.5 + self.radius * self._reach(angle)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def tangent(self, angle: np.ndarray) -> np.ndarray:
        """Derivatives [n, 2] of `point` by the angle."""
        c, s, p = np.cos(angle), np.sin(angle), self.exponent
        reach = self._reach(angle)
        slope = -(reach ** (p + 1)) * (np.abs(s) ** (p - 2) * s * c - np.abs(c) ** (p - 2) * c * s)
        return self.radius * np.stack([slope * c - reach * s, slope * s + reach * c], axis=1)

    def spread(self, fractions: np.ndarray) -> np.ndarray:
        """Angles [n] at the given fractions [n] of the outline's length, counted from the bottom."""
        angle = np.linspace(-np.pi / 2, np.pi / 2, 4001)
        steps = np.linalg.norm(np.diff(self.point(angle), axis=0), axis=1)
        length = np.concatenate([[0], np.cumsum(steps)])
        return np.interp(fractions * length[-1], length, angle)

    def area(self) -> float:
        """Area of the whole (two-sided) shape."""
        angle = np.linspace(-np.pi / 2, np.pi / 2, 4001)
        x, y = (self.point(angle) - 0.5).T
        return float(np.abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])))

    def _reach(self, angle: np.ndarray) -> np.ndarray:
        p = self.exponent
        return (np.abs(np.cos(angle)) ** p + np.abs(np.sin(angle)) ** p) ** (-1 / p)


@dataclass(frozen=True)
class RestShapes:
    """The triangles that the map should keep in shape.

    Args:
        triangles: int [n, 3], counter-clockwise; they may overlap (all four corners of every quad).
        inverse: float64 [n, 2, 2], inverse of the wanted edge matrix [e1 e2] of each triangle in UV units.
        weights: float64 [n], how much each counts.
    """

    triangles: np.ndarray
    inverse: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Constraints:
    """Which vertices may move, and how. All others are free in the plane.

    Args:
        axis: int [a], vertices on u = 0.5, free along it, not counting the two ends.
        rim: int [r], vertices on the outline from bottom to top, free along it, not counting the two ends.
        bottom, top: the vertices pinned where the axis meets the outline.
    """

    axis: np.ndarray
    rim: np.ndarray
    bottom: int
    top: int


def flat_edges(
    vertices: np.ndarray,  # [V, 3]
    triangles: np.ndarray,  # [n, 3]
    least_height: np.ndarray,  # [n], slivers are raised to this fraction of their longest edge at corner 0
) -> np.ndarray:
    """Edge matrices [e1 e2], [n, 2, 2], of triangles laid flat with their first edge along x."""
    edge1 = vertices[triangles[:, 1]] - vertices[triangles[:, 0]]
    edge2 = vertices[triangles[:, 2]] - vertices[triangles[:, 0]]
    length1, length2 = np.linalg.norm(edge1, axis=1), np.linalg.norm(edge2, axis=1)
    edges = np.zeros((len(triangles), 2, 2))
    edges[:, 0, 0] = length1
    edges[:, 0, 1] = np.einsum("nd,nd->n", edge1, edge2) / length1
    height = np.linalg.norm(np.cross(edge1, edge2), axis=1) / length1
    edges[:, 1, 1] = np.maximum(height, least_height * np.maximum(length1, length2))
    return edges


def in_plane(
    vertices: np.ndarray,  # [V, 3]
    triangles: np.ndarray,  # [n, 3]
    directions: np.ndarray,  # [n, 3], in the triangles' planes
) -> np.ndarray:
    """The directions [n, 2] in the coordinates of `flat_edges`."""
    edge1 = vertices[triangles[:, 1]] - vertices[triangles[:, 0]]
    edge2 = vertices[triangles[:, 2]] - vertices[triangles[:, 0]]
    x = edge1 / np.linalg.norm(edge1, axis=1, keepdims=True)
    normal = np.cross(edge1, edge2)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-15)
    y = np.cross(normal, x)
    return np.stack([np.einsum("nd,nd->n", directions, axis) for axis in (x, y)], axis=1)


def tutte_embedding(
    count: int,
    edges: np.ndarray,  # int [m, 2], each once
    fixed: np.ndarray,  # int [b], the boundary
    positions: np.ndarray,  # [b, 2], on a convex curve, in order
) -> np.ndarray:
    """Every inner vertex at the mean of its neighbours: positions [count, 2] without overlap (Tutte, 1963)."""
    ones = np.ones(len(edges))
    graph = coo_array((ones, (edges[:, 0], edges[:, 1])), shape=(count, count))
    graph = (graph + graph.T).tocsr()
    laplacian = (diags_array(np.asarray(graph.sum(axis=1)).ravel()) - graph).tocsr()
    inner = np.setdiff1d(np.arange(count), fixed)
    result = np.zeros((count, 2))
    result[fixed] = positions
    right = -laplacian[inner][:, fixed] @ positions
    result[inner] = splu(laplacian[inner][:, inner].tocsc()).solve(right)
    return result


def minimise_distortion(
    start: np.ndarray,  # [V, 2], without flipped triangles
    shapes: RestShapes,
    outline: Outline,
    constraints: Constraints,
    iterations: int = 200,
    tolerance: float = 1e-6,
) -> tuple[np.ndarray, float]:
    """Slide the vertices to the least weighted symmetric Dirichlet energy, never flipping a triangle.

    Newton's method with Hessians projected per triangle to be positive (their eigensystems are known in closed form)
    and a line search that refuses flips; vertices on the outline and on the axis slide along them.
    Sources: Smith and Schaefer, "Bijective parameterization with free boundaries", 2015; Smith, de Goes and Kim,
    "Analytic eigensystems for isotropic distortion energies", 2019.

    Returns:
        Positions [V, 2] and the weighted mean energy of a triangle (4 = isometric).

    Raises:
        ValueError: `start` has flipped triangles.
    """
    rim_angle = np.arctan2(*(start[constraints.rim] - 0.5).T[::-1])
    x, angle = start.copy(), rim_angle
    energy = _energy(x, shapes)
    if not np.isfinite(energy):
        raise ValueError("The flattening starts with flipped triangles.")
    for _ in range(iterations):
        gradient, hessian = _derivatives(x, shapes)
        motion = _motion(len(x), angle, outline, constraints)
        reduced_gradient = motion.T @ gradient
        reduced_hessian = (motion.T @ hessian @ motion).tocsc()
        regular = diags_array(np.full(reduced_hessian.shape[0], 1e-9 * reduced_hessian.diagonal().mean()))
        step = -splu((reduced_hessian + regular).tocsc()).solve(reduced_gradient)
        expected = -float(reduced_gradient @ step)
        if expected < tolerance * energy:
            break
        length = 1.0
        while True:
            candidate, candidate_angle = _moved(x, angle, step * length, outline, constraints)
            candidate_energy = _energy(candidate, shapes) if (np.diff(candidate_angle) > 0).all() else np.inf
            if candidate_energy <= energy - 1e-4 * length * expected:
                x, angle, energy = candidate, candidate_angle, candidate_energy
                break
            length *= 0.6
            if length < 1e-8:
                return x, energy / float(shapes.weights.sum())
    return x, energy / float(shapes.weights.sum())


def _jacobians(x: np.ndarray, shapes: RestShapes) -> np.ndarray:
    corners = x[shapes.triangles]
    edges = np.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]], axis=2)
    return edges @ shapes.inverse


def _energy(x: np.ndarray, shapes: RestShapes) -> float:
    """Sum of w (|J|^2 + |J^-1|^2); infinite where a triangle is flipped."""
    jacobian = _jacobians(x, shapes)
    determinant = np.linalg.det(jacobian)
    if (determinant <= 0).any():
        return np.inf
    norm = (jacobian**2).sum(axis=(1, 2))
    return float((shapes.weights * norm * (1 + determinant**-2)).sum())


def _derivatives(x: np.ndarray, shapes: RestShapes) -> tuple[np.ndarray, csr_array]:
    """Gradient [2 V] (x0, y0, x1, ...) and projected Hessian [2 V, 2 V] of the energy."""
    jacobian = _jacobians(x, shapes)
    u, s, vt = np.linalg.svd(jacobian)
    slope = 2 * s - 2 * s**-3
    stress = np.einsum("nik,nk,nkj->nij", u, slope, vt)
    s1, s2 = s.T
    total = s1 + s2
    eigenvalues = np.stack(
        [
            2 + 6 * s1**-4,
            2 + 6 * s2**-4,
            np.maximum(slope.sum(axis=1) / total, 0),
            2 + 2 * (s1**2 + s1 * s2 + s2**2) / (s1 * s2) ** 3,
        ],
        axis=1,
    )
    half = np.sqrt(0.5)
    # The SVD's factors may both be reflections; twist and flip change sign together then, which leaves them valid.
    modes = np.array([[[1, 0], [0, 0]], [[0, 0], [0, 1]], [[0, -half], [half, 0]], [[0, half], [half, 0]]])
    modes = np.einsum("nik,mkl,nlj->nmij", u, modes, vt)

    # d J / d corner: J = edges @ inverse, so corner k moves column-wise by rows[k] of the inverse.
    rows = np.concatenate([-shapes.inverse.sum(axis=1, keepdims=True), shapes.inverse], axis=1)
    local = np.einsum("nmij,nkj->nmki", modes, rows).reshape(len(rows), 4, 6)
    scaled = local * (eigenvalues * shapes.weights[:, None])[:, :, None]
    blocks = np.einsum("nma,nmb->nab", scaled, local)
    index = (2 * shapes.triangles[:, :, None] + np.arange(2)).reshape(len(rows), 6)
    hessian = coo_array(
        (blocks.ravel(), (np.repeat(index, 6, axis=1).ravel(), np.tile(index, (1, 6)).ravel())),
        shape=(x.size, x.size),
    ).tocsr()
    force = np.einsum("nij,nkj->nki", stress * shapes.weights[:, None, None], rows)
    return np.bincount(index.ravel(), force.ravel(), x.size), hessian


def _free(count: int, constraints: Constraints) -> np.ndarray:
    held = np.concatenate([constraints.axis, constraints.rim, [constraints.bottom, constraints.top]])
    return np.setdiff1d(np.arange(count), held)


def _motion(count: int, angle: np.ndarray, outline: Outline, constraints: Constraints) -> csr_array:
    """d positions [2 V] / d unknowns: u and v of the free vertices, v along the axis, the angle along the outline."""
    free, axis, rim = _free(count, constraints), constraints.axis, constraints.rim
    tangent = outline.tangent(angle)
    row = np.concatenate([2 * free, 2 * free + 1, 2 * axis + 1, 2 * rim, 2 * rim + 1])
    unknowns = 2 * len(free) + len(axis)
    rim_column = unknowns + np.arange(len(rim))
    column = np.concatenate([np.arange(unknowns), rim_column, rim_column])
    value = np.concatenate([np.ones(unknowns), tangent[:, 0], tangent[:, 1]])
    return coo_array((value, (row, column)), shape=(2 * count, unknowns + len(rim))).tocsr()


def _moved(
    x: np.ndarray, angle: np.ndarray, step: np.ndarray, outline: Outline, constraints: Constraints
) -> tuple[np.ndarray, np.ndarray]:
    """Positions and rim angles after a step of the unknowns, in the order of `_motion`."""
    free, axis = _free(len(x), constraints), constraints.axis
    result = x.copy()
    n = len(free)
    result[free, 0] += step[:n]
    result[free, 1] += step[n : 2 * n]
    result[axis, 1] += step[2 * n : 2 * n + len(axis)]
    new_angle = angle + step[2 * n + len(axis) :]
    result[constraints.rim] = outline.point(new_angle)
    return result, new_angle
