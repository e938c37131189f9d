"""The quality draft, with a small prior that was trained on skins drawn for the test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.delight.delighting import DelightedTexture, delight
from backend.head.model import HeadModel
from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.prior.available import available_priors
from backend.prior.channels import LINEAR
from backend.prior.linear import factor_model as coarse_model
from backend.prior.linear.estimate import coarse_estimate, strange_light
from backend.prior.linear.factor_model import CoarsePrior, layout_of
from backend.prior.linear.prior import LinearPrior, joined, without_rings
from backend.prior.parameters import EstimateSettings
from backend.progress import Progress
from backend.rendering.skin_model import SKIN
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.regions import FaceRegions, face_regions
from backend.texture.uv_space import dilate, mirror
from backend.training.priors.linear import as_cosines, fit_prior
from shared.errors import JobCancelled, RelightifyError
from shared.options import REFLECTANCES
from tests.backend.completing import completed, frontal_skin

pytestmark = pytest.mark.slow

RESOLUTION = 256
SPECULAR = 0.36


@pytest.fixture(scope="module")
def context() -> FittedSkin:
    return frontal_skin(RESOLUTION)


@pytest.fixture(scope="module")
def regions(context: FittedSkin) -> FaceRegions:
    return face_regions(context.model, context.uv_space)


def frontal_light(level: float = 1.0, side: float = 0.0) -> np.ndarray:
    """Light [9, 3], mostly from the front; `side` is how much stronger it is from the subject's left."""
    light = np.zeros((9, 3))
    light[0], light[2], light[3] = 2.6 * level, 1.0 * level, side * level
    return light


def skin_of(regions: FaceRegions, rng: np.random.Generator) -> np.ndarray:
    """A random linear albedo [R, R, 3]: a tone, brows, and lips whose depth goes with the brows'."""
    fair, dark = np.log([0.55, 0.36, 0.28]), np.log([0.12, 0.07, 0.05])
    depth = rng.uniform(0.3, 1.0)
    log_albedo = dark + rng.uniform() * (fair - dark) + np.zeros((*regions.lips.shape, 3))
    log_albedo = log_albedo - 1.4 * depth * regions.brows[..., None]
    return np.exp(log_albedo - depth * regions.lips[..., None] * np.array([0.2, 0.6, 0.4]))


def shade(albedo: np.ndarray, context: FittedSkin, light: np.ndarray) -> np.ndarray:
    return np.clip(albedo * (context.uv_space.interpolate(context.transfer) @ light), 1e-3, 1)


@pytest.fixture(scope="module")
def prior(context: FittedSkin, regions: FaceRegions) -> CoarsePrior:
    rng = np.random.default_rng(0)
    samples = []
    for _ in range(60):
        albedo = skin_of(regions, rng)
        light = frontal_light(float(np.exp(rng.normal(0, 0.25))), rng.normal(0, 0.3))
        images = [
            dilate(linear_to_srgb(v).astype(np.float32), context.uv_space.mask, RESOLUTION)
            for v in (shade(albedo, context, light), albedo)
        ]
        flat = np.zeros((RESOLUTION, RESOLUTION, 3), np.float32) + np.array([0, 0, 1], np.float32)
        specular = np.full((RESOLUTION, RESOLUTION), SPECULAR, np.float32)
        samples.append(SkinMaps(images[0], images[1], specular, flat, specular))
    return fit_prior(as_cosines(samples, len(samples)), layout_of(context.model), {}, seed=0, factors=12)


def seen_half(
    albedo: np.ndarray, context: FittedSkin, regions: FaceRegions, light: np.ndarray, whole: bool = False
) -> PartialTexture:
    """What a photo shows of the face: its left half, or all of it; eyes are never seen."""
    visibility = (regions.face > 0.5).astype(np.float32) * context.uv_space.mask
    visibility[regions.eyes > 0.9] = 0
    if not whole:
        visibility[:, : RESOLUTION // 2] = 0
    visibility = np.minimum(visibility, cv2.GaussianBlur(visibility, (0, 0), 1.0))
    texture = linear_to_srgb(shade(albedo, context, light)).astype(np.float32) * (visibility > 0)[..., None]
    return PartialTexture(texture, visibility)


def test_the_other_half_of_a_face_is_completed(prior: CoarsePrior, context: FittedSkin, regions: FaceRegions) -> None:
    albedo = skin_of(regions, np.random.default_rng(7))
    partial = seen_half(albedo, context, regions, frontal_light())
    maps = completed(LinearPrior(prior), partial, context, 0)[0]
    other = (regions.face > 0.8) & (partial.visibility == 0) & (regions.eyes < 0.1)
    truth = linear_to_srgb(shade(albedo, context, frontal_light()))
    assert np.abs(maps.texture_srgb - truth)[other].mean() < 0.05
    lips, brows = (regions.lips > 0.9) & other, (regions.brows > 0.9) & other
    plain = other & (regions.lips + regions.brows < 0.05)
    for darker in (lips, brows):
        assert maps.diffuse_albedo_srgb[darker].mean() < maps.diffuse_albedo_srgb[plain].mean() - 0.03


def test_light_of_a_strange_colour_is_not_taken_for_skin(
    prior: CoarsePrior, context: FittedSkin, regions: FaceRegions
) -> None:
    usual = delight(seen_half(skin_of(regions, np.random.default_rng(7)), context, regions, frontal_light()), context)
    assert not strange_light(usual).any()
    green = np.log([0.4, 1.0, 0.45])

    def differing(settings: EstimateSettings) -> float:
        """By how much the estimate changes where light of a strange colour is twice as strange."""
        lit = [replace(usual, log_seen=usual.log_seen + (times * green).astype(np.float32)) for times in (1, 2)]
        first, second = (coarse_estimate(prior, one, settings).posterior.mean for one in lit)
        return float(np.abs(second - first).max())

    told = strange_light(replace(usual, log_seen=usual.log_seen + green.astype(np.float32)))
    assert told[0] < -0.2
    assert told[1] == pytest.approx(0, abs=0.1)
    assert told[2] < -0.2
    assert differing(EstimateSettings()) < 0.3 * differing(replace(EstimateSettings(), usual_light=np.inf))


def test_what_dark_skin_reflects_is_no_strange_light(context: FittedSkin, regions: FaceRegions) -> None:
    seen = delight(seen_half(skin_of(regions, np.random.default_rng(7)), context, regions, frontal_light()), context)
    dark = np.array([0.116, 0.034, 0.010])
    shown = np.log(0.5 * (dark + SKIN.surface.of_skin)).astype(np.float32)
    assert not strange_light(replace(seen, log_seen=np.zeros_like(seen.log_seen) + shown, mean_albedo=dark)).any()


def test_a_hidden_cheek_is_as_dark_as_the_light_from_the_other_side_makes_it(
    prior: CoarsePrior, context: FittedSkin, regions: FaceRegions
) -> None:
    albedo, light = skin_of(regions, np.random.default_rng(7)), frontal_light(side=1.6)
    shown = seen_half(albedo, context, regions, light, whole=True)
    hidden = (np.arange(RESOLUTION) < 0.36 * RESOLUTION) & (regions.face > 0.8) & context.uv_space.mask
    seen = shown.visibility * ~hidden
    partial = PartialTexture(shown.texture_srgb * (seen > 0)[..., None], seen)
    maps = completed(LinearPrior(prior), partial, context, 0)[0]
    truth = linear_to_srgb(shade(albedo, context, light))
    bright = mirror(truth)[hidden].mean()
    assert truth[hidden].mean() < 0.8 * bright
    assert abs(maps.texture_srgb[hidden].mean() - truth[hidden].mean()) < 0.25 * (bright - truth[hidden].mean())


def test_what_was_seen_stays_as_in_the_photo(prior: CoarsePrior, context: FittedSkin, regions: FaceRegions) -> None:
    partial = seen_half(skin_of(regions, np.random.default_rng(8)), context, regions, frontal_light(), whole=True)
    maps = completed(LinearPrior(prior), partial, context, 0)[0]
    seen = cv2.erode((partial.visibility > 0.99).astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
    assert np.abs(maps.texture_srgb - partial.texture_srgb)[seen].max() < 0.02


def test_the_first_seed_is_the_likeliest_skin_and_others_differ_where_nothing_was_seen(
    prior: CoarsePrior, context: FittedSkin, regions: FaceRegions
) -> None:
    partial = seen_half(skin_of(regions, np.random.default_rng(8)), context, regions, frontal_light())
    delit = delight(partial, context)
    likeliest, *draws = LinearPrior(prior).complete(delit, range(7), Progress())
    (again,) = LinearPrior(prior).complete(delit, [4], Progress())
    np.testing.assert_array_equal(again.log_texture, draws[3].log_texture)
    mean = joined(delit.log_seen, coarse_estimate(prior, delit).maps(RESOLUTION)[..., LINEAR.texture], delit).colour
    hidden = (partial.visibility == 0) & (regions.face > 0.8)
    seen = cv2.erode((partial.visibility > 0.99).astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
    assert np.abs(likeliest.log_texture - mean)[hidden].mean() < 0.01
    strays = [np.abs(draw.log_texture - likeliest.log_texture).mean(-1) for draw in draws]
    assert min(float(stray[hidden].mean()) for stray in strays) > 2e-3
    assert max(float(stray[seen].mean()) for stray in strays) < 2e-4
    # Draws lie around the likeliest skin, so that their mean is nearer to it than they are.
    middle = np.mean([draw.log_texture for draw in draws], axis=0)
    assert np.abs(middle - likeliest.log_texture)[hidden].mean() < np.mean([stray[hidden].mean() for stray in strays])


def test_every_map_is_whole_and_in_range(prior: CoarsePrior, context: FittedSkin, regions: FaceRegions) -> None:
    partial = seen_half(skin_of(regions, np.random.default_rng(9)), context, regions, frontal_light())
    maps = completed(LinearPrior(prior), partial, context, 0)[0]
    island = context.uv_space.mask
    for image in (maps.texture_srgb, maps.diffuse_albedo_srgb, maps.specular_albedo):
        assert np.isfinite(image).all()
        assert image[island].min() > 0.01
        assert image[island].max() <= 1
    np.testing.assert_allclose(np.linalg.norm(maps.normal[island], axis=-1), 1, atol=1e-4)
    assert abs(float(np.median(maps.specular_albedo[island])) - SPECULAR) < 0.02


def test_the_same_seed_gives_the_same_maps(prior: CoarsePrior, context: FittedSkin, regions: FaceRegions) -> None:
    partial = seen_half(skin_of(regions, np.random.default_rng(10)), context, regions, frontal_light())
    first, second = (completed(LinearPrior(prior), partial, context, 5)[0] for _ in range(2))
    for name, values in first.by_name().items():
        np.testing.assert_array_equal(values, second.by_name()[name])


def test_dark_and_fair_skin_are_told_apart(prior: CoarsePrior, context: FittedSkin, regions: FaceRegions) -> None:
    results = []
    for tone in ([0.5, 0.33, 0.25], [0.14, 0.085, 0.06]):
        albedo = np.zeros((RESOLUTION, RESOLUTION, 3)) + np.array(tone)
        partial = seen_half(albedo, context, regions, frontal_light(), whole=True)
        maps = completed(LinearPrior(prior), partial, context, 0)[0]
        results.append(float(np.median(srgb_to_linear(maps.diffuse_albedo_srgb)[regions.face > 0.9][:, 0])))
    assert results[0] > 2 * results[1]


@pytest.mark.parametrize("stops", [-1.0, 0.7])
def test_the_skin_can_be_made_darker_and_lighter_and_the_texture_stays(
    prior: CoarsePrior, context: FittedSkin, regions: FaceRegions, stops: float
) -> None:
    albedo = np.zeros((RESOLUTION, RESOLUTION, 3)) + np.array([0.3, 0.19, 0.14])
    partial = seen_half(albedo, context, regions, frontal_light(), whole=True)
    usual, shifted = (completed(LinearPrior(prior), partial, context, 0, tone_stops=s)[0] for s in (0.0, stops))
    face = regions.face > 0.9
    ratio = srgb_to_linear(shifted.diffuse_albedo_srgb)[face] / srgb_to_linear(usual.diffuse_albedo_srgb)[face]
    assert abs(np.log2(np.median(ratio)) - stops) < 0.2 * abs(stops)
    seen = face & (partial.visibility > 0.99)
    assert np.abs(shifted.texture_srgb - usual.texture_srgb)[seen].mean() < 0.005


def test_what_was_not_seen_is_less_certain(prior: CoarsePrior, context: FittedSkin, regions: FaceRegions) -> None:
    partial = seen_half(skin_of(regions, np.random.default_rng(11)), context, regions, frontal_light(), whole=True)
    plain = partial.visibility * ((regions.brows < 0.05) & (regions.lips < 0.05))
    deviations = []
    for visibility in (plain, partial.visibility):
        seen = PartialTexture(partial.texture_srgb * (visibility > 0)[..., None], visibility)
        estimate = coarse_estimate(prior, delight(seen, context)).deviations(RESOLUTION)
        deviations.append(estimate[..., LINEAR.diffuse][regions.lips > 0.9].mean())
    assert 0 < deviations[1] < 0.9 * deviations[0]


def test_no_skin_is_an_error(prior: CoarsePrior, context: FittedSkin) -> None:
    nothing = np.zeros((RESOLUTION, RESOLUTION), np.float32)
    partial = PartialTexture(np.zeros((RESOLUTION, RESOLUTION, 3), np.float32), nothing)
    with pytest.raises(RelightifyError) as caught:
        completed(LinearPrior(prior), partial, context, 0)[0]
    assert caught.value.code == "too_little_skin"


def test_a_cancelled_job_stops(prior: CoarsePrior, context: FittedSkin, regions: FaceRegions) -> None:
    partial = seen_half(skin_of(regions, np.random.default_rng(12)), context, regions, frontal_light())
    with pytest.raises(JobCancelled):
        completed(LinearPrior(prior), partial, context, 0, progress=Progress(cancelled=lambda: True))


def test_draft_is_there_where_its_weights_fit_the_head_model(
    prior: CoarsePrior, context: FittedSkin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "coarse.safetensors"
    monkeypatch.setattr(coarse_model, "ASSET", path)
    model: HeadModel = context.model
    assert "draft" not in available_priors(model)
    coarse_model.save_coarse_prior(prior, path)
    assert "draft" in available_priors(model)
    coarse_model.save_coarse_prior(replace(prior, layout="another"), path)
    assert "draft" not in available_priors(model)


def test_rings_beyond_the_face_are_smoothed_and_ears_and_face_are_not(
    context: FittedSkin, regions: FaceRegions
) -> None:
    island = context.uv_space.mask
    base = np.zeros((RESOLUTION, RESOLUTION, 3), np.float32)
    waves = np.sin(np.arange(RESOLUTION) * 2 * np.pi / (3 * regions.texels_per_mm)).astype(np.float32)
    outside, face = island & (regions.face < 1e-3), regions.face > 0.99
    outside[:, : RESOLUTION // 8] = outside[:, -RESOLUTION // 8 :] = False
    for strength, left in ((0.02, 0.3), (0.4, 1.0)):
        pattern = base + strength * waves[:, None]
        calm = without_rings(pattern, regions, island)
        np.testing.assert_allclose(calm[face], pattern[face], atol=1e-3)
        assert calm[outside].std() <= left * pattern[outside].std() * 1.01
        assert calm[outside].std() >= (0.9 if left == 1.0 else 0.0) * pattern[outside].std()


def test_reflectance_of_the_prior_takes_nothing_of_the_photo_s_own_marks(
    prior: CoarsePrior, context: FittedSkin, regions: FaceRegions
) -> None:
    albedo = skin_of(regions, np.random.default_rng(7))
    marked = albedo.copy()
    y, x = np.argwhere((regions.face > 0.9) & (regions.lips + regions.brows + regions.eyes < 0.01))[-1]
    spot = (slice(y - 4, y + 5), slice(x - 4, x + 5))
    marked[spot] *= 0.5
    seen = seen_half(marked, context, regions, frontal_light(), whole=True)
    maps = {name: completed(LinearPrior(prior), seen, context, 0, reflectance=name)[0] for name in REFLECTANCES}
    around = (slice(y - 12, y + 13), slice(x - 12, x + 13))

    def contrast(image: np.ndarray) -> float:
        return float(np.log(srgb_to_linear(image[spot]).mean() / srgb_to_linear(image[around]).mean()))

    assert contrast(maps["photo"].diffuse_albedo_srgb) < -0.15
    assert abs(contrast(maps["prior"].diffuse_albedo_srgb)) < 0.05
    assert contrast(maps["prior"].texture_srgb) < -0.3  # the texture stays the photo's
    face = regions.face > 0.8
    np.testing.assert_allclose(maps["prior"].normal[face, 2], 1, atol=0.02)  # the training's normals were flat
    plain = face & (regions.lips + regions.brows + regions.eyes < 0.01)
    error = maps["prior"].diffuse_albedo_srgb - linear_to_srgb(albedo)
    assert np.abs(error[plain]).mean() < 0.06


def test_half_a_brow_that_is_hidden_is_drawn_in_the_strands_of_the_other(
    context: FittedSkin, regions: FaceRegions
) -> None:
    rng = np.random.default_rng(0)
    strands = cv2.GaussianBlur(rng.normal(0, 1, regions.brows.shape), (0, 0), 0.7).astype(np.float32)
    values = (0.3 * strands / strands.std() * regions.face)[..., None] + np.zeros(3, np.float32)
    x = context.uv_space.positions(context.model.mean)[..., 0]
    weight = ((regions.face > 0.5) & (x > 0)).astype(np.float32)
    nothing = np.zeros_like(values)
    delit = DelightedTexture(
        context,
        PartialTexture(nothing, weight),
        *(nothing, nothing, nothing, nothing),
        *(weight, 0 * weight, np.zeros(3), np.ones(3)),
    )
    colour = joined(values, nothing, delit).colour[..., 1]
    fine = colour - cv2.GaussianBlur(colour, (0, 0), 1.5)
    hidden, seen = (regions.brows > 0.9) & (x < -0.01), (regions.brows > 0.9) & (x > 0.01)
    assert fine[hidden].std() > 0.85 * fine[seen].std()
    cheek = (regions.face > 0.9) & (regions.brows < 0.01) & (x < -0.02)
    assert fine[cheek].std() < 0.8 * fine[seen].std()


def test_a_brow_under_a_fringe_does_not_run_out_over_the_temple(context: FittedSkin, regions: FaceRegions) -> None:
    x = context.uv_space.positions(context.model.mean)[..., 0]
    brow = regions.brows > 0.95
    outer = float(np.quantile(x[brow & (x > 0)], 0.6))
    dark = np.zeros((*brow.shape, 3), np.float32) - (0.9 * brow * (x > 0))[..., None].astype(np.float32)
    fringe = (x > outer) & (regions.forehead + regions.brows + regions.eyes > 0.2)
    weight = ((regions.face > 0.5) & ~fringe).astype(np.float32)
    nothing = np.zeros_like(dark)
    delit = DelightedTexture(
        context,
        PartialTexture(nothing, weight),
        *(nothing, nothing, nothing, nothing),
        *(weight, 0 * weight, np.zeros(3), np.ones(3)),
    )
    colour = joined(dark, nothing, delit).colour[..., 1]
    np.testing.assert_allclose(colour[brow & (weight > 0) & (x > 0)], -0.9, atol=0.1)
    # The other side, which is mirrored, has no brow in this picture: what is under the fringe is skin.
    hidden = fringe & (x > outer) & (x < outer + 0.03)
    assert colour[hidden & (regions.brows > 0.3)].mean() > -0.13
    assert colour[hidden & (x > outer + 0.003)].min() > -0.35
