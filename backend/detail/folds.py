"""Folds and creases in the colours of the completed maps: they are relief, and hold less light than the skin beside."""

from __future__ import annotations

from backend.detail.parameters import ReliefSettings
from backend.imaging.arrays import Array, as_float32, namespace
from backend.imaging.colour import luminance
from backend.imaging.filters import grown, masked_blur
from backend.imaging.octaves import reduce_to


def less_in_creases(
    log_albedo: Array,  # float32 [B, B, 3], natural logarithm of linear colour
    crease: Array,  # float32 [r, r] in [0, 1], see `backend.detail.separation.creases`
    spots: Array,  # float32 [n, n] in [0, 1], moles, which are dark lines to such a filter as well
    island: Array,  # bool [B, B]
    texels_per_mm: float,
    settings: ReliefSettings = ReliefSettings(),
) -> Array:
    """Log albedo float32 [B, B, 3] in whose creases the share of their darkness is left that fine relief leaves, too:
    the renderer lights the relief, and what no light reaches is dark in any light. Their hue nears that beside them.
    """
    xp, side = namespace(log_albedo), len(log_albedo)
    creased = xp.clip(reduce_to(crease, side), 0, 1)
    flat = as_float32(island * (1 - creased) + 1e-3)
    beside = masked_blur(log_albedo, flat, settings.beside_crease_mm * texels_per_mm)
    own = log_albedo - beside
    pigment = xp.clip(grown(reduce_to(spots, side), max(1, round(settings.spot_rim_mm * texels_per_mm))), 0, 1)
    darker = creased * (1 - pigment) * (luminance(own) < 0)
    return as_float32(log_albedo - ((1 - settings.in_albedo) * darker)[..., None] * own)
