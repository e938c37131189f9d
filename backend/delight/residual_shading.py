"""Light that is left in the albedo of what was seen: where a person strays from the prior further than skins do."""

from __future__ import annotations

import numpy as np

from backend.delight.parameters import ResidualShadingSettings
from backend.delight.robust import beardedness
from backend.imaging.colour import LUMINANCE
from backend.imaging.filters import masked_blur
from backend.texture.regions import FaceRegions
from backend.texture.uv_space import mirror


def without_left_light(
    log_albedo: np.ndarray,  # float32 [B, B, 3], what was seen joined to the expectation
    expected: np.ndarray,  # float32 [B, B, 3], the prior's log albedo
    weight: np.ndarray,  # float32 [B, B], 1 = seen
    inside_nostrils: np.ndarray,  # float32 [B, B], see `backend.prior.nostrils`
    island: np.ndarray,  # bool [B, B]
    regions: FaceRegions,
    settings: ResidualShadingSettings = ResidualShadingSettings(),
) -> np.ndarray:
    """Log albedo float32 [B, B, 3] with its broad differences from the expectation made smaller.

    Order-2 light on a fitted head leaves shade in eye sockets, beside the nose and around the mouth, and a camera's
    tone curve deepens and reddens it. Brows, nostrils, what a beard has on both sides and the colour that lips have as
    a whole are the person's own.
    """
    if not settings.removed:
        return log_albedo
    own = log_albedo - expected
    lips = _lip_colour(own, weight, regions, settings)
    broad = masked_blur(own - lips, island.astype(np.float32), settings.broad_mm * regions.texels_per_mm)
    luminance = (broad @ LUMINANCE)[..., None]
    lighter = _softened(luminance, settings.largest, settings.kept) - luminance
    bearded = beardedness(own @ LUMINANCE, weight, regions)
    beard = bearded * (regions.beard * (1 - regions.lips))[..., None]
    lighter += beard * (_lighter_side(luminance, island, regions, settings) - lighter)
    lighter *= 1 - np.clip(np.maximum(regions.brows, inside_nostrils), 0, 1)[..., None]
    paler = _softened(broad - luminance, settings.largest_colour, settings.kept) - (broad - luminance)
    paler *= 1 - np.clip(regions.brows, 0, 1)[..., None]  # colour that skins do not have is their hair's
    return (log_albedo + lighter + paler).astype(np.float32)


def _lighter_side(
    luminance: np.ndarray,
    island: np.ndarray,
    regions: FaceRegions,
    settings: ResidualShadingSettings,
) -> np.ndarray:
    """What to add [B, B, 1] to the broad log luminance [B, B, 1] of a beard: as dark as it is, but on both sides."""
    even = masked_blur(luminance[..., 0], island.astype(np.float32), settings.side_mm * regions.texels_per_mm)
    shade = np.minimum(even - mirror(even), 0)[..., None]
    return _softened(shade, settings.largest, settings.kept) - shade


def _softened(broad: np.ndarray, largest: float, kept: float) -> np.ndarray:
    """Differences [..., C] of which `kept` is left where they are small, and whose size ends softly at `largest`."""
    size = np.maximum(np.abs(broad).max(-1, keepdims=True), 1e-6)
    return broad * (largest * np.tanh(kept / largest * size) / size)


def _lip_colour(
    own: np.ndarray,
    weight: np.ndarray,
    regions: FaceRegions,
    settings: ResidualShadingSettings,
) -> np.ndarray:
    """By how much the lips as a whole differ from the expectation, float32 [B, B, 3], 0 elsewhere."""
    on_lips = (regions.lips * weight) > 0.6
    if np.count_nonzero(on_lips) < settings.fewest_texels:
        return np.zeros_like(own)
    return np.clip(regions.lips, 0, 1)[..., None] * np.median(own[on_lips], axis=0)
