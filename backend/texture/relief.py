"""Surface maps that follow from the albedo's detail: fine normals and specular albedo. Plausible, not measured."""

from __future__ import annotations

import numpy as np

from backend.imaging.filters import masked_blur
from backend.rendering.skin_model import SKIN
from backend.texture.regions import FaceRegions

# F0 of skin is about 0.028; facial regions differ mildly, oily T-zone and lips reflect more (as in Weyrich et al.,
# "Analysis of human faces using a measurement-based skin reflectance model", 2006; the levels are assumed). In units of
# F0 / 0.08.
SPECULAR_SKIN, SPECULAR_LIPS, SPECULAR_NOSE, SPECULAR_FOREHEAD, SPECULAR_EYES = 0.35, 0.42, 0.40, 0.375, 0.33


def relief_height(
    log_albedo: np.ndarray,  # float32 [R, R, 3], natural logarithm of linear albedo
    regions: FaceRegions,
    island: np.ndarray,  # bool [R, R]
) -> np.ndarray:
    """Mesoscopic height float32 [R, R] in mm: fine detail that is darker lies deeper, but hair and moles do not.

    Source: Beeler et al., "High-quality single-shot capture of facial geometry",
    2010, section 5.
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


def cavity(height: np.ndarray, island: np.ndarray, texels_per_mm: float) -> np.ndarray:
    """How deep each texel lies under the skin around it, float32 [R, R], mm; negative on what stands out."""
    around = masked_blur(height, island.astype(np.float32), SKIN.relief.cavity_mm * texels_per_mm)
    return np.clip(around - height, -SKIN.relief.highest_mm, SKIN.relief.deepest_mm)


def regional_specular(regions: FaceRegions) -> np.ndarray:
    """Specular albedo float32 [R, R], F0 / 0.08: constant by region."""
    values = np.full(regions.face.shape, SPECULAR_SKIN, np.float32)
    for mask, level in (
        (regions.forehead, SPECULAR_FOREHEAD),
        (regions.nose, SPECULAR_NOSE),
        (regions.eyes, SPECULAR_EYES),
        (regions.lips, SPECULAR_LIPS),
    ):
        values += mask * (np.float32(level) - values)
    return values
