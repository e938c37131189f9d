import numpy as np

from backend.rendering.rays import RayScene, off_surface

CORNERS = np.array([[-1, -1, 0], [1, -1, 0], [0, 1, 0]], np.float32)
SCENE = RayScene(CORNERS, np.array([[0, 1, 2]]))


def test_rays_meet_a_triangle_from_either_side_and_pass_beside_it() -> None:
    origins = np.array([[0, 0, 2.0], [0, 0, -2.0], [3, 0, 2.0], [0, 0, 2.0]])
    directions = np.array([[0, 0, -1.0], [0, 0, 1.0], [0, 0, -1.0], [0, 0, 1.0]])
    assert SCENE.hits(origins, directions).tolist() == [True, True, False, False]


def test_the_first_hit_says_where_and_how_far() -> None:
    hits = SCENE.first_hits(np.array([[0.25, -0.5, 2.0], [3, 0, 2.0]]), np.array([[0, 0, -0.5], [0, 0, -1.0]]))
    assert hits["primID"].tolist() == [0, -1]
    u, v = float(hits["u"][0]), float(hits["v"][0])
    np.testing.assert_allclose((1 - u - v) * CORNERS[0] + u * CORNERS[1] + v * CORNERS[2], [0.25, -0.5, 0], atol=1e-6)
    np.testing.assert_allclose(hits["tfar"][0], 4.0, rtol=1e-6)


def test_a_ray_that_leaves_a_surface_does_not_meet_it() -> None:
    middle, up = CORNERS.mean(0, keepdims=True), np.array([[0, 0, 1.0]])
    assert not SCENE.hits(off_surface(middle, up), up).any()
