"""The white of the eyes tells the light."""

from __future__ import annotations

import numpy as np
import pytest

from backend.delight.skin_tone import LUMINANCE, plausible_tone
from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.photo.landmark_table import EYE_LEFT, EYE_RIGHT, LIPS_INNER
from backend.photo.reading import Photo
from backend.photo.white_cue import WhiteCue, sclera_cue, white_cue
from tests.backend.photo.test_iris import BROWN, eyes

FAIR = np.array([0.45, 0.28, 0.2])


def lit(photo: Photo, light: np.ndarray) -> Photo:
    """The same scene in another light."""
    linear = srgb_to_linear(photo.image_srgb / 255.0) * light
    return Photo(np.round(linear_to_srgb(linear) * 255).astype(np.uint8))


def test_a_dimmer_or_coloured_light_is_seen_in_the_eyes() -> None:
    photo, landmarks = eyes(BROWN, BROWN)
    full = sclera_cue(lit(photo, np.full(3, 0.6)), landmarks)
    dim = sclera_cue(lit(photo, np.array([0.12, 0.08, 0.06])), landmarks)
    assert full is not None
    assert dim is not None
    np.testing.assert_allclose(dim.level / full.level, [0.2, 0.08 / 0.6, 0.1], rtol=0.06)
    assert 0 < full.confidence <= 1


def test_closed_eyes_tell_nothing() -> None:
    photo, landmarks = eyes(BROWN, BROWN)
    for group in (EYE_LEFT, EYE_RIGHT):
        landmarks[list(group), 1] = 60
    assert sclera_cue(photo, landmarks) is None


def test_burnt_out_eyes_tell_nothing() -> None:
    photo, landmarks = eyes(BROWN, BROWN)
    assert sclera_cue(lit(photo, np.full(3, 4.0)), landmarks) is None


def test_eyes_tell_fair_skin_in_dim_light_from_dark_skin() -> None:
    seen = FAIR * 0.15
    dim = WhiteCue(np.full(3, 0.15), 1.0)
    bright = WhiteCue(np.full(3, 1.1), 1.0)
    fair, unknown, dark = (float(plausible_tone(seen, cue) @ LUMINANCE) for cue in (dim, None, bright))
    assert fair > unknown > dark
    assert fair > 2 * dark
    assert dark < 0.09


def test_a_colour_cast_that_the_eyes_show_is_not_skin() -> None:
    cast = np.array([1.3, 1.0, 0.8])
    without, by_eyes = plausible_tone(FAIR * cast), plausible_tone(FAIR * cast, WhiteCue(cast, 1.0))
    truth = FAIR / FAIR.sum()
    assert np.abs(by_eyes / by_eyes.sum() - truth).max() < np.abs(without / without.sum() - truth).max()


@pytest.mark.parametrize("fair", [True, False])
def test_a_photo_that_is_dim_as_a_whole_keeps_the_tone(fair: bool) -> None:
    skin = FAIR if fair else np.array([0.085, 0.052, 0.035])
    well = plausible_tone(skin, WhiteCue(np.ones(3), 1.0, brightest=0.9)) @ LUMINANCE
    dim = plausible_tone(skin / 6, WhiteCue(np.ones(3) / 6, 1.0, brightest=0.15)) @ LUMINANCE
    assert abs(np.log(dim / well)) < 0.25
    assert (well > 0.25) == fair


def test_a_dark_room_does_not_make_dark_skin_fair() -> None:
    skin = np.array([0.085, 0.052, 0.035])
    eyes = np.full(3, 0.6)  # as they show full light on dark skin
    bright, dark = (plausible_tone(skin, WhiteCue(eyes, 1.0, brightest=b)) @ LUMINANCE for b in (0.95, 0.3))
    assert dark < 1.6 * bright
    assert dark < 1.6 * float(skin @ LUMINANCE)


def test_the_same_eyes_speak_of_less_light_on_fair_skin_than_on_dark() -> None:
    # Lids of fair skin reflect more light on the eyes, so the same grey in them means less light.
    eyes = WhiteCue(np.full(3, 0.6), 1.0, brightest=0.95)
    dark, fair = (float(plausible_tone(skin, eyes) @ LUMINANCE) for skin in (FAIR * 0.15, FAIR))
    assert float(FAIR @ LUMINANCE) * 0.15 / dark > float(FAIR @ LUMINANCE) / fair


def test_teeth_speak_where_eyes_are_narrow() -> None:
    seen = np.array([0.65, 0.36, 0.23])  # a flash on medium skin
    alone = plausible_tone(seen) @ LUMINANCE
    smiling = plausible_tone(seen, WhiteCue(np.ones(3), 0.0, teeth=np.full(3, 1.6))) @ LUMINANCE
    assert smiling < 0.95 * alone


def test_a_shut_mouth_shows_no_teeth_and_the_cue_is_always_there() -> None:
    photo, landmarks = eyes(BROWN, BROWN)
    landmarks[list(LIPS_INNER)] = landmarks[list(LIPS_INNER)].mean(0)
    for group in (EYE_LEFT, EYE_RIGHT):
        landmarks[list(group), 1] = 60
    cue = white_cue(photo, landmarks)
    assert cue.teeth is None
    assert cue.confidence == 0
    assert 0 < cue.brightest <= 1


def test_nothing_is_white_in_coloured_light() -> None:
    photo, landmarks = eyes(BROWN, BROWN)
    scene = np.array(photo.image_srgb)
    scene[:20] = 230  # a white wall
    walled = Photo(scene)
    assert white_cue(walled, landmarks).white_share > 0.05
    assert white_cue(lit(walled, np.array([0.35, 0.7, 1.0])), landmarks).white_share == 0


def test_irises_are_darker_than_the_white_and_lighter_in_a_negative() -> None:
    photo, landmarks = eyes(BROWN, BROWN)
    usual = white_cue(photo, landmarks).iris_lighter
    negative = white_cue(Photo(255 - photo.image_srgb), landmarks).iris_lighter
    assert usual is not None
    assert negative is not None
    assert usual < -0.9
    assert negative > 0.5


def test_a_green_photo_without_other_colours_tells_of_grey_light() -> None:
    photo, landmarks = eyes(BROWN, BROWN)
    grey = photo.image_srgb @ np.array([0.3, 0.59, 0.11])
    night = Photo(np.round(grey[..., None] * (0.15, 1.0, 0.2)).astype(np.uint8))
    cue = white_cue(night, landmarks)
    assert np.ptp(cue.level) == 0
