"""Blurring and resizing of images that are known only in part."""

from __future__ import annotations

import cv2
import numpy as np

# Median absolute deviation to standard deviation, of a normal distribution.
MAD_TO_STD = 1.4826


def masked_blur(
    image: np.ndarray,  # float32 [H, W] or [H, W, C]
    weight: np.ndarray,  # float32 [H, W], >= 0
    sigma: float,  # pixels
) -> np.ndarray:
    """Gaussian blur that counts each pixel by its weight (normalised convolution, Knutsson and Westin 1993).

    Far from any weight the result goes to 0. Wide blurs run on a reduced image.
    """
    shrink = 1 << max(0, int(np.log2(max(sigma / 4, 1))))
    height, width = weight.shape
    expanded = weight if image.ndim == 2 else weight[..., None]
    numerator, denominator = (image * expanded).astype(np.float32), weight.astype(np.float32)
    size = (max(1, width // shrink), max(1, height // shrink))
    if shrink > 1:
        numerator = cv2.resize(numerator, size, interpolation=cv2.INTER_AREA)
        denominator = cv2.resize(denominator, size, interpolation=cv2.INTER_AREA)
    numerator = cv2.GaussianBlur(numerator, (0, 0), sigma / shrink, borderType=cv2.BORDER_CONSTANT)
    denominator = cv2.GaussianBlur(denominator, (0, 0), sigma / shrink, borderType=cv2.BORDER_CONSTANT)
    denominator = np.maximum(denominator, 1e-6)
    ratio = numerator / (denominator if image.ndim == 2 else denominator[..., None])
    return cv2.resize(ratio, (width, height), interpolation=cv2.INTER_LINEAR) if shrink > 1 else ratio


def masked_reduce(image: np.ndarray, weight: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Area averages of an image [R, R, C] by weight [R, R], and of the weight, on side x side pixels."""
    if weight.shape[0] == side:
        return image, weight
    reduced_weight = cv2.resize(weight, (side, side), interpolation=cv2.INTER_AREA)
    total = cv2.resize(image * weight[..., None], (side, side), interpolation=cv2.INTER_AREA)
    return total / np.maximum(reduced_weight, 1e-6)[..., None], reduced_weight


def enlarge(image: np.ndarray, side: int) -> np.ndarray:
    """Bicubic enlargement of [B, B] or [B, B, C] to side x side; the same image where that is its size."""
    if image.shape[0] == side:
        return image
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)


def inner_distance(mask: np.ndarray) -> np.ndarray:
    """Distance float32 [H, W] of the pixels of a bool mask to its border, 0 outside."""
    return cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)


def smooth_step(x: np.ndarray | float, low: float, high: float) -> np.ndarray:
    """0 at `low`, 1 at `high`, smooth in between; `low` may be the larger."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
