"""Surface maps that follow from the albedo's detail: fine normals and specular albedo. Plausible, not measured."""

from __future__ import annotations

import numpy as np

from backend.imaging.arrays import Array, as_float32, namespace
from backend.imaging.filters import gaussian_blur, masked_blur
from backend.imaging.rows import Computed, Rows, blurred_in_bands
from backend.rendering.skin_model import SKIN
from backend.texture.regions import FaceRegions
from backend.texture.skin_regions import SkinRegions


def relief_height(
    log_albedo: Array,  # float32 [R, R, 3], natural logarithm of linear albedo
    regions: FaceRegions,
    island: Array,  # bool [R, R]
) -> Array:
    """Mesoscopic height float32 [R, R] in mm: fine detail that is darker lies deeper, but hair and moles do not.

    Source: Beeler et al., "High-quality single-shot capture of facial geometry", 2010, mesoscopic augmentation.
    """
    xp, density = namespace(log_albedo), -log_albedo.mean(-1)
    relief, weight, scale = SKIN.relief, as_float32(island), regions.texels_per_mm
    pores = masked_blur(density, weight, max(relief.pore_mm * scale, 0.3))
    band = pores - masked_blur(density, weight, relief.crease_mm * scale)
    limited = relief.density_limit * xp.tanh(band / relief.density_limit)
    return as_float32(-relief.mm_per_density * limited * hairless(regions) * weight)


def hairless(regions: FaceRegions) -> Array:
    """0 where dark detail is brows and lashes, 1 on skin: float32 [R, R]. The regions have wide margins, with skin."""
    return 1 - namespace(regions.brows).maximum(regions.brows**4, SKIN.relief.lashes * regions.eyes**3)


def cavities(height: Array, island: Array, texels_per_mm: float) -> Rows:
    """How deep each texel lies under the skin around it, float32 [R, R], mm; negative on what stands out."""
    sigma = SKIN.relief.cavity_mm * texels_per_mm
    around = blurred_in_bands(lambda rows: height[rows], lambda rows: island[rows], len(height), sigma, height)
    limits = -SKIN.relief.highest_mm, SKIN.relief.deepest_mm
    return Computed(lambda rows: namespace(height).clip(around[rows] - height[rows], *limits))


def regional_specular(regions: SkinRegions) -> np.ndarray:
    """Specular albedo float32 [R, R], F0 / 0.08: constant by region, soft between."""
    levels = SKIN.specular
    values = np.full(regions.face.shape, levels.plain, np.float32)
    for name, level in levels.regions:
        values += getattr(regions, name) * (np.float32(level) - values)
    sigma = max(levels.soft_mm * regions.texels_per_mm, 0.5)
    return gaussian_blur(values, sigma, "repeat")
