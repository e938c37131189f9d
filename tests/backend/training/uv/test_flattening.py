"""Flattening discs: outline, Tutte's embedding, distortion minimisation without flips."""

from __future__ import annotations

import numpy as np
import pytest

from backend.training.uv.flattening import (
    Constraints,
    Outline,
    RestShapes,
    flat_edges,
    in_plane,
    minimise_distortion,
    tutte_embedding,
)

SIDE = 9  # vertices along a side of the test sheet
CORNERS = np.array([[0, 1, 2], [0, 2, 3], [0, 1, 3], [1, 2, 3]])


def sheet_quads() -> np.ndarray:
    index = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    return np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], -1).reshape(-1, 4)


def sheet_constraints() -> tuple[Constraints, np.ndarray]:
    """The left column is the axis; the other three sides are the rim, from bottom to top. Also the whole boundary."""
    index = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    rim = np.concatenate([index[0, 1:], index[1:-1, -1], index[-1, :0:-1]])
    axis = index[-2:0:-1, 0]
    constraints = Constraints(axis, rim, bottom=int(index[0, 0]), top=int(index[-1, 0]))
    return constraints, np.concatenate([[index[0, 0]], rim, [index[-1, 0]], axis])


def start_on(outline: Outline) -> np.ndarray:
    constraints, boundary = sheet_constraints()
    angles = outline.spread(np.arange(len(constraints.rim) + 2) / (len(constraints.rim) + 1))
    positions = np.zeros((len(boundary), 2))
    positions[: len(angles)] = outline.point(angles)
    down = np.arange(1, len(constraints.axis) + 1) / (len(constraints.axis) + 1)
    positions[len(angles) :] = np.stack([np.full(len(down), 0.5), 0.5 + outline.radius * (1 - 2 * down)], axis=1)
    quads = sheet_quads()
    edges = np.unique(np.sort(np.stack([quads, np.roll(quads, -1, axis=1)], -1).reshape(-1, 2), axis=1), axis=0)
    return tutte_embedding(SIDE * SIDE, edges, boundary, positions)


def bumpy_sheet() -> np.ndarray:
    x, y = np.meshgrid(np.linspace(0, 0.5, SIDE), np.linspace(0, 1, SIDE))
    return np.stack([x, y, 0.15 * np.cos(7 * x) * np.sin(5 * y)], -1).reshape(-1, 3)


def shapes_of(vertices: np.ndarray) -> RestShapes:
    triangles = sheet_quads()[:, CORNERS].reshape(-1, 3)
    edges = flat_edges(vertices, triangles, np.full(len(triangles), 0.1))
    return RestShapes(triangles, np.linalg.inv(edges), np.linalg.det(edges))


def signed_areas(x: np.ndarray) -> np.ndarray:
    corners = x[sheet_quads()[:, CORNERS]]
    return np.linalg.det(corners[..., 1:, :] - corners[..., :1, :])


def test_outline_of_exponent_two_is_a_circle() -> None:
    outline = Outline(0.4, 2.0)
    angle = np.linspace(-1.5, 1.5, 7)
    np.testing.assert_allclose(np.linalg.norm(outline.point(angle) - 0.5, axis=1), 0.4, rtol=1e-12)
    assert outline.area() == pytest.approx(np.pi * 0.16, rel=1e-5)


def test_squarer_outlines_fill_more_of_the_square() -> None:
    assert Outline(0.5, 3.0).area() < Outline(0.5, 8.0).area() < 1


def test_outline_tangent_is_the_derivative_of_its_points() -> None:
    outline, angle, h = Outline(0.48, 5.0), np.linspace(-1.4, 1.4, 11), 1e-6
    numeric = (outline.point(angle + h) - outline.point(angle - h)) / (2 * h)
    np.testing.assert_allclose(outline.tangent(angle), numeric, atol=1e-8)


def test_outline_is_spread_evenly_by_length() -> None:
    outline = Outline(0.48, 5.0)
    points = outline.point(outline.spread(np.linspace(0, 1, 50)))
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert steps.max() / steps.min() < 1.05
    np.testing.assert_allclose(points[[0, -1]], [[0.5, 0.02], [0.5, 0.98]], atol=1e-9)


def test_embedding_starts_without_overlap() -> None:
    assert signed_areas(start_on(Outline(0.45, 4.0))).min() > 0


def test_flat_edges_keep_lengths_and_angles() -> None:
    vertices, triangles = bumpy_sheet(), sheet_quads()[:, :3]
    edges = flat_edges(vertices, triangles, np.zeros(len(triangles)))
    in_space = vertices[triangles[:, 1:]] - vertices[triangles[:, :1]]
    np.testing.assert_allclose(np.einsum("nij,nik->njk", edges, edges), in_space @ in_space.transpose(0, 2, 1))


def test_directions_are_carried_into_the_plane() -> None:
    vertices, triangles = bumpy_sheet(), sheet_quads()[:, :3]
    edges = flat_edges(vertices, triangles, np.zeros(len(triangles)))
    second = vertices[triangles[:, 2]] - vertices[triangles[:, 0]]
    np.testing.assert_allclose(in_plane(vertices, triangles, second), edges[:, :, 1], atol=1e-12)


def test_minimising_lowers_the_energy_and_never_flips() -> None:
    outline = Outline(0.45, 4.0)
    start, shapes, (constraints, _) = start_on(outline), shapes_of(bumpy_sheet()), sheet_constraints()
    _, before = minimise_distortion(start, shapes, outline, constraints, iterations=0)
    flat, after = minimise_distortion(start, shapes, outline, constraints)
    assert 4 <= after < before
    assert signed_areas(flat).min() > 0


def test_minimum_has_no_slope_along_any_freedom() -> None:
    outline = Outline(0.45, 4.0)
    shapes, (constraints, _) = shapes_of(bumpy_sheet()), sheet_constraints()
    flat, least = minimise_distortion(start_on(outline), shapes, outline, constraints, tolerance=1e-12)
    rng = np.random.default_rng(0)
    for _ in range(5):
        moved = flat.copy()
        inner = np.setdiff1d(np.arange(len(flat)), np.r_[constraints.rim, constraints.axis, 0, SIDE * (SIDE - 1)])
        moved[inner] += rng.normal(scale=1e-4, size=(len(inner), 2))
        moved[constraints.axis, 1] += rng.normal(scale=1e-4, size=len(constraints.axis))
        angle = np.arctan2(*(flat[constraints.rim] - 0.5).T[::-1]) + rng.normal(scale=1e-4, size=len(constraints.rim))
        moved[constraints.rim] = outline.point(angle)
        _, energy = minimise_distortion(moved, shapes, outline, constraints, iterations=0)
        assert energy > least


def test_boundary_slides_but_stays_on_outline_and_axis() -> None:
    outline = Outline(0.45, 4.0)
    start, (constraints, _) = start_on(outline), sheet_constraints()
    flat, _ = minimise_distortion(start, shapes_of(bumpy_sheet()), outline, constraints)
    reach = (np.abs(flat[constraints.rim] - 0.5) ** 4).sum(axis=1) ** 0.25
    np.testing.assert_allclose(reach, 0.45, rtol=1e-9)
    np.testing.assert_array_equal(flat[constraints.axis, 0], start[constraints.axis, 0])
    assert np.abs(flat[constraints.rim] - start[constraints.rim]).max() > 0.01
    np.testing.assert_allclose(flat[[constraints.bottom, constraints.top]], [[0.5, 0.05], [0.5, 0.95]], rtol=1e-12)


def test_flipped_start_is_refused() -> None:
    outline = Outline(0.45, 4.0)
    start, (constraints, _) = start_on(outline), sheet_constraints()
    start[SIDE + 1] = [0.9, 0.9]
    with pytest.raises(ValueError, match="flipped"):
        minimise_distortion(start, shapes_of(bumpy_sheet()), outline, constraints)
