"""What is left of highlights in the albedo of seen skin."""

from __future__ import annotations

import numpy as np

from backend.delight.parameters import HighlightSettings
from backend.delight.robust import robust_level, robust_tone
from backend.imaging.colour import LUMINANCE
from backend.imaging.filters import masked_blur
from backend.texture.regions import FaceRegions, plain_skin


def soften_bright(
    log_albedo: np.ndarray,
    weight: np.ndarray,
    regions: FaceRegions,
    settings: HighlightSettings = HighlightSettings(),
) -> np.ndarray:
    """Log albedo in which broad patches brighter than the skin around them, leftovers of highlights, are halved."""
    luminance = log_albedo @ LUMINANCE
    level = robust_level(luminance, weight * (1 - regions.lips), settings.bright_around_mm * regions.texels_per_mm)
    patch = masked_blur(luminance, weight, settings.bright_patch_mm * regions.texels_per_mm) - level
    correction = -settings.bright_lowered * np.maximum(patch - settings.bright_left, 0) * (1 - regions.eyes * 0.5)
    return log_albedo + (correction * weight)[..., None]


def limit_bright(
    log_albedo: np.ndarray,
    weight: np.ndarray,
    regions: FaceRegions,
    settings: HighlightSettings = HighlightSettings(),
) -> np.ndarray:
    """Log albedo whose luminance ends softly a little above the person's tone, and on the lips above the lips' own.

    What is brighter was not lit as the coarse geometry thinks (folds, nose wings, the lips' inner rim), or shines.
    """
    luminance = log_albedo @ LUMINANCE
    skin_tone, _ = robust_tone(log_albedo, weight * plain_skin(regions))
    limit = np.full(luminance.shape, skin_tone @ LUMINANCE + settings.brightest_skin, np.float32)
    on_lips = (regions.lips * weight) > 0.6
    if np.count_nonzero(on_lips) > 50:
        lips = float(np.median(luminance[on_lips])) + settings.brightest_lips
        limit += regions.lips * (np.minimum(lips, limit) - limit)
    over = np.maximum(luminance - (limit - settings.bright_knee), 0)
    pressed = settings.bright_knee * (1 - np.exp(-over / settings.bright_knee))
    return log_albedo - (over - pressed)[..., None]
