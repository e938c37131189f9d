"""Make-up: lips, lids, liner, rouge, foundation; and the natural colour of lips."""

from __future__ import annotations

import numpy as np
import torch

from backend.imaging.colour import lab_to_linear
from backend.photo.landmark_table import EYE_LEFT, EYE_RIGHT
from backend.training.stream.augment.pigments import mean_density
from backend.training.stream.augment.skin import Skin, blur, splat
from backend.training.stream.region_masks import RegionMasks


def lip_tone(skin: Skin, masks: RegionMasks, rng: np.random.Generator, strength: float = 1.0) -> Skin:
    """Paler, redder or darker lips, without make-up."""
    return skin.with_pigment(
        strength * rng.normal(0.0, 0.12) * masks.lips, strength * rng.normal(0.02, 0.14) * masks.lips
    )


def lipstick(skin: Skin, masks: RegionMasks, rng: np.random.Generator, strength: float = 1.0) -> Skin:
    """Lips moved to a random red, pink, brown or plum, matt or glossy; their lines stay."""
    lightness, hue = rng.uniform(18, 58), rng.normal(18, 18)
    chroma = rng.uniform(18, 52)
    lab = np.array([lightness, chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))])
    colour = np.clip(lab_to_linear(lab), 0.01, 0.9).astype(np.float32)
    target = -torch.log(skin.density.new_tensor(colour))
    now = mean_density(skin.density, masks.lips)
    amount = strength * float(rng.uniform(0.3, 0.9)) * masks.lips
    gloss = 1 + masks.lips * float(rng.uniform(-0.3, 1.2)) * strength
    return skin.with_density(skin.density + amount * (target - now)[:, None, None]).with_relief(
        torch.zeros_like(skin.height), gloss
    )


def eye_shadow(skin: Skin, masks: RegionMasks, rng: np.random.Generator, strength: float = 1.0) -> Skin:
    """Colour on the lids, denser towards the lashes."""
    hue = rng.uniform(0, 2 * np.pi)
    tint = 0.5 + 0.35 * np.array([np.cos(hue), np.cos(hue + 2.1), np.cos(hue + 4.2)])
    where = masks.lids * (0.4 + 0.6 * masks.eyes)
    amount = strength * float(rng.uniform(0.1, 0.7))
    return skin.with_density(
        skin.density + amount * where * skin.density.new_tensor(tint.astype(np.float32))[:, None, None]
    )


def eyeliner(skin: Skin, masks: RegionMasks, rng: np.random.Generator, strength: float = 1.0) -> Skin:
    """A dark line along the lids' margins."""
    points = []
    for ring in (EYE_RIGHT, EYE_LEFT):
        upper = masks.points[[*ring[8:], ring[0]]]
        lower = masks.points[list(ring[:9])]
        for curve in (upper, lower) if rng.random() < 0.4 else (upper,):
            t = np.linspace(0, len(curve) - 1, 160)
            points.append(np.stack([np.interp(t, np.arange(len(curve)), curve[:, k]) for k in range(2)], axis=1))
    sigma = max(masks.texels_per_mm * rng.uniform(0.4, 1.1), 0.6)
    line = blur(
        splat(np.concatenate(points).astype(np.float32), np.ones(sum(map(len, points))), skin.resolution, skin.density),
        sigma,
    )
    line = (line / line.amax().clamp_min(1e-6) * 1.6).clamp(0, 1) * masks.island
    return skin.with_density(skin.density + strength * float(rng.uniform(0.4, 1.6)) * line)


def rouge(skin: Skin, masks: RegionMasks, rng: np.random.Generator, strength: float = 1.0) -> Skin:
    """Pink or bronze powder on the cheekbones."""
    where = blur(masks.cheeks, 5 * masks.texels_per_mm)
    amount = strength * float(rng.uniform(0.05, 0.3))
    return skin.with_pigment(amount * float(rng.uniform(0, 0.8)) * where, amount * where)


def foundation(skin: Skin, masks: RegionMasks, rng: np.random.Generator, strength: float = 1.0) -> Skin:
    """Covers blotches and evens out pores; the skin turns matt."""
    hidden = torch.maximum(masks.brows, torch.maximum(masks.lips, masks.eyes))
    where = masks.face * (1 - hidden)
    coarse, middle = blur(skin.density, 12 * masks.texels_per_mm), blur(skin.density, 1.2 * masks.texels_per_mm)
    cover = strength * float(rng.uniform(0.2, 0.7))
    evened = skin.density - cover * where * ((middle - coarse) + 0.6 * (skin.density - middle))
    return skin.with_density(evened).with_relief(torch.zeros_like(skin.height), 1 - 0.3 * cover * where)
