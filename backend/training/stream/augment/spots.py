"""Freckles, moles, blemishes, age spots."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from backend.training.stream.augment.skin import Skin, blur, noise, sample_points, splat
from backend.training.stream.region_masks import RegionMasks


def freckles(skin: Skin, masks: RegionMasks, rng: np.random.Generator, strength: float = 1.0) -> Skin:
    """Many small flat spots of melanin on nose and cheeks, some over the rest of the face."""
    patches = (0.6 + 0.5 * noise(rng, skin.resolution, 12 * masks.texels_per_mm, skin.density)[0]).clamp(0, 2)
    where = (masks.nose + masks.cheeks + 0.45 * masks.under_eyes + rng.uniform(0.1, 0.5) * masks.face) * patches
    where = where * (1 - masks.eyes) * (1 - masks.lips)
    total = torch.zeros_like(skin.height)
    count = int(rng.integers(150, 1400))
    for radius_mm in (0.35, 0.55, 0.8, 1.2):
        share = count * (0.35 / radius_mm) ** 1.6
        total += _dots(skin, masks, rng, where, int(share), radius_mm, rng.uniform(0.4, 1.0))
    return skin.with_pigment(strength * rng.uniform(0.12, 0.42) * (1 - torch.exp(-total)))


def moles(skin: Skin, masks: RegionMasks, rng: np.random.Generator, strength: float = 1.0) -> Skin:
    """A few dark brown, slightly raised moles."""
    where = (masks.face + 0.4 * masks.neck) * (1 - masks.eyes) * (1 - masks.lips)
    melanin, height = torch.zeros_like(skin.height), torch.zeros_like(skin.height)
    for x, y in sample_points(rng, where, int(rng.integers(1, 9))):
        radius = masks.texels_per_mm * float(np.clip(rng.lognormal(0.0, 0.4), 0.5, 2.6))
        disc = _disc(skin, rng, float(x), float(y), radius)
        melanin = torch.maximum(melanin, disc * float(rng.uniform(0.5, 1.6)))
        height = height + disc * float(rng.uniform(0, 0.5))
    return skin.with_pigment(strength * melanin, 0.15 * strength * melanin).with_relief(strength * height)


def blemishes(skin: Skin, masks: RegionMasks, rng: np.random.Generator, strength: float = 1.0) -> Skin:
    """Spots: red and raised, or the brownish marks that they leave."""
    where = (masks.cheeks + masks.chin + masks.forehead + 0.3 * masks.nose) * (1 - masks.eyes) * (1 - masks.lips)
    red = torch.zeros_like(skin.height)
    for radius_mm in (0.8, 1.4, 2.2):
        red += _dots(skin, masks, rng, where, int(rng.integers(1, 14)), radius_mm, 1.0)
    marks = _dots(skin, masks, rng, where, int(rng.integers(0, 14)), 1.3, 1.0)
    amount = strength * rng.uniform(0.08, 0.3)
    spotted = skin.with_pigment(0.35 * amount * red + 0.7 * amount * marks, amount * red)
    return spotted.with_relief(strength * rng.uniform(0.05, 0.25) * red)


def age_spots(skin: Skin, masks: RegionMasks, rng: np.random.Generator, strength: float = 1.0) -> Skin:
    """Larger, irregular patches of melanin at temples, cheeks and forehead."""
    where = (masks.cheeks + masks.forehead + 0.5 * masks.scalp) * (1 - masks.eyes)
    total = torch.zeros_like(skin.height)
    for x, y in sample_points(rng, where, int(rng.integers(2, 14))):
        radius = masks.texels_per_mm * float(rng.uniform(1.2, 4.5))
        total = torch.maximum(
            total, _disc(skin, rng, float(x), float(y), radius, ragged=0.5) * float(rng.uniform(0.3, 1))
        )
    return skin.with_pigment(strength * rng.uniform(0.1, 0.3) * total)


def _dots(
    skin: Skin, masks: RegionMasks, rng: np.random.Generator, where: Tensor, count: int, radius_mm: float, level: float
) -> Tensor:
    """`count` soft dots of about a radius, each with a peak of about `level`, [R, R]."""
    points = sample_points(rng, where, count)
    sigma = max(0.6 * radius_mm * masks.texels_per_mm, 0.35)
    # A splat holds 1 in one texel; a blur to sigma leaves 1 / (2 pi sigma^2) of it at the peak.
    values = rng.uniform(0.3, 1.7, len(points)) * level * (2 * np.pi * (sigma**2 + 0.2))
    return blur(splat(points, values, skin.resolution, skin.density), sigma)


def _disc(skin: Skin, rng: np.random.Generator, x: float, y: float, radius: float, ragged: float = 0.25) -> Tensor:
    """A soft, slightly irregular disc [R, R] with a peak of 1."""
    resolution = skin.resolution
    reach = int(np.ceil(2.5 * radius + 2))
    left, top = round(x) - reach, round(y) - reach
    grid = np.arange(2 * reach + 1)
    dx, dy = np.meshgrid(grid + left - x, grid + top - y)
    angle, squash = rng.uniform(0, np.pi), rng.uniform(0.75, 1.0)
    along, across = dx * np.cos(angle) + dy * np.sin(angle), (dy * np.cos(angle) - dx * np.sin(angle)) / squash
    turn = np.arctan2(across, along)
    edge = radius * (
        1 + ragged * (0.5 * np.sin(2 * turn + rng.uniform(0, 6)) + 0.3 * np.sin(5 * turn + rng.uniform(0, 6)))
    )
    disc = 1 / (1 + np.exp((np.hypot(along, across) - edge) / max(0.22 * radius, 0.35)))
    image = np.zeros((resolution, resolution), np.float32)
    rows, columns = slice(max(top, 0), max(top + len(grid), 0)), slice(max(left, 0), max(left + len(grid), 0))
    target = image[rows, columns]
    target[:] = disc[max(-top, 0) :, max(-left, 0) :][: target.shape[0], : target.shape[1]]
    return torch.from_numpy(image).to(skin.density.device)
