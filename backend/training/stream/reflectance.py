"""Normals and specular albedo that go with an albedo. Neither is measured: both follow from the relief we assume.

Pores and creases are darker than the skin around them, because light is caught in them; so the fine detail of the
albedo is read as depth ("mesoscopic augmentation", Beeler et al., "High-quality single-shot capture of facial
geometry", SIGGRAPH 2010). The specular albedo has regional means, glossier in the T-zone and on the lips
as Weyrich et al., "Analysis of human faces using a measurement-based skin reflectance model", SIGGRAPH 2006, describe
skin; the levels are assumed, not taken from their statistics. It falls in cavities.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from backend.rendering.skin_model import SKIN
from backend.training.stream.augment.skin import Skin, blur, noise
from backend.training.stream.region_masks import RegionMasks


def relief_of_detail(skin: Skin, masks: RegionMasks) -> Tensor:
    """Mesoscopic height [R, R] in mm, read from the fine detail of the density; none where hair grows."""
    grey = skin.density.mean(0)
    relief = SKIN.relief
    band = blur(grey, relief.pore_mm * masks.texels_per_mm) - blur(grey, relief.crease_mm * masks.texels_per_mm)
    limited = relief.density_limit * torch.tanh(band / relief.density_limit)
    hair = torch.maximum(masks.brows, relief.lashes * masks.eyes)
    return -relief.mm_per_density * limited * (1 - hair) * masks.island


def with_detail_relief(skin: Skin, masks: RegionMasks) -> Skin:
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


def regional_specular(masks: RegionMasks) -> Tensor:
    """Mean specular albedo [R, R], linear, F0 / 0.08."""
    levels = SKIN.specular
    values = torch.full_like(masks.island, levels.plain)
    for name, level in levels.regions:
        values = torch.lerp(values, torch.full_like(values, level), getattr(masks, name))
    return blur(values, levels.soft_mm * masks.texels_per_mm)


def specular_albedo(skin: Skin, masks: RegionMasks, rng: np.random.Generator | None = None) -> Tensor:
    """Specular albedo [R, R], linear, F0 / 0.08: regional, less in cavities, times the skin's gloss.

    With a generator, people differ: oily or dry as a whole, and in the T-zone above all.
    """
    relief = SKIN.relief
    around = blur(skin.height, relief.cavity_mm * masks.texels_per_mm)
    cavity = (around - skin.height).clamp(-relief.highest_mm, relief.deepest_mm)
    result = regional_specular(masks) * (1 - relief.gloss_loss_per_mm * cavity) * skin.gloss
    if rng is not None:
        zone = torch.maximum(masks.forehead, masks.nose)
        patches = noise(rng, skin.resolution, 16 * masks.texels_per_mm, skin.density)[0]
        oily = float(np.exp(rng.normal(0, 0.16)))
        result = result * oily * (1 + float(rng.normal(0, 0.1)) * zone + 0.025 * patches)
    return result.clamp(SKIN.specular.lowest, SKIN.specular.highest)
