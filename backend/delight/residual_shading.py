"""Light that is left in the albedo of what was seen: where a person strays from the prior further than skins do."""

from __future__ import annotations

from backend.delight.parameters import ResidualShadingSettings
from backend.delight.robust import beardedness
from backend.imaging.arrays import Array, as_float32, count, like, medians, namespace
from backend.imaging.colour import luminance as luminance_of
from backend.imaging.filters import masked_blur
from backend.texture.regions import FaceRegions
from backend.texture.uv_space import mirror


def without_left_light(
    log_albedo: Array,  # float32 [B, B, 3], what was seen joined to the expectation
    expected: Array,  # float32 [B, B, 3], the prior's log albedo
    weight: Array,  # float32 [B, B], 1 = seen
    inside_nostrils: Array,  # float32 [B, B], see `backend.prior.nostrils`
    island: Array,  # bool [B, B]
    regions: FaceRegions,
    settings: ResidualShadingSettings = ResidualShadingSettings(),
) -> Array:
    """Log albedo float32 [B, B, 3] with its broad differences from the expectation made smaller.

    Order-2 light on a fitted head leaves shade in eye sockets, beside the nose and around the mouth, and a camera's
    tone curve deepens and reddens it. Brows, nostrils, what a beard has on both sides and the colour that lips have as
    a whole are the person's own.
    """
    if not settings.removed:
        return log_albedo
    xp, own = namespace(log_albedo), log_albedo - expected
    lips = _lip_colour(own, weight, regions, settings)
    broad = masked_blur(own - lips, as_float32(island), settings.broad_mm * regions.texels_per_mm)
    luminance = luminance_of(broad)[..., None]
    lighter = _softened(luminance, settings.largest, settings.kept) - luminance
    bearded = beardedness(luminance_of(own), weight, regions)
    beard = bearded * (regions.beard * (1 - regions.lips))[..., None]
    lighter += beard * (_lighter_side(luminance, island, regions, settings) - lighter)
    lighter *= 1 - xp.clip(xp.maximum(regions.brows, inside_nostrils), 0, 1)[..., None]
    paler = _softened(broad - luminance, settings.largest_colour, settings.kept) - (broad - luminance)
    paler *= 1 - xp.clip(regions.brows, 0, 1)[..., None]  # colour that skins do not have is their hair's
    # Not beyond the expectation: else the opposite of a line or dot would stand beside it.
    to_expected = lips - own
    change = xp.clip(lighter + paler, xp.minimum(to_expected, 0), xp.maximum(to_expected, 0))
    return as_float32(log_albedo + change)


def _lighter_side(
    luminance: Array,
    island: Array,
    regions: FaceRegions,
    settings: ResidualShadingSettings,
) -> Array:
    """What to add [B, B, 1] to the broad log luminance [B, B, 1] of a beard: as dark as it is, but on both sides."""
    even = masked_blur(luminance[..., 0], as_float32(island), settings.side_mm * regions.texels_per_mm)
    shade = namespace(even).minimum(even - mirror(even), 0)[..., None]
    return _softened(shade, settings.largest, settings.kept) - shade


def _softened(broad: Array, largest: float, kept: float) -> Array:
    """Differences [..., C] of which `kept` is left where they are small, and whose size ends softly at `largest`."""
    xp = namespace(broad)
    size = xp.maximum(xp.max(xp.abs(broad), axis=-1, keepdims=True), 1e-6)
    return broad * (largest * xp.tanh(kept / largest * size) / size)


def _lip_colour(
    own: Array,
    weight: Array,
    regions: FaceRegions,
    settings: ResidualShadingSettings,
) -> Array:
    """By how much the lips as a whole differ from the expectation, float32 [B, B, 3], 0 elsewhere."""
    on_lips = (regions.lips * weight) > 0.6
    xp = namespace(own)
    if count(on_lips) < settings.fewest_texels:
        return xp.zeros_like(own)
    return xp.clip(regions.lips, 0, 1)[..., None] * like(medians(own[on_lips]), own)
