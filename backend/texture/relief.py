"""Surface maps that follow from the albedo's detail: fine normals and specular albedo. Plausible, not measured."""

from __future__ import annotations

import cv2
import numpy as np

from backend.texture.detail import MAD_TO_STD
from backend.texture.regions import FaceRegions
from backend.texture.scale_space import masked_blur

# Dark detail of skin is mostly relief that holds less light: pores, wrinkles, the borders of lips.
FINEST_MM, COARSEST_MM = 0.25, 2.5
TYPICAL_SLOPE = 0.10
MAX_HEIGHT_MM = 1.2  # for a change of 1 in the log of the albedo; keeps smooth, noisy skin from being blown up
MAX_SLOPE = 0.5

# F0 of skin is about 0.028; facial regions differ mildly (Weyrich et al., "Analysis of human faces using a
# measurement-based skin reflectance model", 2006: oily T-zone and lips reflect more). In units of F0 / 0.08.
SPECULAR_SKIN, SPECULAR_LIPS, SPECULAR_NOSE, SPECULAR_FOREHEAD, SPECULAR_EYES = 0.35, 0.42, 0.40, 0.375, 0.33
CAVITY_LOSS = 0.3


def detail_height(
    log_luminance: np.ndarray,  # float32 [R, R]
    island: np.ndarray,  # bool [R, R]
    texels_per_mm: float,
) -> np.ndarray:
    """Band-passed log albedo float32 [R, R]: 0 on even skin, negative in cavities, 0 outside the island."""
    weight = island.astype(np.float32)
    fine = masked_blur(log_luminance, weight, max(FINEST_MM * texels_per_mm / 2, 0.4))
    coarse = masked_blur(log_luminance, weight, COARSEST_MM * texels_per_mm / 2)
    return (fine - coarse) * weight


def relief_normals(
    height: np.ndarray,  # float32 [R, R], see `detail_height`
    texels_per_metre: np.ndarray,  # float32 [R, R]
    regions_gain: np.ndarray,  # float32 [R, R], how far dark detail is relief (hair and pigment are not)
    reference: np.ndarray,  # float32 [R, R], > 0 on plain skin, which sets the typical slope
) -> np.ndarray:
    """Tangent-space unit normals float32 [R, R, 3], +Y up, of the relief that explains the albedo's detail.

    Source: dark-is-deep, Glencross et al., "A perceptually validated model for surface depth hallucination", 2008.
    """
    height = height * regions_gain
    per_mm = texels_per_metre / 1000
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8) * per_mm
    slope_up = -cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8) * per_mm  # rows run down, +Y is up
    on_skin = reference > 0.5
    steepness = np.hypot(slope_x, slope_up)
    typical = MAD_TO_STD * float(np.median(steepness[on_skin])) if on_skin.any() else 0.0
    scale = min(TYPICAL_SLOPE / max(typical, 1e-9), MAX_HEIGHT_MM)
    limit = MAX_SLOPE / np.maximum(np.hypot(MAX_SLOPE, scale * steepness), 1e-9)
    x, y = -scale * slope_x * limit, -scale * slope_up * limit
    length = np.sqrt(x * x + y * y + 1)
    return np.stack([x / length, y / length, 1 / length], axis=-1).astype(np.float32)


def specular_albedo(height: np.ndarray, regions: FaceRegions, reference: np.ndarray) -> np.ndarray:
    """Specular albedo float32 [R, R], F0 / 0.08: constant by region, less in cavities of `height` (`detail_height`)."""
    values = np.full(height.shape, SPECULAR_SKIN, np.float32)
    for mask, level in (
        (regions.forehead, SPECULAR_FOREHEAD),
        (regions.nose, SPECULAR_NOSE),
        (regions.eyes, SPECULAR_EYES),
        (regions.lips, SPECULAR_LIPS),
    ):
        values += mask * (np.float32(level) - values)
    on_skin = reference > 0.5
    spread = MAD_TO_STD * float(np.median(np.abs(height[on_skin]))) if on_skin.any() else 0.0
    cavity = np.clip(-height / max(4 * spread, 0.05), 0, 1)
    return values * (1 - np.float32(CAVITY_LOSS) * cavity)
