"""The floor of the mouth, and lips that make way for a tongue."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blender_addon.anatomy.geometry import HeadGeometry, head_geometry, part_faces
from blender_addon.anatomy.heights import heights_over
from blender_addon.anatomy.mouth.mouth_floor import OVER, closed_over_floor, on_floor
from blender_addon.anatomy.mouth.teeth import Row
from blender_addon.anatomy.mouth.tongue_way import TongueWay, out_of_the_way
from tests.blender.finished_job import head_mesh


@pytest.fixture(scope="module")
def built() -> HeadGeometry:
    return head_geometry(head_mesh())


def row(low: float, high: float) -> Row:
    points = np.stack(np.broadcast_arrays([-0.01, 0.0, 0.01], -0.02, np.array([[low], [high], [low]])), axis=-1)
    return Row(points.astype(np.float64), np.array([0, 0.5, 1]), np.array([0, 0.6, 1]), upper=False)


def sheet(height: float, side: float = 0.03) -> tuple[np.ndarray, np.ndarray]:
    """A level square, two by two quads, and its faces seen from above."""
    x, y = np.meshgrid(np.linspace(-side, side, 3), np.linspace(-side, side, 3))
    index = np.arange(9).reshape(3, 3)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1).reshape(-1, 4)
    return np.stack([x.ravel(), y.ravel(), np.full(9, height)], axis=1), quads


def test_heights_are_those_of_the_surface_over_a_place() -> None:
    corners = np.array([[0.0, 0, 1], [2, 0, 3], [0, 2, 1]])
    triangles = np.stack([corners, corners + np.array([0.0, 0, 5])])
    low, high = heights_over(np.array([[0.5, 0.5], [1.5, 1.5], [-1, 0]]), triangles)
    np.testing.assert_allclose([low[0], high[0]], [1.5, 6.5])
    assert np.isinf(low[1:]).all()
    assert np.isinf(high[1:]).all()


def test_what_lies_lowest_in_the_mouth_goes_with_the_jaw_and_the_lip_moves_wholly() -> None:
    vertices = np.array([[0, 0, z] for z in (-0.09, -0.085, -0.08, -0.075, -0.07)])
    shape = np.full((5, 3), 0.01, np.float32)
    closed = closed_over_floor(vertices, shape, np.arange(5), row(-0.09, -0.07))
    np.testing.assert_array_equal(closed[0], 0)
    np.testing.assert_array_equal(closed[-1], shape[-1])
    assert (np.diff(closed[:, 2]) >= 0).all()


def test_gums_that_sink_into_the_floor_end_on_it_and_crowns_stay() -> None:
    vertices, quads = sheet(-0.088)
    lifted = on_floor(row(-0.09, -0.07), vertices, quads)
    np.testing.assert_allclose(lifted.points[[0, 2], :, 2], -0.088 + OVER)
    np.testing.assert_allclose(lifted.points[1, :, 2], -0.07)
    np.testing.assert_array_equal(on_floor(row(-0.087, -0.07), vertices, quads).points, row(-0.087, -0.07).points)


def test_a_lip_in_a_tongues_way_gives_way_on_half_of_it_and_one_beside_it_does_not() -> None:
    tongue, tongue_faces = sheet(0.0, 0.008)
    lip, lip_faces = sheet(0.0, 0.01)
    lip[:, 1] -= 0.025
    vertices = np.concatenate([tongue, lip])
    shape = np.zeros((18, 3), np.float32)
    shape[:9, 1] = -0.04
    upper = np.zeros(18, bool)
    cleared = out_of_the_way(vertices, shape, lip_faces + 9, tongue_faces, upper)
    np.testing.assert_array_equal(cleared[:9], shape[:9])
    for part in (0.4, 0.6, 1.0):
        posed = vertices + part * cleared
        low, _ = heights_over(posed[9:], posed[tongue_faces[:, [0, 1, 2]]])
        met = np.isfinite(low)
        assert (posed[9:, 2][met] < low[met] - 0.9 * TongueWay().clearance).all()
    assert (out_of_the_way(vertices, shape, lip_faces + 9, tongue_faces, ~upper)[9:, 2] >= 0).all()
    aside = vertices + np.where(np.arange(18)[:, None] < 9, 0, (0, 0, 0.01))
    np.testing.assert_array_equal(out_of_the_way(aside, shape, lip_faces + 9, tongue_faces, upper), shape)


def test_eyeballs_of_the_mean_head_keep_their_size(built: HeadGeometry) -> None:
    mesh = head_mesh()
    for name, eye in built.eyes.items():
        quads = mesh.quads[mesh.face_part == [str(n) for n in mesh.part_names].index(name)]
        points = mesh.vertices[np.unique(quads)]
        assert eye.radius == pytest.approx(np.linalg.norm(points - points.mean(0), axis=1).mean(), rel=0.02)


def test_irises_are_as_large_as_the_photo_says(built: HeadGeometry) -> None:
    large = head_geometry(replace(head_mesh(), iris_radius_m=np.array(0.0065, np.float32)))
    for eye, usual in zip(large.eyes.values(), built.eyes.values(), strict=True):
        assert np.sin(eye.iris_angle) * eye.radius == pytest.approx(0.0065, abs=1e-6)
        assert eye.radius == usual.radius
    assert len(part_faces(large, "eye_left")) == len(part_faces(built, "eye_left"))
