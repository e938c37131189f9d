"""Moles and freckles: round dark marks of the skin."""

from __future__ import annotations

import numpy as np

from backend.delight.mark_parameters import SpotSettings
from backend.imaging.arrays import Array, as_float32, count, filled_with, median, namespace
from backend.imaging.filters import MAD_TO_STD, gaussian_blur, grown, masked_blur, shrunk, smooth_step
from backend.imaging.octaves import reduce_to, smoothed_difference


def spots(
    log_luminance: Array,  # float32 [R, R]
    weight: Array,  # float32 [R, R], > 0.5 where it is skin that was seen
    texels_per_mm: float,
    settings: SpotSettings = SpotSettings(),
) -> Array:
    """How far each texel belongs to a mole or a freckle: float32 [R, R] in [0, 1].

    Dark, round blobs larger than pores; creases are dark but long. Source: the eigenvalues of the Hessian over scales,
    Lindeberg, "Feature detection with automatic scale selection", 1998.
    """
    xp, side = namespace(weight), min(log_luminance.shape[0], settings.side)
    small = reduce_to(log_luminance, side)
    skin = reduce_to(weight, side)
    scale = texels_per_mm * side / log_luminance.shape[0]
    flat = small - masked_blur(small, skin, 5.0 * scale)
    flat = as_float32(xp.where(skin > 0.5, flat, 0))
    inside = shrunk(as_float32(skin > 0.5), 2, square=True) > 0
    result = filled_with(0, (side, side), weight)
    if count(inside) < 200:
        return filled_with(0, log_luminance.shape, weight)
    for radius in settings.radii_mm:
        sigma = radius * scale / np.sqrt(2)
        if sigma < 0.7:
            continue
        blurred = gaussian_blur(flat, sigma)
        xx, yy, xy = (smoothed_difference(blurred, *order) for order in ((2, 0), (0, 2), (1, 1)))
        middle, spread = 0.5 * (xx + yy), xp.sqrt(0.25 * xp.square(xx - yy) + xp.square(xy))
        low, high = (middle - spread) * sigma**2, (middle + spread) * sigma**2
        typical = MAD_TO_STD * median(xp.abs(low[inside]))
        found = smooth_step(low / max(typical, 1e-5), *settings.strength) * inside
        found = found * smooth_step(low / xp.maximum(high, 1e-6), *settings.roundness)
        found = found * smooth_step(-blurred, *settings.contrast)
        reach = max(1, round(1.6 * radius * scale))
        result = xp.maximum(result, gaussian_blur(grown(found, reach), max(0.4 * radius * scale, 0.5)))
    return xp.clip(reduce_to(result, log_luminance.shape[0]), 0, 1)
