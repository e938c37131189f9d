"""New individuals from several: frequency bands and facial regions mixed, mirrored, warped."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from backend.training.stream.augment.pigments import mean_density
from backend.training.stream.augment.skin import Skin, blur, noise
from backend.training.stream.region_masks import RegionMasks

# Band edges in millimetres: the tone's large patches, features and blotches, and pores with hairs.
BANDS_MM = (14.0, 2.5)


def mix_bands(skins: list[Skin], masks: RegionMasks, rng: np.random.Generator) -> Skin:
    """Each frequency band from random shares of the skins, at the first one's mean tone.

    The coarse bands average two people; the finest comes from one alone, because averaged pores are no pores.
    """
    first = mean_density(skins[0].density, masks.plain)
    centred = [s.density - mean_density(s.density, masks.plain)[:, None, None] for s in skins]
    lows = [blur(c, BANDS_MM[0] * masks.texels_per_mm) for c in centred]
    middles = [blur(c, BANDS_MM[1] * masks.texels_per_mm) for c in centred]
    share = _shares(rng, len(skins))
    low = sum((w * x for w, x in zip(share, lows, strict=True)), torch.zeros_like(lows[0]))
    share = _shares(rng, len(skins))
    middle = sum((w * (m - x) for w, m, x in zip(share, middles, lows, strict=True)), torch.zeros_like(low))
    chosen = int(rng.integers(len(skins)))
    fine = centred[chosen] - middles[chosen]
    return Skin(low + middle + fine + first[:, None, None], skins[chosen].height, skins[chosen].gloss)


def mix_regions(skins: list[Skin], masks: RegionMasks, rng: np.random.Generator) -> Skin:
    """Brows with eyes, lips, whiskers, nose and forehead each from a random one of the skins, around the first.

    Every patch keeps its own contrast but takes the mean colour of the place it comes to.
    """
    base = skins[0]
    density, height, gloss = base.density, base.height, base.gloss
    surroundings = masks.plain
    own_mean = mean_density(base.density, surroundings)[:, None, None]
    regions = (
        torch.maximum(masks.brows, torch.maximum(masks.eyes, masks.lids)),
        masks.lips,
        masks.beard,
        masks.nose,
        masks.forehead,
        masks.cheeks,
    )
    for region in regions:
        other = skins[int(rng.integers(len(skins)))]
        if other is base:
            continue
        soft = blur(region, 2.0 * masks.texels_per_mm).clamp(0, 1)
        moved = other.density - mean_density(other.density, surroundings)[:, None, None] + own_mean
        density = torch.lerp(density, moved, soft)
        height, gloss = torch.lerp(height, other.height, soft), torch.lerp(gloss, other.gloss, soft)
    return Skin(density, height, gloss)


def mirrored(skin: Skin) -> Skin:
    """The other way round: the texture space is symmetric about u = 0.5."""
    return Skin(skin.density.flip(-1), skin.height.flip(-1), skin.gloss.flip(-1))


def warp(skin: Skin, masks: RegionMasks, rng: np.random.Generator, strength_mm: float = 1.2) -> Skin:
    """Small smooth shifts, so that features do not always lie on the same texels; none at eyes and mouth's border."""
    resolution = skin.resolution
    field = noise(rng, resolution, 28 * masks.texels_per_mm, skin.density, channels=2)
    fixed = blur(torch.maximum(masks.eyes, masks.lips), 5 * masks.texels_per_mm).clamp(0, 0.5) * 2
    shift = field * (strength_mm * masks.texels_per_mm) * (1 - fixed)
    return _resampled(skin, shift)


def stretched(skin: Skin, masks: RegionMasks, rng: np.random.Generator) -> Skin:
    """Finer or coarser pores: the finest band shifted far, so that its relation to the features changes."""
    fine_sigma = 1.2 * masks.texels_per_mm
    calm = masks.plain * (1 - masks.beard)
    smooth = blur(skin.density, fine_sigma)
    fine = skin.density - smooth
    turned = torch.roll(fine, (int(rng.integers(-9, 10)), int(rng.integers(-9, 10))), (1, 2))
    scale = float(rng.uniform(0.6, 1.4))
    return skin.with_density(smooth + torch.lerp(fine, scale * turned, calm))


def _shares(rng: np.random.Generator, count: int) -> list[float]:
    return [float(w) for w in rng.dirichlet(np.full(count, 0.6))]


def _resampled(skin: Skin, shift: Tensor) -> Skin:
    """Every texel from `shift` [2, R, R] texels (x, y) away."""
    resolution = skin.resolution
    line = (torch.arange(resolution, device=shift.device, dtype=shift.dtype) + 0.5) * (2 / resolution) - 1
    grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1) + shift.permute(1, 2, 0) * (2 / resolution)
    stacked = torch.cat([skin.density, skin.height[None], skin.gloss[None]])[None]
    moved = functional.grid_sample(stacked, grid[None], mode="bicubic", padding_mode="border", align_corners=False)[0]
    return Skin(moved[:3], moved[3], moved[4])
