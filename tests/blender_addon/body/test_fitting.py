"""Placing a head on a body, blending its neck, and carrying along what is around."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.body.fitting import Field, blend_weights, distances_along, gentle_reach, place_head

RNG = np.random.default_rng(3)
TURN = np.array([[0.96, -0.28, 0.0], [0.28, 0.96, 0.0], [0.0, 0.0, 1.0]])


@pytest.mark.parametrize(("scale", "found"), [(1.0, 1.0), (None, 1.3)])
def test_head_looks_where_the_bodys_looks_and_its_border_lies_on_the_bodys(scale: float | None, found: float) -> None:
    head, border = RNG.normal(size=(200, 3)), np.arange(12)
    body = 1.3 * head @ TURN.T + [0.1, 0.2, 1.5]
    place = place_head(head, body, border, scale)
    assert np.allclose(place.rotation, TURN, atol=1e-9)
    assert place.scale == pytest.approx(found)
    assert np.allclose(place.points(head)[border].mean(0), body[border].mean(0))
    assert np.allclose((place.matrix() @ np.c_[head, np.ones(len(head))].T)[:3].T, place.points(head))
    assert np.allclose(place.points(head + 0.1) - place.points(head), place.offsets(np.full((1, 3), 0.1)))


def test_mirrored_body_is_met_by_a_rotation() -> None:
    head = RNG.normal(size=(50, 3)) * [1.0, 2.0, 0.2]
    assert np.linalg.det(place_head(head, head * [1, 1, -1], np.arange(5), 1.0).rotation) == pytest.approx(1.0)


def test_distances_go_along_edges_and_not_through_the_air() -> None:
    # A hairpin: its ends are close in space and far along it.
    points = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 2], [0, 0.1, 2], [0, 0.1, 1], [0, 0.1, 0], [5, 5, 5]], float)
    edges = np.array([[0, 1], [1, 2], [2, 3], [3, 4], [4, 5]])
    found = distances_along(points, edges, np.array([0]))
    assert np.allclose(found[:6], [0, 1, 2, 2.1, 3.1, 4.1])
    assert np.isinf(found[6]), "nothing leads there"


def test_blend_begins_and_ends_without_a_crease() -> None:
    distances = np.array([0.0, 1e-4, 0.015, 0.03 - 1e-4, 0.03, np.inf])
    weights = blend_weights(distances, 0.03)
    assert weights[[0, 2, 4, 5]] == pytest.approx([0.0, 0.5, 1.0, 1.0])
    assert weights[1] < 1e-5
    assert 1 - weights[3] < 1e-5


def test_necks_far_apart_blend_further_but_not_into_the_jaw() -> None:
    border = np.array([[0.0, 0, 0], [1.0, 0, 0], [2.0, 0, 0]])
    reach = gentle_reach(border, border, np.array([0.001, 0.012, 0.1]), 0.03, 0.07)
    assert reach == pytest.approx([0.03, 0.048, 0.07])


def test_field_meets_what_is_known_and_follows_a_shift_and_a_turn_between() -> None:
    sphere = RNG.normal(size=(800, 3))
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    offsets = 0.05 * sphere @ (TURN - np.eye(3)).T + [0.01, 0, 0.02]
    field = Field(sphere, offsets)
    assert np.abs(field.at(sphere) - offsets).max() < 1e-4
    assert np.abs(field.at(np.zeros((1, 3))) - [0.01, 0, 0.02]).max() < 1e-3, "the joint in the middle"
    assert field.at(np.zeros((0, 3))).shape == (0, 3)


def test_far_side_counts_for_nothing() -> None:
    points = np.array([[0.0, 0, 0], [0.01, 0, 0], [1.0, 0, 0]])
    field = Field(points, np.array([[0, 0, 1.0], [0, 0, 1.0], [0, 0, -5.0]]))
    assert np.allclose(field.at(np.array([[0.1, 0.0, 0.0]])), [[0, 0, 1.0]])
