"""Highlights: specular light taken off."""

from __future__ import annotations

import numpy as np

from backend.delight.parameters import HighlightSettings
from backend.imaging.colour import LUMINANCE
from backend.imaging.filters import masked_blur, smooth_step
from backend.texture.regions import FaceRegions


def highlights(
    texture: np.ndarray,  # float32 [H, W, 3], linear
    predicted: np.ndarray,  # float32 [H, W, 3], skin of even tone under the estimated light
    weight: np.ndarray,  # float32 [H, W], seen
    regions: FaceRegions,
    settings: HighlightSettings = HighlightSettings(),
) -> np.ndarray:
    """Specular light float32 [H, W] to subtract from all channels (the light is nearly white).

    Dichromatic separation (Shafer 1985): skin's own colour has a local ratio of blue to red, white light moves it
    towards 1. Only what is also brighter than the surrounding diffuse skin counts, so that pale spots stay.
    """
    red, blue = texture[..., 0], texture[..., 2]
    ratio = np.clip(blue / np.maximum(red, 1e-4), 0.02, 0.98)
    luminance = texture @ LUMINANCE
    expected = np.maximum(predicted @ LUMINANCE, 1e-4)
    excess_log = np.log(np.maximum(luminance, 1e-4)) - np.log(expected)
    dull = weight / (1 + np.square(np.maximum(excess_log, 0) / 0.08)) ** 2 * (1 - regions.lips)
    sigma = settings.around_mm * regions.texels_per_mm
    skin_ratio = np.clip(masked_blur(ratio, dull + 1e-4 * weight, sigma), 0.05, 0.9)
    by_colour = np.maximum(blue - skin_ratio * red, 0) / (1 - skin_ratio)
    level = masked_blur(excess_log, dull + 1e-4 * weight, sigma)
    excess = np.maximum(luminance - expected * np.exp(level), 0)
    # Nothing more where the camera saturates: steps at the border of what is clipped show longer than a highlight.
    specular = np.minimum(excess, by_colour)
    return masked_blur(specular, weight, max(0.4 * regions.texels_per_mm, 0.5)) * smooth_step(weight, 0, 0.5)
