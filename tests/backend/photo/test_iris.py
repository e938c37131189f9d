"""Iris colours from synthetic eyes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.photo.face_detector import Face
from backend.photo.iris import DEFAULT_IRIS_SRGB, default_iris, iris_colours
from backend.photo.landmark_table import CHEEK_POINTS, EYE_LEFT, EYE_RIGHT, IRIS_LEFT, IRIS_RIGHT
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


@pytest.mark.parametrize(
    "colour", [(52, 36, 30), (110, 90, 55), (150, 105, 60), (120, 125, 130), (140, 165, 185), (95, 110, 85)]
)
@pytest.mark.parametrize("light", [(1.0, 1.0, 1.0), (1.0, 0.72, 0.5), (0.75, 0.9, 1.0), (0.15, 0.14, 0.13)])
def test_what_irises_are_is_kept_in_any_light(colour: tuple, light: tuple) -> None:
    """Brown, hazel, amber, grey, pale blue, green; in daylight, lamplight, shade and nearly none."""
    photo, landmarks = eyes(colour, colour)
    lit = linear_to_srgb(srgb_to_linear(photo.image_srgb / 255) * light)
    found = iris_colours(Photo(np.round(lit * 255).astype(np.uint8)), landmarks, np.array(light)) * 255
    np.testing.assert_allclose(found, [colour] * 2, atol=8)


@pytest.mark.parametrize(
    "colour", [(189, 28, 25), (150, 40, 40), (235, 90, 60), (120, 80, 190), (40, 150, 50), (230, 225, 220)]
)
def test_what_irises_are_not_gives_the_other_eyes_colour_or_a_usual_one(colour: tuple) -> None:
    """Flash in red and orange, lenses in violet and green, white ones."""
    photo, landmarks = eyes(colour, BLUE)
    np.testing.assert_allclose(iris_colours(photo, landmarks, WHITE_LIGHT) * 255, [BLUE, BLUE], atol=4)
    photo, landmarks = eyes(colour, colour)
    np.testing.assert_array_equal(iris_colours(photo, landmarks, WHITE_LIGHT), np.stack([DEFAULT_IRIS_SRGB] * 2))


def test_red_of_a_wide_pupil_leaves_the_iris_around_it() -> None:
    photo, landmarks = eyes(BLUE, BLUE, radius=20, opening=24)
    image = photo.image_srgb.copy()
    for centre in ((230, 60), (90, 60)):
        cv2.circle(image, centre, 12, (200, 30, 20), -1)
    np.testing.assert_allclose(iris_colours(Photo(image), landmarks, WHITE_LIGHT) * 255, [BLUE, BLUE], atol=6)


def test_dark_glass_and_closed_lids_give_a_brown_that_fits_the_skin() -> None:
    photo, landmarks = eyes(BROWN, BROWN)
    skin = np.array([0.45, 0.3, 0.22])
    usual = default_iris(skin)
    glass = photo.image_srgb.copy()
    glass[20:100] = glass[20:100] // 8 + 6
    landmarks[list(CHEEK_POINTS)] = [(20, 110), (300, 110)] * (len(CHEEK_POINTS) // 2)
    np.testing.assert_array_equal(iris_colours(Photo(glass), landmarks, WHITE_LIGHT, skin), np.stack([usual] * 2))
    lids = np.full_like(photo.image_srgb, (190, 150, 130))
    lids += np.random.default_rng(0).integers(0, 12, lids.shape).astype(np.uint8)
    np.testing.assert_array_equal(iris_colours(Photo(lids), landmarks, WHITE_LIGHT, skin), np.stack([usual] * 2))
    dark = default_iris(np.array([0.09, 0.05, 0.035]))
    assert (dark < 0.6 * usual).all()
    assert dark[0] > dark[1] > dark[2]


def test_red_eyes_of_a_portrait_become_plausible(portrait: np.ndarray, face: Face) -> None:
    own = iris_colours(Photo(portrait), face.landmarks_px, WHITE_LIGHT)
    image = portrait.copy()
    for points in (IRIS_LEFT, IRIS_RIGHT):
        ring = face.landmarks_px[list(points)]
        radius = float(np.linalg.norm(ring[1:] - ring[0], axis=1).mean())
        red = cv2.circle(image.copy(), np.round(ring[0]).astype(int).tolist(), round(0.9 * radius), (210, 35, 30), -1)
        image = cv2.addWeighted(red, 0.85, image, 0.15, 0)
    found = iris_colours(Photo(image), face.landmarks_px, WHITE_LIGHT, np.array([0.5, 0.35, 0.28]))
    np.testing.assert_array_equal(found[0], found[1])
    assert found[0, 0] < 2.2 * found[0, 1]
    assert own[0, 0] < 2.2 * own[0, 1]
