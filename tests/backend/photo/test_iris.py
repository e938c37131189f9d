"""Iris colours from synthetic eyes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.photo.iris import DEFAULT_IRIS_SRGB, iris_colours
from backend.photo.landmark_table import EYE_LEFT, EYE_RIGHT, IRIS_LEFT, IRIS_RIGHT
from backend.photo.reading import Photo

BLUE, BROWN = (90, 120, 150), (92, 60, 38)
WHITE_LIGHT = np.ones(3)


def eyes(left: tuple, right: tuple, radius: float = 14, opening: float = 16) -> tuple[Photo, np.ndarray]:
    """A picture of two eyes with iris colours (sRGB), and landmarks; the subject's left eye is on the right."""
    image = np.full((120, 320, 3), (200, 160, 140), np.uint8)
    landmarks = np.zeros((478, 2))
    for centre, colour, iris, lids in (
        ((230, 60), left, IRIS_LEFT, EYE_LEFT),
        ((90, 60), right, IRIS_RIGHT, EYE_RIGHT),
    ):
        angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        outline = np.stack([centre[0] + 40 * np.cos(angle), centre[1] + opening * np.sin(angle)], axis=1)
        eye = np.zeros(image.shape[:2], np.uint8)
        cv2.fillPoly(eye, [np.round(outline).astype(np.int32)], 255)
        painted = image.copy()
        painted[:] = (235, 232, 228)
        cv2.circle(painted, centre, round(radius), colour, -1)
        cv2.circle(painted, centre, round(radius * 0.35), (8, 8, 8), -1)
        cv2.circle(painted, (centre[0] + 7, centre[1] - 6), 4, (255, 255, 255), -1)  # catch-light
        image[eye > 0] = painted[eye > 0]
        landmarks[list(lids)] = outline + 0.5
        ring = np.array([[0, 0], [radius, 0], [0, -radius], [-radius, 0], [0, radius]])
        landmarks[list(iris)] = np.array(centre) + ring + 0.5
    return Photo(image), landmarks


def test_each_eye_gives_its_own_colour_despite_pupil_white_and_catch_light() -> None:
    photo, landmarks = eyes(BLUE, BROWN)
    found = iris_colours(photo, landmarks, WHITE_LIGHT) * 255
    np.testing.assert_allclose(found, [BLUE, BROWN], atol=4)


def test_the_light_is_divided_out() -> None:
    photo, landmarks = eyes(BLUE, BLUE)
    light = np.array([1.6, 1.2, 0.8])
    expected = linear_to_srgb(srgb_to_linear(np.array(BLUE) / 255) / light)
    np.testing.assert_allclose(iris_colours(photo, landmarks, light)[0], expected, atol=0.02)


def test_an_eye_that_is_closed_takes_the_other_ones_colour() -> None:
    photo, landmarks = eyes(BLUE, BROWN)
    landmarks[list(EYE_RIGHT), 1] = 60
    np.testing.assert_allclose(iris_colours(photo, landmarks, WHITE_LIGHT)[1] * 255, BLUE, atol=4)


@pytest.mark.parametrize("shift", [0.0, 500.0])
def test_no_usable_eye_gives_the_commonest_colour(shift: float) -> None:
    photo, landmarks = eyes(BLUE, BROWN, radius=1.5)
    found = iris_colours(photo, landmarks + shift, WHITE_LIGHT)
    np.testing.assert_array_equal(found, np.stack([DEFAULT_IRIS_SRGB] * 2))
