"""Nostrils: much deeper than a head's mesh, so that what no photo shows of them has to be dark by its colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backend.delight.robust import robust_tone
from backend.imaging.arrays import Array, as_float32, like, quantile
from backend.imaging.filters import masked_blur, smooth_step
from backend.prior.interface import CompletedMaps
from backend.prior.parameters import NostrilSettings
from backend.texture.regions import FaceRegions, plain_skin
from backend.texture.uv_space import UVSpace


def nostrils(
    transfer: np.ndarray, uv_space: UVSpace, regions: FaceRegions, settings: NostrilSettings = NostrilSettings()
) -> Array:
    """1 within the head's nostrils, 0 on all other skin, float32 [B, B]: where the head itself hides half of the sky.

    Args:
        transfer: float32 [V, 9], see `backend.rendering.light_transfer`.
        uv_space: the texels.
        regions: parts of the face on them.
    """
    reached = uv_space.interpolate(transfer[:, :1])[..., 0]
    open_share = reached / quantile(reached[uv_space.mask], 0.95)
    inside = regions.nose * (1 - smooth_step(open_share, *settings.open_share))
    return masked_blur(as_float32(inside), as_float32(uv_space.mask), settings.rim_mm * regions.texels_per_mm)


def with_dark_nostrils(
    maps: CompletedMaps,
    weight: Array,  # float32 [B, B], 1 = seen
    inside: Array,  # float32 [B, B], see `nostrils`
    regions: FaceRegions,
    settings: NostrilSettings = NostrilSettings(),
) -> CompletedMaps:
    """Maps whose albedo is dark within nostrils where the photo does not show them.

    Photos that look into a nostril keep its own colour. The texture stays, which is expected as shaded as photos are
    there: darkened too, what a turn of 30 degrees hides of training portraits was 0.1 dB worse. The relief stays: paint
    is not deep.
    """
    if not settings.darkened:
        return maps
    hidden = (inside * (1 - weight))[..., None]
    tone, _ = robust_tone(maps.log_albedo, plain_skin(regions))
    dark = like(tone.astype(np.float32) + np.array(settings.darkness, np.float32), hidden)
    return replace(maps, log_albedo=maps.log_albedo + hidden * (dark - maps.log_albedo))
