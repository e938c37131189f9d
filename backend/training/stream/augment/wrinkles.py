"""Wrinkles: furrows in the relief with darker cavities, where faces fold."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from backend.photo.landmark_table import OUTER_EYE_CORNERS
from backend.training.stream.augment.skin import Skin, blur, splat
from backend.training.stream.region_masks import RegionMasks

# Landmark paths along which skin folds; (right, left) of the subject.
NASOLABIAL = ((129, 203, 206, 216, 212), (358, 423, 426, 436, 432))
UNDER_EYE = ((133, 243, 112, 26, 22, 23, 24), (362, 463, 341, 256, 252, 253, 254))
MARIONETTE = ((61, 202, 204), (291, 422, 424))
FOREHEAD_ROWS = (
    ((103, 67, 109, 10, 338, 297, 332)),
    ((104, 69, 108, 151, 337, 299, 333)),
    ((105, 66, 107, 9, 336, 296, 334)),
)
FROWN = ((107, 55), (336, 285))


def wrinkles(skin: Skin, masks: RegionMasks, rng: np.random.Generator, strength: float = 1.0) -> Skin:
    """Forehead lines, crow's feet, frown lines, nasolabial and marionette folds, lines under the eyes, at random."""
    p = masks.points
    curves: list[tuple[np.ndarray, float]] = []
    age = rng.uniform(0.2, 1.0)
    if rng.random() < 0.7:
        curves += _forehead(p, masks, rng, age)
    for side in (0, 1):
        outward = p[OUTER_EYE_CORNERS[side]] - p[OUTER_EYE_CORNERS[1 - side]]
        curves += _crows_feet(p, masks, rng, side, outward / max(float(np.linalg.norm(outward)), 1e-6), age)
        curves.append((p[list(NASOLABIAL[side])], 1.3 * age))
        if rng.random() < 0.6:
            curves.append((p[list(UNDER_EYE[side])[2:]], 0.6 * age))
        if rng.random() < 0.4 * age:
            curves.append((p[list(MARIONETTE[side])], 0.8 * age))
        if rng.random() < 0.5 * age:
            curves.append((p[list(FROWN[side])], 0.8 * age))
    fine, broad = _drawn(curves, skin, masks, rng)
    furrow = strength * (0.12 * fine + 0.3 * broad)
    dark = strength * (0.10 * fine + 0.07 * broad)
    creased = skin.with_pigment(0.5 * dark, 0.7 * dark)
    return creased.with_relief(-furrow, (1 - 0.5 * (fine + broad)).clamp_min(0.4))


def _forehead(
    p: np.ndarray, masks: RegionMasks, rng: np.random.Generator, age: float
) -> list[tuple[np.ndarray, float]]:
    """Nearly level lines between the rows of forehead landmarks."""
    top, middle = (p[list(row)] for row in FOREHEAD_ROWS[:2])
    lines = []
    for place in np.linspace(0.15, 1.15, int(rng.integers(2, 5))):
        line = top + (middle - top) * (place + rng.normal(0, 0.06))
        keep = slice(int(rng.integers(0, 2)), len(line) - int(rng.integers(0, 2)))
        lines.append(
            (line[keep] + rng.normal(0, 0.6 * masks.texels_per_mm, line[keep].shape), age * rng.uniform(0.4, 1))
        )
    return lines


def _crows_feet(
    p: np.ndarray, masks: RegionMasks, rng: np.random.Generator, side: int, outward: np.ndarray, age: float
) -> list[tuple[np.ndarray, float]]:
    """Short lines that fan out from the outer corner of an eye."""
    start = p[OUTER_EYE_CORNERS[side]] + outward * 5 * masks.texels_per_mm
    across = np.array([0.0, 1.0])
    lines = []
    for angle in np.linspace(-0.45, 0.75, int(rng.integers(2, 5))):
        length = masks.texels_per_mm * rng.uniform(6, 15)
        t = np.linspace(0, 1, 4)[:, None]
        turn = angle + rng.normal(0, 0.08)
        line = (
            start
            + across * angle * 8 * masks.texels_per_mm
            + t * length * (outward * np.cos(turn) + across * np.sin(turn))
        )
        line = line + across * (t**2) * length * 0.15
        lines.append((line, age * rng.uniform(0.3, 0.8)))
    return lines


def _drawn(
    curves: list[tuple[np.ndarray, float]], skin: Skin, masks: RegionMasks, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """The curves as thin creases and as broad folds, [R, R] each with peaks near the curves' strengths."""
    points, values = [], []
    for curve, level in curves:
        dense = _resample(curve.astype(np.float64))
        t = np.linspace(0, 1, len(dense))
        wobble = np.cumsum(rng.normal(0, 0.12, (len(dense), 2)), axis=0)
        points.append(dense + wobble - wobble.mean(0))
        # Lines fade at both ends and vary in depth.
        values.append(level * np.sin(np.pi * t) ** 0.6 * (1 + 0.3 * np.sin(t * rng.uniform(4, 14) + rng.uniform(0, 6))))
    if not points:
        flat = torch.zeros_like(skin.height)
        return flat, flat
    line = splat(np.concatenate(points).astype(np.float32), np.concatenate(values), skin.resolution, skin.density)
    results = []
    for width_mm in (0.45, 1.8):
        sigma = max(width_mm * masks.texels_per_mm * 0.6, 0.5)
        # A line of 1 per texel of length has a peak of 1 / (sqrt(2 pi) sigma) after the blur.
        results.append(blur(line, sigma) * (2.5 * sigma))
    return results[0] * masks.island, results[1] * masks.island


def _resample(curve: np.ndarray) -> np.ndarray:
    """A smooth curve through points [n, 2], a point per texel of length."""
    span = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    t = np.linspace(0, span[-1], max(4, int(span[-1])))
    dense = np.stack([np.interp(t, span, curve[:, k]) for k in range(2)], axis=1)
    width = max(3, len(dense) // 6) | 1
    padded = np.pad(dense, ((width // 2, width // 2), (0, 0)), mode="reflect", reflect_type="odd")
    kernel = np.hanning(width + 2)[1:-1]
    return np.stack([np.convolve(padded[:, k], kernel / kernel.sum(), "valid") for k in range(2)], axis=1)
