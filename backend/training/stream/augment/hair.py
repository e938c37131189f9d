"""Stubble, beards and brows: short hairs drawn one by one, and the hair that is there tinted."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from backend.photo.landmark_table import BROW_LEFT, BROW_RIGHT
from backend.training.stream.augment.pigments import mean_density
from backend.training.stream.augment.skin import DARKEST, Skin, blur, noise, sample_points, strokes, to_density
from backend.training.stream.parameters import WhiskerSettings
from backend.training.stream.region_masks import RegionMasks

# Linear albedo of hair: black, dark brown, brown, ginger, blond, grey.
HAIR = (
    (0.010, 0.009, 0.009),
    (0.025, 0.016, 0.011),
    (0.07, 0.042, 0.026),
    (0.20, 0.08, 0.03),
    (0.32, 0.21, 0.11),
    (0.33, 0.33, 0.33),
)


def hair_colour(rng: np.random.Generator, lightness: float) -> tuple[float, float, float]:
    """A natural hair colour for a skin's lightness L*: fair hair goes with fair skin."""
    fair = float(np.clip((lightness - 45) / 30, 0, 1))
    odds = np.array([1.2 - 0.9 * fair, 0.8, 0.15 + 0.9 * fair, 0.02 + 0.22 * fair, 0.02 + 0.5 * fair, 0.2])
    first = np.array(HAIR[rng.choice(len(HAIR), p=odds / odds.sum())])
    red, green, blue = np.clip(first * np.exp(rng.normal(0, 0.2)), DARKEST, 0.6).tolist()
    return red, green, blue


def stubble(
    skin: Skin, masks: RegionMasks, rng: np.random.Generator, colour: tuple[float, float, float], strength: float = 1.0
) -> Skin:
    """Whiskers of a few days: short strokes and the bluish-grey of those under the skin."""
    where = _whisker_pattern(masks, rng, skin)
    hairs = _hairs(skin, masks, rng, where, count=int(rng.integers(9000, 26000)), length_mm=(0.3, 1.4), width=0.28)
    shadow = blur(where.square(), 1.5 * masks.texels_per_mm) * rng.uniform(0.05, 0.22)
    cover = 1 - torch.exp(-strength * (hairs + shadow))
    return _covered(skin, cover, colour, relief_mm=0.05)


def beard(
    skin: Skin,
    masks: RegionMasks,
    rng: np.random.Generator,
    colour: tuple[float, float, float],
    strength: float = 1.0,
    settings: WhiskerSettings = WhiskerSettings(),
) -> Skin:
    """A trimmed or short full beard, moustache or goatee: thick strokes that hide the skin."""
    where = _whisker_pattern(masks, rng, skin)
    hairs = _hairs(skin, masks, rng, where, count=int(rng.integers(16000, 42000)), length_mm=(1.5, 6.0), width=0.3)
    # The skin between the hairs lies in their shade where they are dense; single strands at the border on bare skin.
    shade = blur(where.square(), 2 * masks.texels_per_mm) * float(rng.uniform(0.1, 0.9))
    red, green, blue = (settings.shaded * channel for channel in colour)
    shaded = _covered(skin, 1 - torch.exp(-strength * shade), (red, green, blue), relief_mm=0.0)
    return _covered(shaded, 1 - torch.exp(-strength * hairs), colour, relief_mm=0.35)


def tinted_brows(
    skin: Skin,
    masks: RegionMasks,
    rng: np.random.Generator,
    colour: tuple[float, float, float],
    strength: float = 1.0,
    settings: WhiskerSettings = WhiskerSettings(),
) -> Skin:
    """The brows' own hair made denser or sparser, in another hair colour, with some new hairs.

    They stay darker than the skin: grey and fair brows on dark skin are as rare as people who bleach them.
    """
    area = masks.brows
    lightest = torch.exp(-mean_density(skin.density, masks.plain) - settings.brow_contrast)
    tone = [float(channel) for channel in lightest]
    red, green, blue = (min(own, most) for own, most in zip(colour, tone, strict=True))
    around = blur(skin.density * (1 - 0.97 * area), 9 * masks.texels_per_mm) / blur(
        1 - 0.97 * area, 9 * masks.texels_per_mm
    )
    darker = (skin.density - around).mean(0).clamp_min(0) * area
    # How dark the brow is, against its own darkest hairs, says how densely it grows there.
    darkest = torch.quantile(darker[area > 0.5], 0.97).clamp_min(0.25)
    cover = (strength * float(rng.uniform(0.5, 1.5)) * darker / darkest).clamp(0, 0.92)
    if rng.random() < 0.5:
        cover = 1 - (1 - cover) * torch.exp(-_brow_hairs(skin, masks, rng))
    bare = torch.lerp(skin.density, torch.minimum(skin.density, around), area)
    return _covered(skin.with_density(bare), cover, (red, green, blue), relief_mm=0.12)


def _whisker_pattern(
    masks: RegionMasks, rng: np.random.Generator, skin: Skin, settings: WhiskerSettings = WhiskerSettings()
) -> Tensor:
    """Where whiskers grow and how densely, [R, R]: full, goatee, moustache or patchy; thin towards the borders."""
    kind = rng.choice(("full", "patchy", "goatee", "moustache"), p=(0.5, 0.25, 0.15, 0.1))

    def thinned(area: Tensor, narrower: float = 1.0) -> Tensor:
        soft = blur(area, narrower * settings.thinning_mm * masks.texels_per_mm)
        inner = ((soft - settings.bare) / (1 - settings.bare)).clamp(0, 1)
        return inner * inner * (3 - 2 * inner) * masks.island

    moustache = thinned(masks.moustache, 0.4)
    front = torch.maximum(moustache, thinned(masks.chin, 0.6))
    beard = thinned(masks.beard)
    if kind == "moustache":
        where = moustache
    elif kind == "goatee":
        where = front + 0.1 * beard
    else:
        where = torch.maximum(beard * float(rng.uniform(0.5, 1.0)), front)
    spread = 0.15 if kind == "full" else 0.35
    patches = (1 + spread * noise(rng, skin.resolution, 9 * masks.texels_per_mm, skin.density)[0]).clamp(0, 2)
    return (where * patches * (1 - masks.lips)).clamp(0, 1)


def _hairs(
    skin: Skin,
    masks: RegionMasks,
    rng: np.random.Generator,
    where: Tensor,
    count: int,
    length_mm: tuple[float, float],
    width: float,
) -> Tensor:
    """Hairs that grow down the face, fanning out a little: coverage [R, R]."""
    amount = float(where.sum() / masks.beard.sum().clamp_min(1))
    starts = sample_points(rng, where, int(count * min(amount, 1.2) * (masks.resolution / 512) ** 0.5))
    if not len(starts):
        return torch.zeros_like(skin.height)
    index = np.clip(np.round(starts).astype(int), 0, masks.resolution - 1)
    down = masks.down.cpu().numpy()[:, index[:, 1], index[:, 0]].T
    turn = rng.normal(0, 0.45, len(starts))
    cosine, sine = np.cos(turn), np.sin(turn)
    direction = np.stack([down[:, 0] * cosine - down[:, 1] * sine, down[:, 0] * sine + down[:, 1] * cosine], axis=1)
    length = rng.uniform(*length_mm, len(starts)) * masks.texels_per_mm
    values = width * rng.uniform(0.5, 1.5, len(starts))
    return strokes(
        starts, direction * length[:, None], rng.normal(0, 0.12, len(starts)), values, skin.resolution, skin.density
    )


def _brow_hairs(skin: Skin, masks: RegionMasks, rng: np.random.Generator) -> Tensor:
    """New hairs in the brows, up at the nose and outwards beyond: coverage [R, R]."""
    total = torch.zeros_like(skin.height)
    for group in (BROW_RIGHT, BROW_LEFT):
        upper, lower = masks.points[list(group[:5])], masks.points[list(group[:4:-1])]
        outer, inner = lower[0], lower[-1]
        t = rng.random(int(rng.integers(60, 260))) ** 0.8
        span = np.linspace(0, 1, 5)
        low = np.stack([np.interp(t, span, lower[::-1][:, k]) for k in range(2)], axis=1)
        high = np.stack([np.interp(t, span, upper[::-1][:, k]) for k in range(2)], axis=1)
        starts = low + (high - low) * rng.uniform(0.05, 0.75, (len(t), 1))
        outward = (outer - inner) / max(float(np.linalg.norm(outer - inner)), 1e-6)
        upward = np.array([0.0, -1.0])
        direction = outward * (0.35 + 0.65 * t)[:, None] + upward * (0.9 - 1.0 * t)[:, None]
        length = rng.uniform(2.5, 6.0, (len(t), 1)) * masks.texels_per_mm
        values = np.full(len(t), 0.28)
        total += strokes(
            starts.astype(np.float32),
            direction * length,
            rng.normal(0, 0.1, len(t)),
            values,
            skin.resolution,
            skin.density,
        )
    return total


def _covered(skin: Skin, cover: Tensor, colour: tuple[float, float, float], relief_mm: float) -> Skin:
    """Skin [3, R, R] with hair of a linear colour over a share `cover` [R, R] of each texel."""
    hair = skin.density.new_tensor(colour)[:, None, None]
    mixed = torch.lerp(skin.albedo, hair.expand_as(skin.density), cover)
    return skin.with_density(to_density(mixed)).with_relief(relief_mm * cover, 1 - 0.5 * cover)
