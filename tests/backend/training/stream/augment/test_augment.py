"""Every augmentation: deterministic by seed, inside the range of skin, and doing what its name says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch

from backend.head.model import load_head_model
from backend.imaging.colour import lab_to_linear, linear_to_lab
from backend.rendering.skin_model import SKIN
from backend.training.stream.augment import hair, makeup, mixing, pigments, spots, wrinkles
from backend.training.stream.augment.camera import develop, tone_curve
from backend.training.stream.augment.skin import Skin, noise, sample_points, splat
from backend.training.stream.parameters import PigmentBounds
from backend.training.stream.reflectance import normals_of_height, specular_albedo, with_detail_relief
from backend.training.stream.region_masks import RegionMasks, region_masks

RESOLUTION = 128
Augmentation = Callable[[Skin, RegionMasks, np.random.Generator], Skin]
BROWN = (0.05, 0.03, 0.02)
AUGMENTATIONS: dict[str, Augmentation] = {
    "flush": pigments.flush,
    "mottle": pigments.mottle,
    "tired_eyes": pigments.tired_eyes,
    "tan": pigments.tan,
    "freckles": spots.freckles,
    "moles": spots.moles,
    "blemishes": spots.blemishes,
    "age_spots": spots.age_spots,
    "wrinkles": wrinkles.wrinkles,
    "stubble": partial(hair.stubble, colour=BROWN),
    "beard": partial(hair.beard, colour=BROWN),
    "tinted_brows": partial(hair.tinted_brows, colour=BROWN),
    "lip_tone": makeup.lip_tone,
    "lipstick": makeup.lipstick,
    "eye_shadow": makeup.eye_shadow,
    "eyeliner": makeup.eyeliner,
    "rouge": makeup.rouge,
    "foundation": makeup.foundation,
    "warp": mixing.warp,
    "stretched": mixing.stretched,
}


@pytest.fixture(scope="module")
def masks() -> RegionMasks:
    return region_masks(load_head_model(), RESOLUTION)


@pytest.fixture(scope="module")
def skin(masks: RegionMasks) -> Skin:
    """Plain skin with brows, reddish lips and fine grain."""
    rng = np.random.default_rng(0)
    colour = torch.tensor([0.55, 0.35, 0.26])[:, None, None].expand(3, RESOLUTION, RESOLUTION)
    plain = Skin.of_albedo(colour)
    grain = 0.04 * noise(rng, RESOLUTION, 1, plain.density)[0]
    return plain.with_pigment(grain + 1.5 * masks.brows, 0.4 * masks.lips)


@pytest.mark.parametrize("name", sorted(AUGMENTATIONS))
def test_same_seed_gives_the_same_skin_and_another_seed_another(name: str, skin: Skin, masks: RegionMasks) -> None:
    first, again, other = (AUGMENTATIONS[name](skin, masks, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert torch.equal(first.density, again.density)
    assert torch.equal(first.height, again.height)
    assert not torch.equal(first.density, other.density)


@pytest.mark.parametrize("name", sorted(AUGMENTATIONS))
def test_result_is_a_finite_albedo_below_one(name: str, skin: Skin, masks: RegionMasks) -> None:
    for seed in range(3):
        result = AUGMENTATIONS[name](skin, masks, np.random.default_rng(seed))
        assert torch.isfinite(result.density).all()
        assert torch.isfinite(result.height).all()
        assert (result.albedo > 0).all()
        assert (result.albedo < 1).all()
        assert (result.gloss > 0).all()


@pytest.mark.parametrize("lightness", [30.0, 45.0, 60.0, 80.0])
def test_recolouring_reaches_the_wanted_tone(lightness: float, skin: Skin, masks: RegionMasks) -> None:
    target = pigments.ordinary_tone(lightness)
    got = pigments.skin_tone(pigments.recolour(skin, masks, target), masks)
    assert got.lightness == pytest.approx(lightness, abs=0.5)
    assert got.a == pytest.approx(target.a, abs=0.7)
    assert got.b == pytest.approx(target.b, abs=0.7)


def test_ordinary_tones_with_the_surface_reflection_follow_the_assumed_curve() -> None:
    for lightness, a, b in ((35, 11.5, 13.5), (65, 12.5, 18.0)):
        diffuse = lab_to_linear(np.array([lightness, a, b])) - SKIN.surface.of_skin
        want = linear_to_lab(diffuse)
        tone = pigments.ordinary_tone(want[0])
        np.testing.assert_allclose((tone.lightness, tone.a, tone.b), want, atol=0.01)
        assert np.hypot(tone.a, tone.b) > np.hypot(a, b)


def test_random_tones_span_the_human_range(skin: Skin, masks: RegionMasks) -> None:
    rng = np.random.default_rng(0)
    current = pigments.skin_tone(skin, masks)
    lightness = [pigments.random_tone(current, rng).lightness for _ in range(200)]
    assert min(lightness) < 33
    assert max(lightness) > 77


def test_dark_skin_is_not_made_very_light() -> None:
    rng = np.random.default_rng(0)
    dark = pigments.ordinary_tone(33)
    assert max(pigments.random_tone(dark, rng).lightness for _ in range(100)) < 55


def test_redness_shows_less_on_dark_skin(skin: Skin, masks: RegionMasks) -> None:
    red = skin.with_pigment(torch.zeros_like(skin.height), 0.3 * masks.cheeks)
    dark = pigments.ordinary_tone(32)
    change = pigments.recolour(red, masks, dark).density - pigments.recolour(skin, masks, dark).density
    contrast = (change * (masks.cheeks - masks.forehead * masks.cheeks.sum() / masks.forehead.sum())).sum()
    before = ((red.density - skin.density) * masks.cheeks).sum()
    assert 0 < contrast < 0.85 * before


def test_stubble_darkens_where_whiskers_grow_and_nowhere_else(skin: Skin, masks: RegionMasks) -> None:
    rough = hair.stubble(skin, masks, np.random.default_rng(1), BROWN)
    change = (rough.density - skin.density).mean(0)
    away = (masks.forehead > 0.5) | (masks.under_eyes > 0.5)
    assert change[masks.moustache > 0.8].mean() > 0.05
    assert change[away].abs().max() < 1e-3


def test_whiskers_thin_out_to_single_strands_at_their_border(skin: Skin, masks: RegionMasks) -> None:
    """The border of where they grow is nowhere an edge: density falls to nothing inside of it."""
    grown = torch.zeros_like(skin.height)
    for seed in range(12):
        grown += (hair.beard(skin, masks, np.random.default_rng(seed), BROWN).density - skin.density).mean(0) / 12
    outer = (masks.beard > 0.05) & (masks.beard < 0.5)
    inner = (masks.chin > 0.8) & (masks.lips < 0.05)
    assert grown[inner].mean() > 4 * grown[outer].mean()
    assert grown[(masks.beard < 0.01) & (masks.cheeks > 0.5)].mean() < 0.02


def test_brows_stay_darker_than_the_skin_however_grey_their_hair(skin: Skin, masks: RegionMasks) -> None:
    dark = skin.with_density(skin.density + 2.0)
    grey = hair.tinted_brows(dark, masks, np.random.default_rng(0), hair.HAIR[5])
    middle = masks.brows > 0.9
    plain = pigments.mean_density(dark.density, masks.plain).mean()
    assert (grey.density.mean(0)[middle] > plain).float().mean() > 0.95


def test_patches_that_no_skin_has_are_drawn_back_and_ordinary_ones_stay(skin: Skin, masks: RegionMasks) -> None:
    bounds = PigmentBounds()
    patch = masks.cheeks.clamp(0, 1)
    inside = masks.cheeks > 0.95
    green = skin.density.new_tensor([0.5, -0.5, 0.3])[:, None, None]
    odd = skin.with_density(skin.density + patch * green)
    white = skin.with_density(skin.density - 1.2 * patch)
    usual = skin.with_pigment(0.15 * patch, 0.15 * patch)

    def strayed(one: Skin) -> float:
        """How far the patch's colour is from that of the skin without it."""
        return float((one.density - skin.density)[:, inside].mean(1).norm())

    assert strayed(pigments.bounded(odd, masks, bounds)) < 0.5 * strayed(odd)
    assert strayed(pigments.bounded(white, masks, bounds)) < 0.7 * strayed(white)
    torch.testing.assert_close(pigments.bounded(usual, masks, bounds).density, usual.density, atol=0.02, rtol=0)


def test_a_soft_limit_is_reached_and_not_passed_and_leaves_what_is_small() -> None:
    values = torch.tensor([0.0, 0.2, 0.25, 9.0])
    found = pigments.limited(values, 0.3)
    torch.testing.assert_close(found[[0, 1, 3]], torch.tensor([0.0, 0.2, 0.3]))
    assert 0.2 < found[2] < 0.25


def test_hair_keeps_its_colour_within_the_bounds_of_skin(skin: Skin, masks: RegionMasks) -> None:
    bearded = hair.beard(skin, masks, np.random.default_rng(3), BROWN)
    change = (pigments.bounded(bearded, masks).density - bearded.density).abs().mean(0)
    dense = (bearded.density - skin.density).mean(0) > 1.2
    assert change[dense & (masks.beard > 0.8)].mean() < 0.05


def test_freckles_leave_eyes_and_lips_alone(skin: Skin, masks: RegionMasks) -> None:
    change = (spots.freckles(skin, masks, np.random.default_rng(0)).density - skin.density).mean(0)
    assert change[masks.cheeks > 0.8].mean() > 3 * change[masks.lips > 0.95].mean()


def test_wrinkles_sink_into_the_relief(skin: Skin, masks: RegionMasks) -> None:
    creased = wrinkles.wrinkles(skin, masks, np.random.default_rng(0))
    assert creased.height.min() < -0.02
    assert creased.height.max() <= 1e-6


def test_mirroring_twice_changes_nothing(skin: Skin) -> None:
    assert torch.equal(mixing.mirrored(mixing.mirrored(skin)).density, skin.density)


def test_mixing_one_individual_with_itself_changes_nothing(skin: Skin, masks: RegionMasks) -> None:
    mixed = mixing.mix_bands([skin, skin], masks, np.random.default_rng(0))
    assert torch.allclose(mixed.density, skin.density, atol=1e-4)
    assert torch.allclose(
        mixing.mix_regions([skin, skin], masks, np.random.default_rng(0)).density, skin.density, atol=1e-4
    )


def test_normals_of_a_ramp_lean_back_from_the_rise() -> None:
    height = torch.arange(32.0)[None, :].expand(32, 32) * 0.1
    normal = normals_of_height(height, texels_per_mm=2.0)[:, 16, 16]
    assert normal[0].item() == pytest.approx(-0.2 / 1.04**0.5, abs=1e-4)
    up = normals_of_height(height.T.flip(0), texels_per_mm=2.0)[:, 16, 16]
    assert up[1].item() == pytest.approx(-0.2 / 1.04**0.5, abs=1e-4)


def test_dark_pores_become_cavities_with_less_gloss(skin: Skin, masks: RegionMasks) -> None:
    row, column = (masks.cheeks > 0.9).nonzero()[0].tolist()
    dot = torch.zeros_like(skin.height)
    dot[row, column] = 0.5
    flat = skin.with_density(torch.full_like(skin.density, 1.0)).with_pigment(dot)
    pore = with_detail_relief(flat, masks)
    assert pore.height[row, column] < -0.005
    around = specular_albedo(pore, masks)
    assert around[row, column] < around[row, column + 6]


def test_developing_keeps_the_range_and_clips_bright_light() -> None:
    shaded = torch.linspace(0, 4, 64).expand(3, 64, 64).contiguous()
    photo = develop(shaded, torch.tensor(1.0), np.random.default_rng(0))
    assert photo.min() >= 0
    assert photo.max() <= 1


def test_a_tone_curve_keeps_black_white_and_order_and_steepens_the_middle() -> None:
    values = torch.linspace(0, 1, 101)
    curved = tone_curve(values, 3.0, 0.5)
    assert curved[0].item() == pytest.approx(0, abs=1e-6)
    assert curved[-1].item() == pytest.approx(1, abs=1e-6)
    assert (curved.diff() > 0).all()
    assert ((curved[51] - curved[49]) / 0.02).item() == pytest.approx(1.18, abs=0.01)
    assert torch.equal(tone_curve(values, 0.0, 0.5), values)


def test_splat_and_points_keep_their_sum_and_place(skin: Skin) -> None:
    weight = torch.zeros(64, 64)
    weight[32:40, 8:16] = 1
    points = sample_points(np.random.default_rng(0), weight, 500)
    assert points[:, 0].min() > 7
    assert points[:, 0].max() < 16
    image = splat(points, np.ones(500), 64, skin.density)
    assert image.sum().item() == pytest.approx(500, rel=1e-4)
