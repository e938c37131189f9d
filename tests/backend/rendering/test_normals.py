"""Smooth vertex normals."""

from __future__ import annotations

import numpy as np

from backend.rendering.normals import vertex_normals


def test_vertex_normals_of_a_cube_point_along_its_diagonals() -> None:
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32)
    sides = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    triangles = np.concatenate([sides[:, [0, 1, 2]], sides[:, [0, 2, 3]]])
    np.testing.assert_allclose(vertex_normals(corners, triangles), corners / np.sqrt(3), atol=1e-6)


def test_normals_do_not_depend_on_how_quads_are_cut() -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, -1], [1, 0, -1]], np.float32)
    one = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 1], [4, 1, 0]])
    other = np.array([[0, 1, 3], [1, 2, 3], [4, 5, 0], [5, 1, 0]])
    np.testing.assert_allclose(vertex_normals(corners, one), vertex_normals(corners, other), atol=1e-6)


def test_unused_vertices_have_no_normal() -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [5, 5, 5]], np.float32)
    assert not vertex_normals(corners, np.array([[0, 1, 2]]))[3].any()
