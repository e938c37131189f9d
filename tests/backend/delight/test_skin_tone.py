"""The split of what was seen into light and skin."""

from __future__ import annotations

import numpy as np
import pytest

from backend.delight.delighting import SkinChoices, delight
from backend.delight.refit import refit_light
from backend.delight.skin_tone import locus_colour, log_ratios, plausible_tone, turned
from backend.imaging.colour import LUMINANCE, linear_to_lab, linear_to_srgb
from backend.photo.white_cue import WhiteCue
from backend.rendering.light_transfer import shading
from backend.rendering.skin_model import SKIN, without_surface_reflection
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture, SkinMaps
from tests.backend.completing import frontal_skin

RESOLUTION = 256
# As an official portrait and a set of training portraits show it: log ratios of red, green and blue to luminance.
WARM = np.array([1.4, 0.9, 0.87])


def shown(luminance: float, light: np.ndarray) -> np.ndarray:
    """What light shows of skin of the usual colour whose diffuse albedo has this luminance, float64 [3]."""
    return light * locus_colour(luminance + SKIN.surface.of_skin)


@pytest.mark.parametrize("luminance", [0.06, 0.18, 0.33])
def test_light_that_the_eyes_show_to_be_warm_does_not_redden_skin(luminance: float) -> None:
    white = WhiteCue(0.5 * WARM, 1.0, brightest=0.9)
    tone = plausible_tone(0.8 * shown(luminance, WARM), white)
    own = without_surface_reflection(locus_colour(float(tone @ LUMINANCE) + SKIN.surface.of_skin))
    # The light is 0.33 redder than white.
    assert abs(log_ratios(tone)[0] - log_ratios(own)[0]) < 0.09


def test_dark_skin_in_usual_light_keeps_its_hue_and_tone() -> None:
    skin = np.array([0.095, 0.045, 0.021])
    tone = plausible_tone(0.75 * (skin + SKIN.surface.of_skin), WhiteCue(np.full(3, 0.55), 1.0, brightest=0.95))
    assert float(tone @ LUMINANCE) == pytest.approx(float(skin @ LUMINANCE), rel=0.15)
    assert np.abs(log_ratios(tone) - log_ratios(skin)).max() < 0.12


@pytest.mark.parametrize("light", [np.array([2.4, 0.6, 1.6]), np.array([0.5, 0.9, 2.6])])
def test_skin_in_coloured_light_is_drawn_to_what_skins_are(light: np.ndarray) -> None:
    tone = plausible_tone(0.7 * shown(0.3, light))
    assert tone[0] > 1.25 * tone[1] > 1.25 * tone[2]


@pytest.mark.parametrize("light", [np.array([0.3, 1.0, 0.4]), np.array([1.0, 0.1, 0.1]), np.array([0.15, 0.5, 1.0])])
def test_light_of_neon_says_nothing_of_the_skin_s_hue(light: np.ndarray) -> None:
    tone = plausible_tone(0.7 * shown(0.3, light))
    own = without_surface_reflection(locus_colour(float(tone @ LUMINANCE) + SKIN.surface.of_skin))
    assert np.abs(log_ratios(tone) - log_ratios(own)).max() < 0.1


def test_eyes_in_the_shade_of_lids_do_not_make_skin_fair() -> None:
    seen = 0.8 * shown(0.2, np.ones(3))
    lit, shaded = (
        float(plausible_tone(seen, WhiteCue(np.full(3, level), 1.0, brightest=0.95)) @ LUMINANCE)
        for level in (0.8, 0.45)
    )
    assert lit < shaded < 1.35 * lit


def test_a_turned_hue_keeps_the_luminance_and_skin() -> None:
    skins = np.array([[0.56, 0.36, 0.29], [0.45, 0.28, 0.20], [0.11, 0.048, 0.022]])
    for skin in skins:
        redness = []
        for hue in (-1.0, 0.0, 1.0):
            tone = turned(skin, hue)
            assert float(tone @ LUMINANCE) == pytest.approx(float(skin @ LUMINANCE))
            assert tone[0] > tone[1] > tone[2]
            redness.append(linear_to_lab(tone)[1])
        assert 2 < redness[0] < redness[1] - 2.5
        assert redness[1] + 2.5 < redness[2] < 22
    np.testing.assert_allclose(turned(skins[0], 0.0), skins[0])


@pytest.fixture(scope="module")
def context() -> FittedSkin:
    return frontal_skin(RESOLUTION)


def flat_face(context: FittedSkin, light: np.ndarray) -> PartialTexture:
    """Even fair skin in a light [9, 3], seen from in front."""
    visible = np.clip((context.uv_space.normals(context.model.mean)[..., 2] - 0.25) / 0.2, 0, 1)
    visible = visible * context.uv_space.mask * (context.regions.face > 0.5)
    colour = np.array([0.45, 0.28, 0.20]) * np.maximum(context.uv_space.interpolate(context.transfer) @ light, 0)
    return PartialTexture(linear_to_srgb(np.clip(colour, 0, 1)).astype(np.float32), visible.astype(np.float32))


@pytest.mark.slow
def test_the_light_takes_the_inverse_of_a_turned_hue(context: FittedSkin) -> None:
    light = np.zeros((9, 3))
    light[0], light[2] = 2.4, 0.8
    partial = flat_face(context, light)
    colours, albedos = [], []
    for hue in (-1.0, 0.0, 1.0):
        delit = delight(partial, context, choices=SkinChoices(hue=hue))
        albedo = linear_to_srgb(np.broadcast_to(delit.mean_albedo, partial.texture_srgb.shape)).astype(np.float32)
        plain = np.zeros_like(partial.visibility)
        maps = SkinMaps(partial.texture_srgb, albedo, plain, np.zeros_like(albedo), partial.visibility)
        fit = refit_light(context, maps)
        shaded = shading(context.uv_space.interpolate(context.transfer), fit.light)
        colours.append((shaded * (delit.mean_albedo + SKIN.surface.of_renders))[partial.visibility > 0.7].mean(0))
        albedos.append(delit.mean_albedo)
    assert albedos[0][0] / albedos[0][1] < albedos[1][0] / albedos[1][1] < albedos[2][0] / albedos[2][1]
    for colour in colours:
        np.testing.assert_allclose(colour, colours[1], rtol=0.02)


@pytest.mark.slow
def test_light_of_less_than_no_blue_over_all_directions_is_no_fault(context: FittedSkin) -> None:
    light = np.zeros((9, 3))
    light[0], light[2] = (2.2, 1.6, -0.15), (0.6, 0.9, 1.6)
    delit = delight(flat_face(context, light), context)
    assert np.isfinite(delit.log_marks).all()
    assert delit.mean_albedo[0] > delit.mean_albedo[1] > delit.mean_albedo[2] > 0
