"""From a head mesh to the arrays that Blender builds."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.anatomy import geometry
from blender_addon.anatomy.geometry import BLENDER_FROM_HEAD, biting_edges, head_geometry, part_faces
from blender_addon.anatomy.strips import grid_of_quads
from tests.blender_addon.heads import small_head, strip


def outward(vertices: np.ndarray, quads: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Cosine between each face's normal and the direction away from a centre."""
    a, b, c = (vertices[quads[:, i]] for i in (0, 1, 2))
    normal = np.cross(b - a, c - a)
    away = vertices[quads].mean(1) - centre
    return (normal * away).sum(1) / np.linalg.norm(normal, axis=1) / np.linalg.norm(away, axis=1)


def test_axes_turn_without_mirroring() -> None:
    assert np.linalg.det(BLENDER_FROM_HEAD) == pytest.approx(1.0)
    np.testing.assert_allclose(BLENDER_FROM_HEAD @ [1, 2, 3], [1, -3, 2])
    np.testing.assert_allclose(geometry.to_blender(np.array([[1, 2, 3]])), [[1, -3, 2]])


def test_skin_stays_as_it_is() -> None:
    mesh = small_head()
    built = head_geometry(mesh)
    count, skin = len(mesh.vertices), np.unique(mesh.quads[mesh.face_part == 0])
    np.testing.assert_allclose(built.vertices[skin], geometry.to_blender(mesh.vertices)[skin])
    np.testing.assert_array_equal(built.hm08_vertex_ids[:count], mesh.hm08_vertex_ids)
    faces = part_faces(built, "skin")
    np.testing.assert_array_equal(built.quads[faces], mesh.quads[mesh.face_part == 0])
    np.testing.assert_allclose(built.corner_uv[faces], mesh.uv[mesh.uv_quads[mesh.face_part == 0]])


def test_eyeballs_are_fitted() -> None:
    eye = head_geometry(small_head()).eyes["eye_left"]
    np.testing.assert_allclose(eye.centre, [0.0315, 0, 0], atol=1e-6)
    assert eye.radius == pytest.approx(0.012, abs=1e-6)
    assert np.sin(eye.iris_angle) * eye.radius == pytest.approx(0.00585, abs=1e-5)


def test_finer_eyeballs_are_round_closed_and_face_outwards() -> None:
    built = head_geometry(small_head())
    faces = part_faces(built, "eye_left")
    assert len(faces) == 24 * 4
    quads, centre = built.quads[faces], built.eyes["eye_left"].centre
    radius = np.linalg.norm(built.vertices[np.unique(quads)] - centre, axis=1)
    np.testing.assert_allclose(radius, 0.012, atol=1e-6)
    assert outward(built.vertices, quads, centre).min() > 0.9
    edges = np.sort(np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    assert set(np.unique(edges, axis=0, return_counts=True)[1]) == {2}


def test_new_vertices_of_eyeballs_turn_with_the_old_ones() -> None:
    built = head_geometry(small_head(look_degrees=25.0))
    ring = np.unique(built.quads[part_faces(built, "eye_left")])
    eye = built.eyes["eye_left"]
    turned = built.vertices[ring] + built.shape_offsets[0, ring] - eye.centre
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), 0.012, atol=2e-6)
    angle = np.radians(25.0)
    # About the vertical axis, so that what looked along -y looks to the subject's left (+x).
    expected = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    np.testing.assert_allclose(turned, (built.vertices[ring] - eye.centre) @ expected.T, atol=2e-6)


def test_pupil_lies_in_the_middle_of_the_eyes_texture() -> None:
    built = head_geometry(small_head())
    eye = built.eyes["eye_right"]
    front = eye.centre - np.array([0, eye.radius, 0])
    above = eye.centre + eye.radius * np.array([0, -np.cos(0.3), np.sin(0.3)])
    np.testing.assert_allclose(geometry.eye_uv(front, eye.centre), [0.5, 0.5], atol=1e-6)
    u, v = geometry.eye_uv(above, eye.centre)
    assert u == pytest.approx(0.5, abs=1e-6)
    assert v == pytest.approx(0.5 + 0.5 * 0.3 / geometry.EYE_UV_MAX_ANGLE, abs=1e-6)


def test_lashes_run_from_the_lid_to_the_tips_and_from_the_nose_outwards() -> None:
    mesh = small_head()
    built = head_geometry(mesh)
    for face in part_faces(built, "lashes"):
        points, uv = built.vertices[built.quads[face]], built.corner_uv[face]
        upper = points[:, 2].mean() > 0
        assert ((uv[:, 1] > 0.5) == upper).all()
        outer = np.argmax(np.abs(points[:, 0]))
        inner = np.argmin(np.abs(points[:, 0]))
        assert uv[outer, 0] > uv[inner, 0]
        tip, root = np.argmin(points[:, 1]), np.argmax(points[:, 1])
        assert uv[tip, 1] > uv[root, 1]


def test_teeth_run_along_the_arch_with_the_upper_row_on_top() -> None:
    built = head_geometry(small_head())
    faces = part_faces(built, "teeth")
    uv, points = built.corner_uv[faces], built.vertices[built.quads[faces]]
    upper = points[..., 2].mean(1) > -0.058
    assert (uv[upper][..., 1] > 0.5).all()
    assert (uv[~upper][..., 1] < 0.5).all()
    assert uv[..., 0].min() == pytest.approx(0.0)
    assert uv[..., 0].max() == pytest.approx(1.0)


def test_biting_edges_run_along_the_fold_of_both_rows_of_teeth() -> None:
    built = head_geometry(small_head())
    edges = biting_edges(built)
    used, times = np.unique(edges, return_counts=True)
    # Two lines without branches, each lowest (upper row) or highest (lower row) of what is near it.
    assert sorted(times.tolist()) == [1] * 4 + [2] * (len(used) - 4)
    assert set(used.tolist()) < set(np.unique(built.quads[part_faces(built, "teeth")]).tolist())


@pytest.mark.parametrize("turn", range(4))
def test_grid_is_found_from_any_corner_and_in_any_order(turn: int) -> None:
    rng = np.random.default_rng(turn)
    _, quads = strip(4, 6, np.zeros((4, 6, 3)))
    quads = np.roll(quads, turn, axis=1)[rng.permutation(len(quads))]
    grid = grid_of_quads(quads)
    assert grid is not None
    assert sorted(grid.shape) == [4, 6]
    assert sorted(grid.ravel().tolist()) == list(range(24))
    neighbours = np.abs(np.diff(grid, axis=1 if grid.shape == (4, 6) else 0))
    assert set(neighbours.ravel().tolist()) == {1}


def test_ball_is_no_grid() -> None:
    mesh = small_head()
    assert grid_of_quads(mesh.quads[mesh.face_part == 1]) is None
