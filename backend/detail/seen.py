"""The fine detail that the photo shows, and how far the photo is large enough to show it."""

from __future__ import annotations

import numpy as np

from backend.detail.parameters import SeenSettings
from backend.imaging.arrays import Array, as_int32, filled_with, gather, like, namespace
from backend.imaging.colour import SMALLEST_LINEAR, srgb_to_linear
from backend.imaging.filters import smooth_step
from backend.imaging.octaves import TEXELS_PER_WAVE, finest_octave, reduce_to
from backend.imaging.rows import Enlarged, Rows, filled_in_bands
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture
from backend.texture.texel_points import pixels_per_texel
from backend.texture.uv_space import UVSpace


def fine_detail(
    partial: PartialTexture,  # R x R
    log_reduced: Array,  # float32 [B, B, 3], the same texture at the working size, complete
    weight: Rows,  # float32 [R, R], how much of the detail is wanted
) -> Array:
    """What the reduction to the working size lost: log colour float32 [R, R, 3], 0 where the weight is."""
    side = partial.texture_srgb.shape[0]
    if side == log_reduced.shape[0]:
        return filled_with(0, (side, side, 3), log_reduced)
    linear = srgb_to_linear(np.arange(4097) / 4096).astype(np.float32)  # fine enough: 8-bit steps are 16 of these
    decode = like(np.log(np.maximum(linear, SMALLEST_LINEAR)), log_reduced)
    xp, coarse = namespace(log_reduced), Enlarged(log_reduced, side)

    def of(rows: slice) -> Array:
        level = xp.clip(partial.texture_srgb[rows], 0, 1)
        level *= 4096
        detail = gather(decode, as_int32(xp.round(level, out=level)))
        detail -= coarse[rows]
        detail *= weight[rows][..., None]
        return detail

    return filled_in_bands(of, side, 3, log_reduced)


def photo_pixels(skin: FittedSkin, partial: PartialTexture, uv_space: UVSpace) -> Array:
    """How many pixels of the photo that shows it a texel of `uv_space` is wide, float32 [R, R]."""
    if partial.pixels is None:
        return pixels_per_texel(skin.model, skin.fit, uv_space)
    return reduce_to(partial.pixels, uv_space.resolution) * (len(partial.pixels) / uv_space.resolution)


def resolved_share(pixels: Array, octave: int, side: int, settings: SeenSettings = SeenSettings()) -> Array:
    """How far the photo shows an octave, in [0, 1]; `pixels` are `pixels_per_texel` of side x side texels."""
    wave = TEXELS_PER_WAVE * 2.0 ** (octave - finest_octave(side))
    return smooth_step(pixels * wave, *settings.pixels)
