"""Views of photos."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.photo.upright_crop import warped

SIDE = 128


@pytest.fixture
def photo() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (1203, 1601, 3), np.uint8)


def test_a_view_depends_on_what_it_shows_alone(photo: np.ndarray) -> None:
    turn, scale = np.radians(20), 0.2
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    to_view = np.column_stack([linear, np.full(2, SIDE / 2) - linear @ (800.3, 600.7)])
    elsewhere = photo.copy()
    elsewhere[:150] = elsewhere[-150:] = 0
    elsewhere[:, :300] = elsewhere[:, -300:] = 0
    assert np.array_equal(warped(photo, to_view, (SIDE, SIDE)), warped(elsewhere, to_view, (SIDE, SIDE)))


def test_a_reduced_view_is_the_mean_of_the_area_that_it_shows(photo: np.ndarray) -> None:
    to_view = np.array([[0.25, 0, -100.0], [0, 0.25, -50.0]])
    view = warped(photo, to_view, (SIDE, SIDE))
    area = cv2.resize(photo[200 : 200 + 4 * SIDE, 400 : 400 + 4 * SIDE], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    assert np.abs(view.astype(int) - area).max() <= 1


@pytest.mark.parametrize("corner", [(-300.0, -200.0), (1400.0, 1000.0)])
def test_beyond_the_photo_a_view_is_grey(photo: np.ndarray, corner: tuple[float, float]) -> None:
    to_view = np.array([[0.2, 0, -0.2 * corner[0]], [0, 0.2, -0.2 * corner[1]]])
    view = warped(photo, to_view, (SIDE, SIDE), grey=True)
    far = view[:20, :20] if corner[0] < 0 else view[-20:, -20:]
    assert (far == 128).all()
    assert view.std() > 2  # a mean of 25 pixels of noise
