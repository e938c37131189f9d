"""The diffusion prior that ships, on a painted face."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from backend.delight.delighting import delight
from backend.detail.options import DetailOptions
from backend.head.model import load_head_model
from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.imaging.filters import masked_blur
from backend.prior.diffusion.presets import PAPER, preset_of
from backend.prior.diffusion.prior import DiffusionPrior, coarse_maps, joined_maps
from backend.prior.diffusion.shipped import ASSET, shipped_diffusion
from backend.prior.linear.factor_model import shipped_prior
from backend.prior.linear.prior import LinearPrior, coarse_completions
from backend.progress import Progress
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture
from backend.texture.regions import face_regions
from shared.errors import JobCancelled
from shared.options import LIKELIEST_SEED, REFLECTANCES
from tests.backend.completing import completed, frontal_skin
from tests.backend.prior.linear.test_prior import frontal_light, shade, skin_of

pytestmark = pytest.mark.slow

RESOLUTION = 512
MOST_BYTES = 24 * 2**20


@pytest.fixture(scope="module")
def context() -> FittedSkin:
    return frontal_skin(RESOLUTION)


@pytest.fixture(scope="module")
def partial(context: FittedSkin) -> PartialTexture:
    return painted_face(context)


def painted_face(context: FittedSkin) -> PartialTexture:
    """The face, without the subject's left third."""
    regions = face_regions(context.model, context.uv_space)
    shaded = shade(skin_of(regions, np.random.default_rng(3)), context, frontal_light(0.8))
    seen = ((regions.face > 0.5) & context.uv_space.mask).astype(np.float32)
    seen[:, int(0.56 * RESOLUTION) :] = 0
    return PartialTexture((linear_to_srgb(shaded) * seen[..., None]).astype(np.float32), seen)


@pytest.fixture(scope="module")
def prior(context: FittedSkin) -> DiffusionPrior:
    """The quality `standard` in two steps."""
    coarse = shipped_prior(context.model)
    assert coarse is not None
    full = shipped_diffusion(context.model, coarse, "cpu")["standard"]
    return with_preset(full, options=replace(full.presets["photo"].options, steps=2))


def with_preset(prior: DiffusionPrior, **changes: Any) -> DiffusionPrior:
    """The prior with some of how it samples changed."""
    presets = dict.fromkeys(REFLECTANCES, replace(prior.presets["photo"], **changes))
    return DiffusionPrior(prior.coarse, prior.load, presets)


def test_the_weights_are_small_and_say_how_they_were_trained() -> None:
    assert sum(path.stat().st_size for path in ASSET.rglob("*") if path.is_file()) <= MOST_BYTES
    assert {path.suffix for path in ASSET.rglob("*") if path.is_file()} == {".json", ".safetensors"}


def test_weights_for_another_texture_layout_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = load_head_model()
    coarse = shipped_prior(model)
    assert coarse is not None
    assert shipped_diffusion(model, coarse, "cpu", tmp_path) == {}
    (tmp_path / "relightify.json").write_text('{"layout": "another"}', encoding="utf-8")
    logger = logging.getLogger("backend.prior.diffusion.shipped")
    caplog.set_level(logging.WARNING, logger.name)
    logger.addHandler(caplog.handler)
    assert shipped_diffusion(model, coarse, "cpu", tmp_path) == {}
    logger.removeHandler(caplog.handler)
    assert "another texture layout" in caplog.text


def test_seen_texels_stay_and_the_rest_is_filled_alike_for_one_seed(
    prior: DiffusionPrior, partial: PartialTexture, context: FittedSkin
) -> None:
    first, second = completed(prior, partial, context, 0, 1)
    (again,) = completed(prior, partial, context, 1)
    assert np.array_equal(second.texture_srgb, again.texture_srgb)
    assert not np.array_equal(first.texture_srgb, second.texture_srgb)
    firm = partial.visibility > 0
    firm[:, int(0.54 * RESOLUTION) :] = False
    error = np.abs(first.texture_srgb - partial.texture_srgb)[firm]
    assert float(np.sqrt(np.square(error).mean())) < 10 ** (-38 / 20)
    for maps in (first, second):
        for image in (maps.texture_srgb, maps.diffuse_albedo_srgb, maps.specular_albedo, maps.normal):
            assert np.isfinite(image).all()
        skin = context.uv_space.mask
        assert float(maps.diffuse_albedo_srgb[skin].min()) > 0
        assert np.allclose(np.linalg.norm(maps.normal[skin], axis=-1), 1, atol=1e-3)


def test_the_mean_of_several_draws_strays_less_than_one_draw(
    prior: DiffusionPrior, partial: PartialTexture, context: FittedSkin
) -> None:
    calm = DetailOptions(strength=0.0)
    hidden = context.uv_space.mask & (partial.visibility == 0)
    strays = []
    for draws in (1, 6):
        # From pure noise, so that both begin alike.
        fair = replace(prior.presets["photo"].options, temperature=1.0)
        chosen = with_preset(prior, options=fair, draws=draws, start_noise=None, further=None)
        first, second = completed(chosen, partial, context, 0, 1, detail=calm)
        strays.append(float(np.abs(first.texture_srgb - second.texture_srgb)[hidden].mean()))
    # Fair draws are independent: six of them stray less by the root of six.
    assert 0.25 * strays[0] < strays[1] < 0.6 * strays[0]


def test_further_samples_stray_in_structures_finer_than_the_coarse_draws(
    prior: DiffusionPrior, partial: PartialTexture, context: FittedSkin
) -> None:
    calm, hidden = DetailOptions(strength=0.0), context.uv_space.mask & (partial.visibility == 0)
    island = context.uv_space.mask.astype(np.float32)

    def middle(texture: np.ndarray) -> np.ndarray:
        return (masked_blur(texture, island, 4.0) - masked_blur(texture, island, 16.0))[hidden]

    strays = []
    for chosen in (prior, LinearPrior(prior.coarse)):
        _, second, third = completed(chosen, partial, context, LIKELIEST_SEED, 1, 2, detail=calm)
        strays.append(float(np.abs(middle(second.texture_srgb) - middle(third.texture_srgb)).mean()))
    assert strays[0] > 1.2 * strays[1]


def test_only_the_likeliest_skin_is_an_expectation() -> None:
    for quality in ("standard", "high"):
        chosen = preset_of("tiny", quality, "photo")
        assert chosen.of_seed(LIKELIEST_SEED).options.temperature == 0
        assert chosen.of_seed(LIKELIEST_SEED + 1).options.temperature == 1


def test_drawn_tone_and_drawn_detail_have_shares_of_their_own(
    prior: DiffusionPrior, partial: PartialTexture, context: FittedSkin
) -> None:
    few = partial.visibility.copy()
    few[:, int(0.42 * RESOLUTION) :] = 0
    shown = delight(PartialTexture(partial.texture_srgb * (few > 0)[..., None], few), context)
    (coarse,) = coarse_completions(prior.coarse, shown, [LIKELIEST_SEED], Progress())
    far = cv2.erode((few == 0).astype(np.float32), np.ones((31, 31), np.float32))
    darker = coarse_maps(coarse)
    darker["texture"] = darker["texture"] - 0.2 * far[..., None]

    def change(broad: float, fine: float) -> float:
        drawn = (
            joined_maps(coarse, darker, replace(prior.presets["photo"], broad=broad, fine=fine)).log_texture
            - coarse.maps.log_texture
        )
        return float(drawn[context.working.mask & (far > 0)].mean())

    whole = change(1.0, 1.0)
    assert whole < -0.05
    assert change(0.5, 0.5) == pytest.approx(0.5 * whole, rel=1e-3)
    assert change(0.0, 0.0) == 0
    assert abs(change(0.0, 1.0)) < 0.25 * abs(whole)


def test_without_a_share_of_the_draws_colours_are_those_of_draft(
    prior: DiffusionPrior, partial: PartialTexture, context: FittedSkin
) -> None:
    coarse_alone = with_preset(prior, broad=0.0, fine=0.0)
    (maps,) = completed(coarse_alone, partial, context, 0)
    (draft,) = completed(LinearPrior(prior.coarse), partial, context, 0)
    np.testing.assert_allclose(maps.texture_srgb, draft.texture_srgb, atol=1e-5)
    np.testing.assert_allclose(maps.diffuse_albedo_srgb, draft.diffuse_albedo_srgb, atol=1e-5)
    assert np.abs(maps.specular_albedo - draft.specular_albedo).mean() > 1e-3


def test_reflectance_of_the_prior_is_what_the_network_drew(
    prior: DiffusionPrior, partial: PartialTexture, context: FittedSkin
) -> None:
    calm = DetailOptions(strength=0.0)
    (photo,) = completed(prior, partial, context, 0, detail=calm)
    (inferred,) = completed(prior, partial, context, 0, detail=calm, reflectance="prior")
    delit = delight(partial, context)
    (drawn,) = prior.complete(delit, [0], Progress(), reflectance="prior")
    skin = context.working.mask
    # At the prior's own size nothing is added to what it drew, and seen texture is the photo's either way.
    np.testing.assert_allclose(
        srgb_to_linear(inferred.diffuse_albedo_srgb[skin]), np.exp(drawn.log_albedo[skin]), atol=2e-3
    )
    assert drawn.normal is not None
    cosine = np.einsum("nk,nk->n", inferred.normal[skin], drawn.normal[skin])
    assert float(np.quantile(cosine, 0.02)) > np.cos(np.radians(1))
    np.testing.assert_allclose(inferred.texture_srgb, photo.texture_srgb, atol=1e-5)
    assert np.abs(inferred.diffuse_albedo_srgb - photo.diffuse_albedo_srgb)[skin].mean() > 0.002


def test_high_with_the_priors_reflectance_is_the_papers_chain() -> None:
    assert preset_of("tiny", "high", "prior") is preset_of("base", "high", "prior") is PAPER
    options = PAPER.options
    assert (options.name, options.steps, options.step_size, options.zeta) == ("mcg_ddim", 200, "residual", 1.0)
    assert (options.eta, options.temperature, PAPER.start_noise, PAPER.draws) == (0.0, 1.0, None, 1)
    assert (PAPER.broad, PAPER.fine, PAPER.pores_mm) == (1.0, 1.0, 0.0)
    assert preset_of("tiny", "standard", "prior") == preset_of("tiny", "standard", "photo")


def test_cancel_takes_effect_between_steps(prior: DiffusionPrior, partial: PartialTexture, context: FittedSkin) -> None:
    seen: list[str] = []
    progress = Progress(callback=lambda stage, *_: seen.append(stage), cancelled=lambda: seen.count("complete") >= 4)
    with pytest.raises(JobCancelled):
        completed(prior, partial, context, 0, progress=progress)
    assert "detail" not in seen


def test_auto_encoders_keep_what_they_are_given(prior: DiffusionPrior) -> None:
    weights = prior.load()
    torch.manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.rand(1, 3, 12, 12) - 0.5, (512, 512), mode="bicubic")
    with torch.inference_mode():
        rebuilt = weights.decode(weights.encode({"texture": smooth}), ("texture",))["texture"]
    assert -10 * np.log10(float((rebuilt - smooth).square().mean()) / 4) > 33
