"""Normals and specular albedo that go with an albedo. Neither is measured: both follow from the relief we assume.

Pores and creases are darker than the skin around them, because light is caught in them; so the fine detail of the
albedo is read as depth ("mesoscopic augmentation", Beeler et al., "High-quality single-shot capture of facial
geometry", SIGGRAPH 2010, section 5). The specular albedo has regional means, glossier in the T-zone and on the lips
as Weyrich et al., "Analysis of human faces using a measurement-based skin reflectance model", SIGGRAPH 2006, describe
skin; the levels are assumed, not taken from their statistics. It falls in cavities.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from backend.texture.relief import (
    CAVITY_LOSS_PER_MM,
    CREASE_MM,
    DEEPEST_MM,
    DENSITY_LIMIT,
    HIGHEST_MM,
    MM_PER_DENSITY,
    PORE_MM,
)
from backend.training.stream.augment.skin import Skin, blur, noise
from backend.training.stream.skin_masks import SkinMasks

# F0 / 0.08; skin's F0 is near 0.028, which is 0.35.
PLAIN = 0.33
REGIONAL = (
    ("forehead", 0.40),
    ("nose", 0.44),
    ("nose_tip", 0.50),
    ("lips", 0.45),
    ("under_eyes", 0.34),
    ("lids", 0.37),
    ("chin", 0.37),
    ("ears", 0.29),
    ("neck", 0.27),
    ("scalp", 0.36),
)


def relief_of_detail(skin: Skin, masks: SkinMasks) -> Tensor:
    """Mesoscopic height [R, R] in mm, read from the fine detail of the density; none where hair grows."""
    grey = skin.density.mean(0)
    band = blur(grey, PORE_MM * masks.texels_per_mm) - blur(grey, CREASE_MM * masks.texels_per_mm)
    limited = DENSITY_LIMIT * torch.tanh(band / DENSITY_LIMIT)
    hair = torch.maximum(masks.brows, 0.9 * masks.eyes)
    return -MM_PER_DENSITY * limited * (1 - hair) * masks.island


def with_detail_relief(skin: Skin, masks: SkinMasks) -> Skin:
    """The skin with the relief of its own detail added."""
    return skin.with_relief(relief_of_detail(skin, masks))


def normals_of_height(
    height: Tensor,  # [R, R], mm
    texels_per_mm: float,
) -> Tensor:
    """Tangent-space normals [3, R, R], unit, +Y up (row 0 is v = 1)."""
    padded = torch.nn.functional.pad(height[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    along_u = (padded[1:-1, 2:] - padded[1:-1, :-2]) * (0.5 * texels_per_mm)
    along_v = (padded[:-2, 1:-1] - padded[2:, 1:-1]) * (0.5 * texels_per_mm)
    normal = torch.stack([-along_u, -along_v, torch.ones_like(height)])
    return normal / normal.norm(dim=0, keepdim=True)


def regional_specular(masks: SkinMasks) -> Tensor:
    """Mean specular albedo [R, R], linear, F0 / 0.08."""
    values = torch.full_like(masks.island, PLAIN)
    for name, level in REGIONAL:
        values = torch.lerp(values, torch.full_like(values, level), getattr(masks, name))
    return blur(values, 5 * masks.texels_per_mm)


def specular_albedo(skin: Skin, masks: SkinMasks, rng: np.random.Generator | None = None) -> Tensor:
    """Specular albedo [R, R], linear, F0 / 0.08: regional, less in cavities, times the skin's gloss.

    With a generator, people differ: oily or dry as a whole, and in the T-zone above all.
    """
    cavity = (blur(skin.height, 1.5 * masks.texels_per_mm) - skin.height).clamp(-HIGHEST_MM, DEEPEST_MM)
    result = regional_specular(masks) * (1 - CAVITY_LOSS_PER_MM * cavity) * skin.gloss
    if rng is not None:
        zone = torch.maximum(masks.forehead, masks.nose)
        patches = noise(rng, skin.resolution, 16 * masks.texels_per_mm, skin.density)[0]
        oily = float(np.exp(rng.normal(0, 0.16)))
        result = result * oily * (1 + float(rng.normal(0, 0.1)) * zone + 0.025 * patches)
    return result.clamp(0.04, 0.95)
