"""The lights under which finished maps look like the photos."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from backend.delight.refit import refit_further_lights
from backend.imaging.colour import linear_to_srgb
from backend.rendering.skin_model import SKIN
from backend.rendering.spherical_harmonics import irradiance
from backend.texture.fitted_skin import FittedSkin, ShownSkin
from backend.texture.maps import PartialTexture, SkinMaps
from tests.backend.completing import frontal_skin

RESOLUTION = 128
ALBEDO = np.array([0.45, 0.28, 0.20])


@pytest.fixture(scope="module")
def skin() -> FittedSkin:
    return frontal_skin(RESOLUTION)


def light_of(red: float, towards_left: float) -> np.ndarray:
    light = np.zeros((9, 3))
    light[0] = (red, 1.5, 1.5)
    light[3] = towards_left
    return light


def shown_in(skin: FittedSkin, light: np.ndarray, seen: float = 1.0) -> ShownSkin:
    """The even skin in a light, as a photo from in front shows it."""
    facing = np.clip((skin.uv_space.normals(skin.model.mean)[..., 2] - 0.25) / 0.2, 0, 1)
    visible = (seen * facing * skin.uv_space.mask).astype(np.float32)
    shaded = np.maximum(skin.uv_space.interpolate(skin.transfer) @ light, 0)
    colour = (ALBEDO + SKIN.surface.of_renders) * shaded
    texture = linear_to_srgb(np.clip(colour, 0, 1)).astype(np.float32)
    return ShownSkin(cast(Any, SimpleNamespace()), skin, PartialTexture(texture, visible))


def finished(first: ShownSkin) -> SkinMaps:
    texture, seen = first.partial.texture_srgb, first.partial.visibility
    albedo = linear_to_srgb(np.broadcast_to(ALBEDO, texture.shape)).astype(np.float32)
    return SkinMaps(texture, albedo, np.zeros_like(seen), np.zeros_like(albedo), seen)


def test_each_photo_has_the_light_that_it_was_taken_in(skin: FittedSkin) -> None:
    lights = [light_of(1.5, 0.0), light_of(2.0, 0.9), light_of(1.2, -0.9)]
    shown = [shown_in(skin, light) for light in lights]
    fit = replace(skin.fit, views=(skin.fit.view,) * 3, numbers=(0, 1, 2))
    found = refit_further_lights(fit, shown, finished(shown[0]))
    np.testing.assert_array_equal(found.view.light, fit.view.light, err_msg="the first has been found already")
    ahead = np.array([[0.0, 0.0, 1.0], [0.5, 0.0, np.sqrt(0.75)], [-0.5, 0.0, np.sqrt(0.75)]])
    for view, light in zip(found.views[1:], lights[1:], strict=True):
        np.testing.assert_allclose(irradiance(ahead, view.light), irradiance(ahead, light), rtol=0.04)


def test_a_photo_that_shows_next_to_nothing_keeps_the_light_of_its_fit(skin: FittedSkin) -> None:
    shown = [shown_in(skin, light_of(1.5, 0.0)), shown_in(skin, light_of(2.0, 0.9), seen=0.0)]
    fit = replace(skin.fit, views=(skin.fit.view,) * 2, numbers=(0, 1))
    found = refit_further_lights(fit, shown, finished(shown[0]))
    np.testing.assert_array_equal(found.views[1].light, fit.views[1].light)
