"""From the mouse over a photo to a point of the mesh."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.scene.photos.photo_pixels import PhotoCamera, pick

CAMERA = PhotoCamera(np.eye(3), np.array([0.0, 0.0, -1.0]), 1000.0, np.array([320.0, 240.0]))
# Two slanted triangles that face the camera, one behind the other.
POINTS = np.array(
    [[-0.1, -0.1, 0.0], [0.1, -0.1, 0.1], [0.0, 0.1, 0.05], [-0.3, -0.3, -0.2], [0.3, -0.3, -0.2], [0.0, 0.4, -0.2]]
)
NEAR, FAR = [0, 1, 2], [3, 4, 5]


@pytest.mark.parametrize("weights", [(0.2, 0.3, 0.5), (0.6, 0.3, 0.1), (1 / 3, 1 / 3, 1 / 3)])
def test_the_point_that_a_pixel_shows_is_found_again(weights: tuple[float, float, float]) -> None:
    pixel = CAMERA.pixels(np.array(weights) @ POINTS[NEAR])
    found = pick(POINTS, np.array([FAR, NEAR]), CAMERA, pixel)
    assert found is not None
    assert found.triangle == (0, 1, 2), "the foremost"
    np.testing.assert_allclose(found.weights, weights, atol=1e-9)


def test_triangles_that_turn_away_and_pixels_beside_the_head_are_none() -> None:
    pixel = CAMERA.pixels(POINTS[NEAR].mean(axis=0))
    found = pick(POINTS, np.array([NEAR[::-1], FAR]), CAMERA, pixel)
    assert found is not None
    assert found.triangle == (3, 4, 5)
    assert pick(POINTS, np.array([NEAR, FAR]), CAMERA, np.array([5.0, 5.0])) is None


def test_pixels_count_down_from_the_upper_left() -> None:
    np.testing.assert_allclose(CAMERA.pixels(np.array([0.1, 0.1, 0.0])), [420, 140])
