"""How a shape of the face squeezes the skin: where, by how much, and along which lines it has to fold. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .uv_raster import Coverage, covered


@dataclass(frozen=True)
class SkinSheet:
    """The skin at rest, with its texture coordinates and shapes.

    Args:
        points: float64 [V, 3], metres.
        triangles: int [T, 3].
        uv: float64 [T, 3, 2], corner by corner.
        offsets: float64 [V, 3] by the name of the shape, metres for a weight of 1.
    """

    points: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    offsets: dict[str, np.ndarray]


@dataclass(frozen=True)
class Chart:
    """The skin in texture space, for looking surface quantities up by texel.

    Args:
        coverage: texels of the skin.
        to_uv: float64 [T, 2, 3], from directions on a triangle, metres, to texture coordinates.
        metres: float64 [N, 2], metres for a unit of u and of v, at the texels.
        vertex_area: float64 [V], area around each vertex.
    """

    coverage: Coverage
    to_uv: np.ndarray
    metres: np.ndarray
    vertex_area: np.ndarray


def chart_of(sheet: SkinSheet, size: int) -> Chart:
    """Lay the skin out in a square of `size` texels a side."""
    edges, flat, area = _edges(sheet.points, sheet.triangles)
    uv_edges = np.swapaxes(sheet.uv[:, 1:] - sheet.uv[:, :1], 1, 2)
    # Surface coordinates -> uv, by way of the two edges.
    to_uv = uv_edges @ np.linalg.inv(flat.coordinates) @ flat.basis
    vertex_area = np.bincount(sheet.triangles.ravel(), np.repeat(area / 3, 3), len(sheet.points))
    coverage = covered(sheet.uv, size)
    # Metres for a unit of u: the length of the tangent that goes with it.
    tangents = edges @ np.linalg.inv(uv_edges)
    lengths = np.linalg.norm(tangents, axis=1)
    metres = coverage.mix(_at_corners(lengths, area, sheet.triangles, vertex_area))
    return Chart(coverage, to_uv, metres, vertex_area)


@dataclass(frozen=True)
class Squeeze:
    """How a shape squeezes the skin, at the texels of a chart.

    Args:
        amount: float64 [N], by how much the skin is shorter along its shortest direction, 0.1 for a tenth; 0 where it
            is stretched in all directions.
        lines: float64 [N, 2, 2], the directions of folds as a tensor in texture coordinates, weighted by the amount.
    """

    amount: np.ndarray
    lines: np.ndarray


def squeeze(sheet: SkinSheet, chart: Chart, shape: str) -> Squeeze:
    """What a shape at a weight of 1 does to the skin.

    The Cauchy-Green tensor of each triangle has the squares of the principal stretches as eigenvalues; folds run along
    the larger one, across the direction in which skin is squeezed.
    """
    _, flat, area = _edges(sheet.points, sheet.triangles)
    moved = sheet.points + sheet.offsets[shape]
    posed = np.swapaxes(moved[sheet.triangles[:, 1:]] - moved[sheet.triangles[:, :1]], 1, 2)
    gradient = posed @ np.linalg.inv(flat.coordinates)
    squares, axes = np.linalg.eigh(np.swapaxes(gradient, 1, 2) @ gradient)
    amount = np.maximum(0, 1 - np.sqrt(np.maximum(squares[:, 0], 0)))
    along = np.einsum("tis,ti->ts", flat.basis, axes[:, :, 1])
    tensor = amount[:, None, None] * along[:, :, None] * along[:, None, :]
    corner_amount = _at_corners(amount[:, None], area, sheet.triangles, chart.vertex_area)
    corner_tensor = _at_corners(tensor.reshape(-1, 9), area, sheet.triangles, chart.vertex_area)
    solid = chart.coverage.mix(corner_tensor).reshape(-1, 3, 3)
    to_uv = chart.to_uv[chart.coverage.triangles]
    return Squeeze(chart.coverage.mix(corner_amount)[:, 0], to_uv @ solid @ np.swapaxes(to_uv, 1, 2))


@dataclass(frozen=True)
class _Flat:
    """Triangles in planes of their own: orthonormal axes as rows [T, 2, 3], and two edges as columns [T, 2, 2]."""

    basis: np.ndarray
    coordinates: np.ndarray


def _edges(points: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, _Flat, np.ndarray]:
    edges = np.swapaxes(points[triangles[:, 1:]] - points[triangles[:, :1]], 1, 2)
    first = edges[:, :, 0] / np.linalg.norm(edges[:, :, 0], axis=1, keepdims=True)
    second = edges[:, :, 1] - (edges[:, :, 1] * first).sum(axis=1, keepdims=True) * first
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    basis = np.stack([first, second], axis=1)
    coordinates = basis @ edges
    return edges, _Flat(basis, coordinates), 0.5 * np.abs(np.linalg.det(coordinates))


def _at_corners(values: np.ndarray, area: np.ndarray, triangles: np.ndarray, vertex_area: np.ndarray) -> np.ndarray:
    """Values [T, k] of triangles, averaged at vertices by area, at the corners [T, 3, k]."""
    total = np.zeros((len(vertex_area), values.shape[1]))
    for column in triangles.T:
        np.add.at(total, column, values * area[:, None] / 3)
    return (total / np.maximum(vertex_area, 1e-18)[:, None])[triangles]
