"""Highlights: specular light taken off."""

from __future__ import annotations

from backend.delight.parameters import HighlightSettings
from backend.imaging.arrays import Array, namespace
from backend.imaging.colour import luminance as luminance_of
from backend.imaging.filters import masked_blur, smooth_step
from backend.texture.regions import FaceRegions


def highlights(
    texture: Array,  # float32 [H, W, 3], linear
    predicted: Array,  # float32 [H, W, 3], skin of even tone under the estimated light
    weight: Array,  # float32 [H, W], seen
    regions: FaceRegions,
    settings: HighlightSettings = HighlightSettings(),
) -> Array:
    """Specular light float32 [H, W] to subtract from all channels (the light is nearly white).

    Dichromatic separation (Shafer 1985): skin's own colour has a local ratio of blue to red, white light moves it
    towards 1. Only what is also brighter than the surrounding diffuse skin counts, so that pale spots stay.
    """
    xp, red, blue = namespace(texture), texture[..., 0], texture[..., 2]
    ratio = xp.clip(blue / xp.maximum(red, 1e-4), 0.02, 0.98)
    luminance = luminance_of(texture)
    expected = xp.maximum(luminance_of(predicted), 1e-4)
    excess_log = xp.log(xp.maximum(luminance, 1e-4)) - xp.log(expected)
    dull = weight / (1 + xp.square(xp.maximum(excess_log, 0) / 0.08)) ** 2 * (1 - regions.lips)
    sigma = settings.around_mm * regions.texels_per_mm
    skin_ratio = xp.clip(masked_blur(ratio, dull + 1e-4 * weight, sigma), 0.05, 0.9)
    by_colour = xp.maximum(blue - skin_ratio * red, 0) / (1 - skin_ratio)
    level = masked_blur(excess_log, dull + 1e-4 * weight, sigma)
    excess = xp.maximum(luminance - expected * xp.exp(level), 0)
    # Nothing more where the camera saturates: steps at the border of what is clipped show longer than a highlight.
    specular = xp.minimum(excess, by_colour)
    return masked_blur(specular, weight, max(0.4 * regions.texels_per_mm, 0.5)) * smooth_step(weight, 0, 0.5)
