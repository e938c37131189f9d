"""What is left of highlights in the albedo of seen skin."""

from __future__ import annotations

from backend.delight.parameters import HighlightSettings
from backend.delight.robust import robust_level, robust_tone
from backend.imaging.arrays import Array, count, filled_with, median, namespace
from backend.imaging.colour import LUMINANCE
from backend.imaging.colour import luminance as luminance_of
from backend.imaging.filters import masked_blur
from backend.texture.regions import FaceRegions, plain_skin


def soften_bright(
    log_albedo: Array,
    weight: Array,
    regions: FaceRegions,
    settings: HighlightSettings = HighlightSettings(),
) -> Array:
    """Log albedo in which broad patches brighter than the skin around them, leftovers of highlights, are halved."""
    luminance = luminance_of(log_albedo)
    level = robust_level(luminance, weight * (1 - regions.lips), settings.bright_around_mm * regions.texels_per_mm)
    patch = masked_blur(luminance, weight, settings.bright_patch_mm * regions.texels_per_mm) - level
    correction = (
        -settings.bright_lowered * namespace(patch).maximum(patch - settings.bright_left, 0) * (1 - regions.eyes * 0.5)
    )
    return log_albedo + (correction * weight)[..., None]


def limit_bright(
    log_albedo: Array,
    weight: Array,
    regions: FaceRegions,
    settings: HighlightSettings = HighlightSettings(),
) -> Array:
    """Log albedo whose luminance ends softly a little above the person's tone, and on the lips above the lips' own.

    What is brighter was not lit as the coarse geometry thinks (folds, nose wings, the lips' inner rim), or shines.
    """
    luminance = luminance_of(log_albedo)
    xp, (skin_tone, _) = namespace(luminance), robust_tone(log_albedo, weight * plain_skin(regions))
    limit = filled_with(float(skin_tone @ LUMINANCE + settings.brightest_skin), luminance.shape, luminance)
    on_lips = (regions.lips * weight) > 0.6
    if count(on_lips) > 50:
        lips = median(luminance[on_lips]) + settings.brightest_lips
        limit += regions.lips * (xp.minimum(lips, limit) - limit)
    over = xp.maximum(luminance - (limit - settings.bright_knee), 0)
    pressed = settings.bright_knee * (1 - xp.exp(-over / settings.bright_knee))
    return log_albedo - (over - pressed)[..., None]
