"""The checks that the head model's report rests on find what they look for."""

from __future__ import annotations

import numpy as np
import pytest

from backend.training.head.figures import (
    align,
    flipped_triangles,
    lid_gaps,
    self_intersections,
    surface_distance,
)
from backend.training.head.registration.surfaces import Surface


def two_sheets(gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Two crossing or parallel squares of two triangles each."""
    flat = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    upright = np.array([[0.3, 0.5, -0.5], [0.8, 0.5, -0.5], [0.8, 0.5, 0.5], [0.3, 0.5, 0.5]]) + np.array([0, 0, gap])
    triangles = np.array([[0, 1, 2], [0, 2, 3]])
    return np.concatenate([flat, upright]), np.concatenate([triangles, triangles + 4])


def test_crossing_sheets_are_found_and_separate_ones_are_not() -> None:
    assert len(self_intersections(*two_sheets(gap=0.0))) > 0
    assert len(self_intersections(*two_sheets(gap=0.6))) == 0


def test_a_triangle_turned_inside_out_is_found() -> None:
    angle = np.linspace(0, 2 * np.pi, 6, endpoint=False)
    fan = np.concatenate([np.zeros((1, 3)), np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)])
    triangles = np.array([[0, 1 + k, 1 + (k + 1) % 6] for k in range(6)])
    folded = fan.copy()
    folded[1] = 1.2 * fan[3]
    assert len(flipped_triangles(fan, triangles, fan)) == 0
    assert len(flipped_triangles(folded, triangles, fan)) > 0


def test_surface_distance_of_a_shifted_sheet_is_the_shift() -> None:
    x, y = np.meshgrid(np.arange(5.0), np.arange(5.0))
    vertices = np.stack([x, y, 0 * x], axis=-1).reshape(-1, 3)
    index = np.arange(25).reshape(5, 5)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1).reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    figures = surface_distance(vertices + np.array([0, 0, 0.002]), triangles, Surface(vertices, triangles), samples=500)
    assert figures["mean_mm"] == pytest.approx(2, abs=1e-6)
    assert figures["p95_mm"] == pytest.approx(2, abs=1e-6)


def test_lid_gaps_are_negative_inside_the_eyeball() -> None:
    margin = np.array([[0.0, 0, 0.0121], [0.0119, 0, 0]])
    gaps = lid_gaps(margin, [np.array([0, 1])], [(np.zeros(3), 0.012)])
    assert gaps["min_mm"] == pytest.approx(-0.1)
    assert gaps["max_mm"] == pytest.approx(0.1)


def test_align_undoes_a_rigid_motion() -> None:
    points = np.random.default_rng(0).normal(size=(30, 3))
    c, s = np.cos(0.4), np.sin(0.4)
    moved = points @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T + [1, 2, 3]
    np.testing.assert_allclose(align(moved, points, np.ones(30)), points, atol=1e-12)
