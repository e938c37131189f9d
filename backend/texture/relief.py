"""Surface maps that follow from the albedo's detail: fine normals and specular albedo. Plausible, not measured."""

from __future__ import annotations

import cv2
import numpy as np

from backend.imaging.filters import masked_blur
from backend.imaging.rows import Computed, Rows, blurred_in_bands
from backend.rendering.skin_model import SKIN
from backend.texture.regions import FaceRegions
from backend.texture.skin_regions import SkinRegions


def relief_height(
    log_albedo: np.ndarray,  # float32 [R, R, 3], natural logarithm of linear albedo
    regions: FaceRegions,
    island: np.ndarray,  # bool [R, R]
) -> np.ndarray:
    """Mesoscopic height float32 [R, R] in mm: fine detail that is darker lies deeper, but hair and moles do not.

    Source: Beeler et al., "High-quality single-shot capture of facial geometry", 2010, mesoscopic augmentation.
    """
    density = -log_albedo.mean(-1)
    relief, weight, scale = SKIN.relief, island.astype(np.float32), regions.texels_per_mm
    pores = masked_blur(density, weight, max(relief.pore_mm * scale, 0.3))
    band = pores - masked_blur(density, weight, relief.crease_mm * scale)
    limited = relief.density_limit * np.tanh(band / relief.density_limit)
    return (-relief.mm_per_density * limited * hairless(regions) * weight).astype(np.float32)


def hairless(regions: FaceRegions) -> np.ndarray:
    """0 where dark detail is brows and lashes, 1 on skin: float32 [R, R]. The regions have wide margins, with skin."""
    return 1 - np.maximum(regions.brows**4, SKIN.relief.lashes * regions.eyes**3)


def cavities(height: np.ndarray, island: np.ndarray, texels_per_mm: float) -> Rows:
    """How deep each texel lies under the skin around it, float32 [R, R], mm; negative on what stands out."""
    sigma = SKIN.relief.cavity_mm * texels_per_mm
    around = blurred_in_bands(lambda rows: height[rows], lambda rows: island[rows], len(height), sigma)
    limits = -SKIN.relief.highest_mm, SKIN.relief.deepest_mm
    return Computed(lambda rows: np.clip(around[rows] - height[rows], *limits))


def regional_specular(regions: SkinRegions) -> np.ndarray:
    """Specular albedo float32 [R, R], F0 / 0.08: constant by region, soft between."""
    levels = SKIN.specular
    values = np.full(regions.face.shape, levels.plain, np.float32)
    for name, level in levels.regions:
        values += getattr(regions, name) * (np.float32(level) - values)
    sigma = max(levels.soft_mm * regions.texels_per_mm, 0.5)
    return cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
