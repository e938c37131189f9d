"""The shade of teeth from synthetic smiles."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from backend.imaging.colour import lab_to_linear, linear_to_lab, linear_to_srgb, srgb_to_linear
from backend.photo.landmark_table import CHEEK_LEFT, CHEEK_RIGHT, LIPS_INNER, OUTER_EYE_CORNERS
from backend.photo.parameters import TeethSettings
from backend.photo.reading import Photo
from backend.photo.teeth import LitFace, default_teeth, teeth_colour

USUAL = TeethSettings()
WHITE_LIGHT = np.ones(3)
SKIN, TONGUE, DARK = np.array([0.42, 0.25, 0.18]), np.array([0.45, 0.14, 0.13]), np.array([0.01, 0.006, 0.005])


def smile(teeth: np.ndarray, light: np.ndarray = WHITE_LIGHT, height: float = 16) -> LitFace:
    """A picture of an open mouth in which teeth of a linear colour [3] fill all but a dark strip, with landmarks."""
    image = np.broadcast_to(SKIN, (260, 300, 3)).copy()
    # Something that is not in a shade of the skin, or the photo would have no colours of its own.
    image[:50] = (0.05, 0.08, 0.16)
    landmarks = np.random.default_rng(0).uniform((60, 20), (240, 240), (478, 2))
    landmarks[list(OUTER_EYE_CORNERS)] = [(70, 60), (230, 60)]
    for side, x in ((CHEEK_RIGHT, 80), (CHEEK_LEFT, 220)):
        turn = np.linspace(0, 2 * np.pi, len(side), endpoint=False)
        landmarks[list(side)] = np.stack([x + 15 * np.cos(turn), 120 + 15 * np.sin(turn)], axis=1)
    turn = np.pi + np.linspace(0, 2 * np.pi, len(LIPS_INNER), endpoint=False)
    landmarks[list(LIPS_INNER)] = np.stack([150 + 50 * np.cos(turn), 190 - height * np.sin(turn)], axis=1)
    mouth = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mouth, [np.round(landmarks[list(LIPS_INNER)]).astype(np.int32)], 1)
    image[mouth > 0] = DARK
    upper = (mouth > 0) & (np.arange(len(image))[:, None] < 194)
    image[upper] = teeth
    image[upper & (np.arange(300) % 12 == 0)] = 0.4 * teeth
    return LitFace(Photo(np.round(255 * linear_to_srgb(image * light)).astype(np.uint8)), landmarks, light)


def shade(lab: tuple[float, float, float]) -> np.ndarray:
    """Linear colour of teeth that the lips shade as they do in photos."""
    return lab_to_linear(np.array(lab) + np.array(USUAL.shaded))


def found_lab(*faces: LitFace) -> np.ndarray:
    return linear_to_lab(srgb_to_linear(teeth_colour(faces).astype(np.float64)))


def test_yellow_teeth_come_out_yellower_and_white_ones_whiter_than_most() -> None:
    yellow, white = found_lab(smile(shade((72, 2, 26)))), found_lab(smile(shade((86, -0.5, 9))))
    assert yellow[2] > USUAL.usual[2] + 2 > USUAL.usual[2] - 2 > white[2]
    assert yellow[0] < USUAL.usual[0] - 1 < USUAL.usual[0] + 1 < white[0]


def test_teeth_as_most_have_them_come_out_so() -> None:
    np.testing.assert_allclose(found_lab(smile(shade(USUAL.usual))), USUAL.usual, atol=0.7)


def test_coloured_light_is_divided_out() -> None:
    light = np.array([1.15, 0.95, 0.7])
    in_white = found_lab(smile(shade((74, 1, 22))))
    np.testing.assert_allclose(found_lab(smile(shade((74, 1, 22)), light)), in_white, atol=0.8)


def test_a_smile_in_any_photo_tells_and_several_tell_more() -> None:
    shut, yellow = smile(TONGUE), smile(shade((72, 2, 26)))
    np.testing.assert_array_equal(found_lab(shut, yellow), found_lab(yellow))
    assert found_lab(yellow, yellow)[2] > found_lab(yellow)[2] + 0.5


@pytest.mark.parametrize("seen", [TONGUE, DARK, SKIN])
def test_a_mouth_without_teeth_gives_the_usual_shade(seen: np.ndarray) -> None:
    np.testing.assert_array_equal(teeth_colour([smile(seen)]), default_teeth())


def test_shut_lips_give_the_usual_shade() -> None:
    np.testing.assert_array_equal(teeth_colour([smile(shade((72, 2, 26)), height=1.5)]), default_teeth())


def test_a_photo_without_colours_gives_the_usual_shade() -> None:
    face = smile(shade((72, 2, 26)))
    grey = np.repeat(face.photo.image_srgb.mean(-1, keepdims=True).astype(np.uint8), 3, axis=-1)
    np.testing.assert_array_equal(teeth_colour([replace(face, photo=Photo(grey))]), default_teeth())


def test_a_mouth_that_the_frame_cuts_gives_the_usual_shade() -> None:
    face = smile(shade((72, 2, 26)))
    face.landmarks_px[list(LIPS_INNER), 1] += 60
    np.testing.assert_array_equal(teeth_colour([face]), default_teeth())
