"""Lids that go round an eyeball."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.anatomy.eyelids.lids import Ball, LidParameters, along_with, ball_under_lids, before_eyeballs

BALL = Ball(np.zeros(3), 0.012)
PARAMETERS = LidParameters()


def lid(radius: float = 0.0125) -> tuple[np.ndarray, np.ndarray]:
    """A band of a sphere above an eye that looks along -y: vertices and faces."""
    rows, columns = 6, 9
    up, across = np.meshgrid(
        np.radians(np.linspace(25, 60, rows)), np.radians(np.linspace(-40, 40, columns)), indexing="ij"
    )
    points = np.stack([np.cos(up) * np.sin(across), -np.cos(up) * np.cos(across), np.sin(up)], axis=-1) * radius
    index = np.arange(rows * columns).reshape(rows, columns)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1).reshape(-1, 4)
    return points.reshape(-1, 3), quads


def closing(vertices: np.ndarray, degrees: float = 75) -> np.ndarray:
    """What turns a lid about the eye's middle down by an angle, one straight line a vertex, [1, V, 3]."""
    angle = np.radians(degrees)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    return (vertices @ turn.T - vertices)[None].astype(np.float32)


def depth(vertices: np.ndarray, quads: np.ndarray) -> float:
    return float((BALL.radius - np.linalg.norm(vertices[quads].mean(axis=1), axis=1)).max())


@pytest.mark.parametrize("part", [0.25, 0.5, 0.75, 1.0])
def test_a_lid_goes_round_the_ball_on_its_whole_way(part: float) -> None:
    vertices, quads = lid()
    shape = closing(vertices)
    assert depth(vertices + 0.5 * shape[0], quads) > 0.001
    cleared = before_eyeballs(vertices, shape, quads, [BALL])
    assert depth(vertices + part * cleared[0], quads) < PARAMETERS.touch + 1e-5


def test_a_shape_that_leads_no_lid_into_the_ball_stays_as_it_is() -> None:
    vertices, quads = lid()
    opening = np.array([[[0, -0.001, 0.002]]], np.float32) * np.ones((1, len(vertices), 1), np.float32)
    np.testing.assert_array_equal(before_eyeballs(vertices, opening, quads, [BALL]), opening)


def test_a_ball_shrinks_until_it_fits_under_lids_and_no_further_than_a_little() -> None:
    vertices, quads = lid(0.0119)
    flat = np.linalg.norm(vertices[quads].mean(axis=1), axis=1).min()
    fitted = ball_under_lids(BALL, vertices, quads)
    assert fitted.radius == pytest.approx(min(BALL.radius, flat + PARAMETERS.touch))
    assert fitted.radius < BALL.radius
    assert ball_under_lids(BALL, 0.8 * vertices, quads).radius == pytest.approx(PARAMETERS.smallest * BALL.radius)
    assert ball_under_lids(BALL, 1.2 * vertices, quads).radius == BALL.radius


def test_lashes_go_along_with_the_nearest_of_the_lid() -> None:
    skin = np.array([[0.0, 0, 0], [0.01, 0, 0]])
    pushes = np.array([[[0.0, 0, 0.001], [0, 0, 0.002]]])
    np.testing.assert_allclose(along_with(np.array([[0.009, 0, 0.001]]), skin, pushes), [[[0, 0, 0.002]]])
