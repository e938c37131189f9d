"""Skin tone: melanin and haemoglobin over the whole human range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from backend.imaging.colour import lab_to_linear, linear_to_lab
from backend.rendering.skin_model import SKIN, lab_on_curve, without_surface_reflection
from backend.training.stream.augment.skin import HAEMOGLOBIN, MELANIN, Skin, axis, masked_blur, noise
from backend.training.stream.parameters import PigmentBounds
from backend.training.stream.region_masks import RegionMasks

LIGHTNESS = (22.0, 80.0)  # of diffuse albedos; with what the surface reflects, dark skin is lighter, from 30
DARKER, LIGHTER = 45.0, 18.0  # how far from its own L* a skin is taken


@dataclass(frozen=True)
class Tone:
    """The mean colour of a skin in CIE Lab (D65, 2 degrees)."""

    lightness: float
    a: float
    b: float


def skin_tone(skin: Skin, masks: RegionMasks) -> Tone:
    """Tone of the geometric mean albedo of the face's plain skin."""
    return Tone(*linear_to_lab(np.exp(-mean_density(skin.density, masks.plain).cpu().numpy().astype(np.float64))))


def mean_density(density: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean [3] of density [3, R, R]."""
    return (density * weight).sum((1, 2)) / weight.sum().clamp_min(1e-6)


def ordinary_tone(lightness: float) -> Tone:
    """The usual hue of facial skin's diffuse albedo at a lightness.

    `UsualColour` holds what the surface reflects; it is taken out here.
    """
    luminance = float(lab_to_linear(np.array([lightness, 0.0, 0.0]))[0])
    seen = float(linear_to_lab(np.full(3, luminance + SKIN.surface.of_skin))[0])
    usual = lab_to_linear(lab_on_curve(SKIN.colour.of_people, seen))
    return Tone(*linear_to_lab(without_surface_reflection(usual)))


def random_tone(current: Tone, rng: np.random.Generator) -> Tone:
    """A target tone: lightness uniform over the human range, hue as usual there, with the person's own deviation.

    Dark skin shows little of its blood and much of what photos leave on it, so it is not made very light.
    """
    lowest = max(LIGHTNESS[0], current.lightness - DARKER)
    highest = max(min(LIGHTNESS[1], current.lightness + LIGHTER), lowest + 5)
    lightness = float(rng.uniform(lowest, highest))
    usual, before = ordinary_tone(lightness), ordinary_tone(current.lightness)
    keep = 0.6
    return Tone(
        lightness,
        usual.a + keep * float(np.clip(current.a - before.a, -4, 4)) + float(rng.normal(0, 1.3)),
        usual.b + keep * float(np.clip(current.b - before.b, -4, 4)) + float(rng.normal(0, 1.6)),
    )


def recolour(skin: Skin, masks: RegionMasks, target: Tone) -> Skin:
    """The skin with its mean tone moved to `target` along melanin and haemoglobin.

    The mean density moves as a whole. What deviates from it is split into melanin, haemoglobin and the rest (grey:
    hairs, cavities, dirt): patches of blood show less through much melanin, and freckles less on dark skin, which
    scales the first two (Tsumura et al. 2003).
    """
    density = skin.density
    before = mean_density(density, masks.plain)
    colour = np.clip(lab_to_linear(np.array([target.lightness, target.a, target.b])), 0.004, 0.95)
    after = -torch.log(density.new_tensor(colour.astype(np.float32)))
    shift = float((after - before).mean())
    melanin_scale, blood_scale = (
        float(np.clip(np.exp(-0.22 * shift), 0.6, 1.5)),
        float(np.clip(np.exp(-0.3 * shift), 0.5, 1.5)),
    )
    deviation = density - before[:, None, None]
    pigments = split_pigments(deviation)
    change = (melanin_scale - 1) * pigments[0] * axis(MELANIN, density) + (blood_scale - 1) * pigments[1] * axis(
        HAEMOGLOBIN, density
    )
    # Brows and whiskers keep the darkness of their hair: very dark texels do not take part in the scaling.
    is_skin = torch.sigmoid((1.0 - deviation.mean(0)) * 6)
    return skin.with_density(after[:, None, None] + deviation + change * is_skin)


def split_pigments(deviation: Tensor) -> Tensor:
    """Melanin and haemoglobin [2, R, R] (units of density) of deviations [3, R, R] from the mean density.

    Least squares on melanin, haemoglobin and grey would be ill-posed in three channels with noise; grey is left as the
    residual of the two.
    """
    basis = deviation.new_tensor([MELANIN, HAEMOGLOBIN])
    inverse = torch.linalg.solve(basis @ basis.T + 1e-3 * torch.eye(2, device=basis.device), basis)
    return torch.einsum("kc,chw->khw", inverse, deviation)


def bounded(skin: Skin, masks: RegionMasks, bounds: PigmentBounds = PigmentBounds()) -> Skin:
    """The skin with its broad patches drawn back to colours that the patches of real skins have.

    Mixing and recolouring enlarge what delighting left in single people: white, green and violet patches. Every patch
    keeps the direction of its colour; how far it may go is measured by how far skins go that way. Hair, which has
    colours of its own, stays, and so do eyes, brows and lips.
    """
    density = skin.density
    free = (1 - torch.stack([masks.brows, masks.eyes, masks.lips]).amax(0)) * masks.island
    deviation = density - mean_density(density, masks.plain)[:, None, None]
    broad = masked_blur(deviation, free, bounds.broad_mm * masks.texels_per_mm)
    precision = torch.linalg.inv(density.new_tensor(bounds.covariance))
    distance = torch.einsum("ihw,ij,jhw->hw", broad, precision, broad).clamp_min(0).sqrt()
    share = limited(distance, bounds.distance) / distance.clamp_min(1e-6)
    darkness, steepness = bounds.hair
    is_skin = free * torch.sigmoid((darkness - broad.mean(0)) * steepness)
    return skin.with_density(density - is_skin * (1 - share) * broad)


def limited(values: Tensor, bound: float) -> Tensor:
    """Values from 0, drawn softly to at most a bound; up to two thirds of it they stay as they are."""
    free = 2 / 3 * bound
    beyond = (values - free).clamp_min(0)
    return values.clamp_max(free) + (bound - free) * (1 - torch.exp(-beyond / (bound - free)))


def flush(skin: Skin, masks: RegionMasks, rng: np.random.Generator, strength: float = 1.0) -> Skin:
    """Blood where faces redden: cheeks, nose, chin, ears, unevenly; or less of it."""
    amount = strength * rng.normal(0.04, 0.07)
    patchy = 1 + 0.35 * noise(rng, skin.resolution, 14 * masks.texels_per_mm, skin.density)[0]
    where = (
        rng.uniform(0.4, 1.0) * masks.cheeks
        + rng.uniform(0.3, 1.0) * masks.nose_tip
        + rng.uniform(0, 0.6) * masks.chin
        + rng.uniform(0, 0.8) * masks.ears
    )
    return skin.with_pigment(torch.zeros_like(skin.height), amount * where * patchy.clamp(0, 2))


def mottle(skin: Skin, masks: RegionMasks, rng: np.random.Generator, strength: float = 1.0) -> Skin:
    """Uneven pigment at the scale of centimetres down to millimetres: sun, age, circulation."""
    melanin, blood = torch.zeros_like(skin.height), torch.zeros_like(skin.height)
    for cell_mm, share in ((25.0, 1.0), (9.0, 0.6), (3.0, 0.4)):
        fields = noise(rng, skin.resolution, cell_mm * masks.texels_per_mm, skin.density, channels=2)
        melanin, blood = melanin + share * fields[0], blood + share * fields[1]
    scale = strength * rng.uniform(0.005, 0.035)
    return skin.with_pigment(scale * melanin * masks.island, scale * rng.uniform(0.3, 1.0) * blood * masks.island)


def tired_eyes(skin: Skin, masks: RegionMasks, rng: np.random.Generator, strength: float = 1.0) -> Skin:
    """Darker, bluish skin around the eyes, or lighter as after concealer."""
    amount = strength * rng.normal(0.05, 0.09)
    where = torch.maximum(masks.under_eyes, 0.6 * masks.lids)
    return skin.with_pigment(0.8 * amount * where, 0.4 * amount * where)


def tan(skin: Skin, masks: RegionMasks, rng: np.random.Generator, strength: float = 1.0) -> Skin:
    """Sun on forehead, nose and cheekbones; necks stay lighter (or, with shadow of the jaw left out, darker)."""
    sunny = 0.6 * masks.forehead + masks.nose + 0.7 * masks.cheeks
    amount = strength * rng.normal(0.0, 0.05)
    return skin.with_pigment(amount * sunny - strength * rng.normal(0.0, 0.06) * masks.neck)
