"""The assets that ship against what is assumed of skin: made with other numbers, they say so here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from backend.asset_files import ASSETS
from backend.head.model import load_head_model
from backend.prior.channels import LINEAR
from backend.prior.linear.factor_model import load_coarse_prior
from backend.rendering.skin_model import SKIN, lab_on_curve, without_surface_reflection
from backend.texture.relief import regional_specular
from backend.texture.skin_regions import skin_regions
from backend.texture.uv_space import uv_space

PACK_SHA256 = "83140742a891f64ba4e7bfbcbe8e2aafe2fa1d998ed85ed19ef981f8731a2d5d"
# The photos of the pack were delit with less light thrown back in folds than run time reckons with, and with a transfer
# of their own, from 192 directions and not smoothed. Whoever makes the pack anew makes it with `SKIN` and run time's.
PACK_MADE_WITH = replace(SKIN, bounce=replace(SKIN.bounce, of_hidden=0.3))


def test_the_training_file_is_the_one_whose_numbers_are_known() -> None:
    found = hashlib.sha256((ASSETS / "training" / "skin_pack.npz").read_bytes()).hexdigest()
    assert found == PACK_SHA256, "made anew: state the numbers that it was made with"
    assert PACK_MADE_WITH.bounce.of_hidden == 0.3
    assert replace(PACK_MADE_WITH, bounce=SKIN.bounce) == SKIN


def test_the_linear_prior_comes_from_that_training_file() -> None:
    assert load_coarse_prior().metadata["pack_sha256"] == PACK_SHA256


def test_the_linear_prior_carries_the_specular_levels() -> None:
    model = load_head_model()
    space = uv_space(model, 256)
    regions = skin_regions(model, space)
    shipped = load_coarse_prior().mean_maps(256, LINEAR.specular)[..., 0]
    assumed = regional_specular(regions)
    assert np.abs(shipped - assumed)[space.mask].mean() < 0.008
    for name, _ in SKIN.specular.regions:
        inside = getattr(regions, name) > 0.95
        assert float(np.median(shipped[inside])) == pytest.approx(float(np.median(assumed[inside])), abs=0.015)


def test_the_auto_encoders_saw_albedos_with_surface_reflection_and_relief_scaled_to_the_assumed_one() -> None:
    note = json.loads((ASSETS / "diffusion" / "relightify.json").read_text())["note"]
    assert "relief four times as deep and then brought to the present one" in note
    assert "their albedos held what skin reflects at its surface" in note


def test_surface_reflection_is_taken_out_but_never_more_than_most_of_a_channel() -> None:
    np.testing.assert_allclose(without_surface_reflection(np.array([0.5, 0.2])), [0.475, 0.175])
    np.testing.assert_allclose(without_surface_reflection(np.array([0.02])), [0.006])


def test_the_two_curves_of_usual_colour_stay_near_each_other() -> None:
    colour = SKIN.colour
    for lightness in range(26, 70):
        difference = lab_on_curve(colour.of_photos, lightness) - lab_on_curve(colour.of_people, lightness)
        assert np.abs(difference).max() < 2.1
