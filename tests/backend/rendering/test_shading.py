"""Matt shading and ambient occlusion on shapes for which the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from backend.rendering.shading import ambient_occlusion, cosine_directions, lambert_shading


def sphere(centre: tuple[float, float, float], radius: float, rings: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """A closed sphere of triangles, counter-clockwise from outside."""
    theta, phi = np.linspace(0, np.pi, rings + 1), np.linspace(0, 2 * np.pi, 2 * rings, endpoint=False)
    ring = [
        np.stack([np.sin(t) * np.sin(phi), np.full_like(phi, np.cos(t)), np.sin(t) * np.cos(phi)], 1) for t in theta
    ]
    n = 2 * rings
    triangles = []
    for r in range(rings):
        for k in range(n):
            a, b = r * n + k, r * n + (k + 1) % n
            triangles += [(a, a + n, b), (b, a + n, b + n)]
    return np.concatenate(ring) * radius + np.array(centre), np.array(triangles, np.int32)


def test_shading_is_white_under_unit_light_and_dims_with_occlusion() -> None:
    light = np.zeros((9, 3))
    light[0] = np.array([1.0, 0.5, 0.25]) / 0.28209479
    normals = np.array([[0.0, 0, 1], [1, 0, 0]])
    np.testing.assert_allclose(lambert_shading(normals, light), [[1, 0.5, 0.25]] * 2, rtol=1e-6)
    half = lambert_shading(normals, light, np.array([0.5, 1.0]))
    np.testing.assert_allclose(half[:, 0], [0.5, 1.0], rtol=1e-6)


def test_shading_is_never_negative() -> None:
    light = np.zeros((9, 3))
    light[2] = 1.0
    np.testing.assert_array_equal(lambert_shading(np.array([0.0, 0, -1]), light), 0)


def test_a_convex_shape_hides_nothing_from_itself() -> None:
    vertices, triangles = sphere((0, 0, 0), 0.1)
    assert ambient_occlusion(vertices, triangles).mean() > 0.99


def test_a_ball_on_a_floor_hides_what_theory_says() -> None:
    # A floor point under a ball of radius r at height h sees it with a form factor of (r / h)^2.
    ball, ball_triangles = sphere((0, 0.1, 0), 0.06, rings=24)
    floor = np.array([[-1.0, 0, -1], [-1, 0, 1], [1, 0, 1], [1, 0, -1], [0, 0, 0]])
    floor_triangles = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])
    vertices = np.concatenate([floor, ball])
    triangles = np.concatenate([floor_triangles, ball_triangles + len(floor)])
    occlusion = ambient_occlusion(vertices, triangles, rays=1024)
    assert occlusion[4] == pytest.approx(1 - 0.6**2, abs=0.015)
    assert occlusion[0] > 0.99


def test_occlusion_repeats_with_its_seed_and_ignores_loose_vertices() -> None:
    vertices, triangles = sphere((0, 0, 0), 0.1, rings=6)
    vertices = np.concatenate([vertices, [[0.0, 0.3, 0]]])
    first = ambient_occlusion(vertices, triangles, rays=16, seed=3)
    np.testing.assert_array_equal(first, ambient_occlusion(vertices, triangles, rays=16, seed=3))
    assert first[-1] == 1


def test_cosine_directions_integrate_the_cosine_lobe() -> None:
    directions = cosine_directions(4096)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    # Under density cos / pi the mean of z is 2/3, of z squared 1/2.
    np.testing.assert_allclose([directions[:, 2].mean(), (directions[:, 2] ** 2).mean()], [2 / 3, 1 / 2], atol=1e-3)
