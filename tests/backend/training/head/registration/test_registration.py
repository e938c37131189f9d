"""Non-rigid registration and the surface queries it rests on."""

from __future__ import annotations

import numpy as np
import pytest

from backend.training.head.registration.registration import StiffnessStage, register, vertex_anchors
from backend.training.head.registration.surfaces import (
    Surface,
    closest_barycentric,
    quad_edges,
    ring_correspondence,
    split_ring,
    triangulate,
)


def grid(n: int) -> tuple[np.ndarray, np.ndarray]:
    """A flat square of 10 cm in the plane z = 0: vertices and quads."""
    x, y = np.meshgrid(np.linspace(-0.05, 0.05, n), np.linspace(-0.05, 0.05, n))
    vertices = np.stack([x, y, np.zeros_like(x)], axis=-1).reshape(-1, 3)
    index = np.arange(n * n).reshape(n, n)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1).reshape(-1, 4)
    return vertices, quads


def ring(count: int, height: float, shift: float = 0.0) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False) + shift
    return np.stack([np.cos(angle), height * np.sin(angle), np.zeros(count)], axis=1)


def test_closest_point_inside_at_an_edge_and_at_a_corner() -> None:
    corners = np.broadcast_to(np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]), (3, 3, 3))
    points = np.array([[0.2, 0.3, 5.0], [0.5, -1.0, 0.0], [2.0, -1.0, 0.0]])
    feet = np.einsum("nc,ncd->nd", closest_barycentric(points, corners), corners)
    np.testing.assert_allclose(feet, [[0.2, 0.3, 0], [0.5, 0, 0], [1, 0, 0]], atol=1e-12)


def test_query_with_a_normal_finds_the_sheet_that_faces_the_same_way() -> None:
    vertices, quads = grid(9)
    below = vertices - [0, 0, 0.004]
    sheets = np.concatenate([vertices, below])
    triangles = np.concatenate([triangulate(quads), triangulate(quads)[:, ::-1] + len(vertices)])
    surface = Surface(sheets, triangles)
    query = np.array([[0.001, 0.002, -0.0015]])
    plain, oriented = surface.closest(query), surface.closest(query, np.array([[0.0, 0, -1]]))
    assert plain.points[0, 2] == pytest.approx(0, abs=1e-9)
    assert oriented.points[0, 2] == pytest.approx(-0.004, abs=1e-9)


def test_feet_on_the_rim_of_an_open_surface_are_reported() -> None:
    vertices, quads = grid(5)
    surface = Surface(vertices, triangulate(quads))
    found = surface.closest(np.array([[0.08, 0.0, 0.0], [0.01, 0.01, 0.01]]))
    assert surface.at_border(found).tolist() == [True, False]


def test_a_flat_sheet_bends_onto_a_bowl() -> None:
    template, quads = grid(13)
    fine, fine_quads = grid(41)
    bowl = fine + np.stack([0 * fine[:, 0], 0 * fine[:, 0], 3 * (fine[:, :2] ** 2).sum(axis=1)], axis=1)
    surface = Surface(bowl, triangulate(fine_quads))
    corners = np.array([0, 12, 156, 168])
    goal = template[corners] + np.stack(
        [np.zeros(4), np.zeros(4), 3 * (template[corners, :2] ** 2).sum(axis=1)], axis=1
    )
    bent = register(
        template,
        quad_edges(quads),
        triangulate(quads),
        np.ones(len(template)),
        surface,
        vertex_anchors(len(template), corners, goal, 1.0),
        (StiffnessStage(10, 2, 0.02, 2), StiffnessStage(2, 1, 0.02, 3), StiffnessStage(0.5, 1, 0.01, 3)),
    )
    inside = np.abs(template[:, :2]).max(axis=1) < 0.045
    height_error = np.abs(bent[:, 2] - 3 * (bent[:, :2] ** 2).sum(axis=1))
    assert height_error[inside].max() < 3e-4
    assert np.abs(template[:, 2] - 3 * (template[:, :2] ** 2).sum(axis=1))[inside].max() > 5e-3


def test_registration_keeps_a_symmetric_template_symmetric() -> None:
    template, quads = grid(9)
    mirror = np.arange(81).reshape(9, 9)[:, ::-1].ravel()
    lopsided = template + np.array([0, 0, 1.0]) * (0.05 * template[:, :1])
    bent = register(
        template,
        quad_edges(quads),
        triangulate(quads),
        np.ones(81),
        Surface(lopsided, triangulate(quads)),
        vertex_anchors(81, np.array([40]), template[[40]], 1.0),
        (StiffnessStage(2, 1, 0.02, 3),),
        mirror=mirror,
    )
    np.testing.assert_allclose(bent[mirror] * [-1, 1, 1], bent, atol=1e-12)


def test_a_ring_splits_into_its_upper_and_lower_half() -> None:
    vertices = ring(12, 0.4)
    upper, lower = split_ring(np.arange(12), vertices)
    assert vertices[upper, 1].min() >= -1e-9
    assert vertices[lower, 1].max() <= 1e-9
    assert upper[0] == lower[0] == 0
    assert upper[-1] == lower[-1] == 6


def test_rings_correspond_by_arc_length_above_and_below() -> None:
    here, there = ring(8, 0.5), ring(16, 0.5)
    vertices, two, weight = ring_correspondence(np.arange(8), here, np.arange(16), there)
    landed = np.einsum("nk,nkd->nd", weight, there[two])
    # The same ellipse, cut more finely: every vertex lands near itself and on its own side.
    assert np.linalg.norm(landed - here[vertices], axis=1).max() < 0.05
