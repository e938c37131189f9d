"""Moles and freckles: round dark marks of the skin."""

from __future__ import annotations

import cv2
import numpy as np

from backend.delight.mark_parameters import SpotSettings
from backend.imaging.filters import MAD_TO_STD, masked_blur, smooth_step
from backend.imaging.octaves import reduce_to


def spots(
    log_luminance: np.ndarray,  # float32 [R, R]
    weight: np.ndarray,  # float32 [R, R], > 0.5 where it is skin that was seen
    texels_per_mm: float,
    settings: SpotSettings = SpotSettings(),
) -> np.ndarray:
    """How far each texel belongs to a mole or a freckle: float32 [R, R] in [0, 1].

    Dark, round blobs larger than pores; creases are dark but long. Source: the eigenvalues of the Hessian over scales,
    Lindeberg, "Feature detection with automatic scale selection", 1998.
    """
    side = min(log_luminance.shape[0], settings.side)
    small = reduce_to(log_luminance, side)
    skin = reduce_to(weight, side)
    scale = texels_per_mm * side / log_luminance.shape[0]
    flat = small - masked_blur(small, skin, 5.0 * scale)
    flat = np.where(skin > 0.5, flat, 0).astype(np.float32)
    inside = cv2.erode((skin > 0.5).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    result = np.zeros((side, side), np.float32)
    if np.count_nonzero(inside) < 200:
        return np.zeros(log_luminance.shape, np.float32)
    for radius in settings.radii_mm:
        sigma = radius * scale / np.sqrt(2)
        if sigma < 0.7:
            continue
        blurred = cv2.GaussianBlur(flat, (0, 0), sigma)
        xx, yy = (cv2.Sobel(blurred, cv2.CV_32F, *order, ksize=3, scale=0.25) for order in ((2, 0), (0, 2)))
        xy = cv2.Sobel(blurred, cv2.CV_32F, 1, 1, ksize=3, scale=0.25)
        middle, spread = 0.5 * (xx + yy), np.sqrt(0.25 * np.square(xx - yy) + np.square(xy))
        low, high = (middle - spread) * sigma**2, (middle + spread) * sigma**2
        typical = MAD_TO_STD * float(np.median(np.abs(low[inside])))
        found = smooth_step(low / max(typical, 1e-5), *settings.strength) * inside
        found = found * smooth_step(low / np.maximum(high, 1e-6), *settings.roundness)
        found = found * smooth_step(-blurred, *settings.contrast)
        reach = max(1, round(1.6 * radius * scale))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        grown = cv2.GaussianBlur(cv2.dilate(found, kernel), (0, 0), max(0.4 * radius * scale, 0.5))
        result = np.maximum(result, grown)
    return np.clip(reduce_to(result, log_luminance.shape[0]), 0, 1)
