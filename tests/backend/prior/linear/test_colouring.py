"""The colour of skin in photos without colour, on skins whose colour follows from their lightness."""

from __future__ import annotations

import numpy as np
import pytest

from backend.imaging.colour import LUMINANCE, linear_to_srgb, srgb_to_linear
from backend.prior.linear.colouring import coloured
from backend.prior.linear.factor_model import CoarsePrior
from backend.texture.maps import PartialTexture, SkinMaps
from backend.training.priors.linear import as_cosines, fit_prior

pytestmark = pytest.mark.slow

SIDE = 128
GREY, SEPIA = np.ones(3), np.array([1.2, 1.0, 0.7])


def texture(tone: float, beard: float = 0.0) -> np.ndarray:
    """Linear colour [S, S, 3]: dark skin is redder, a beard is dark and of little colour, lips are red."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE - 0.5
    lips = np.exp(-((x / 0.15) ** 2) - ((y - 0.1) / 0.1) ** 2)
    chin = beard * np.exp(-((x / 0.2) ** 2) - ((y - 0.3) / 0.1) ** 2)
    red = 0.25 - 0.1 * tone + 0.3 * lips - 0.2 * chin
    luminance = np.exp(-1.6 + 0.4 * tone - 0.3 * lips - 0.6 * chin)
    return luminance[..., None] * np.exp(np.stack([red, 0 * red, -red], axis=-1))


@pytest.fixture(scope="module")
def prior() -> CoarsePrior:
    rng = np.random.default_rng(0)
    ones = np.ones((SIDE, SIDE), np.float32)
    normal = np.tile(np.array([0.0, 0.0, 1.0], np.float32), (SIDE, SIDE, 1))
    colours = [linear_to_srgb(texture(tone, beard)) for tone, beard in rng.normal(size=(30, 2))]
    skins = [SkinMaps(colour, colour, 0.3 * ones, normal, ones) for colour in colours]
    return fit_prior(as_cosines(skins, 30), "layout", {"how": "toy"}, seed=0, factors=6)


def without_colour(linear: np.ndarray, paper: np.ndarray = GREY) -> PartialTexture:
    """What a photo shows without colour, on paper of a colour; the left edge is not seen."""
    luminance = (linear @ LUMINANCE)[..., None] * paper / float(LUMINANCE @ paper)
    visibility = np.ones((SIDE, SIDE), np.float32)
    visibility[:, :20] = 0
    return PartialTexture((linear_to_srgb(luminance) * visibility[..., None]).astype(np.float32), visibility)


def redness(linear: np.ndarray) -> np.ndarray:
    """Log ratio of red and green where the photo shows the skin."""
    seen = np.maximum(linear[:, 24:], 1e-6)
    return np.log(seen[..., 0] / seen[..., 1])


@pytest.mark.parametrize("beard", [-0.8, 0.8])
def test_the_parts_of_a_face_have_the_colour_of_those_that_look_alike(prior: CoarsePrior, beard: float) -> None:
    truth = texture(0.0, beard)
    found = srgb_to_linear(coloured(prior, without_colour(truth)).texture_srgb)
    # Skin of the mean colour would be off by up to 0.16, a grey face by up to 0.55.
    assert np.abs(redness(found) - redness(truth)).max() < 0.06


@pytest.mark.parametrize("tone", [-1.2, 1.2])
def test_what_may_be_light_or_skin_is_taken_for_both(prior: CoarsePrior, tone: float) -> None:
    found, truth, mean = (
        redness(skin).mean()
        for skin in (
            srgb_to_linear(coloured(prior, without_colour(texture(tone))).texture_srgb),
            texture(tone),
            texture(0.0),
        )
    )
    assert 0.2 < (found - mean) / (truth - mean) < 0.8


def test_the_luminance_stays_the_photos(prior: CoarsePrior) -> None:
    bright = texture(0.0)
    bright[40:60, 60:90] = 0.98
    partial = without_colour(bright)
    found = coloured(prior, partial).texture_srgb
    before, after = (srgb_to_linear(t) @ LUMINANCE for t in (partial.texture_srgb, found))
    np.testing.assert_allclose(after, before, atol=1e-3)
    assert found.max() <= 1.0
    assert not found[:, :20].any()


def test_the_colour_of_the_paper_does_not_matter(prior: CoarsePrior) -> None:
    grey, sepia = (coloured(prior, without_colour(texture(0.5), paper)) for paper in (GREY, SEPIA))
    np.testing.assert_allclose(sepia.texture_srgb, grey.texture_srgb, atol=2e-3)
