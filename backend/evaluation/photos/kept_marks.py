"""Which share of the marks of a skin the finished albedo has."""

from __future__ import annotations

import cv2
import numpy as np

from backend.delight.delighting import DelightedTexture
from backend.evaluation.photos.parameters import KeptMarksSettings
from backend.imaging.colour import SMALLEST_LINEAR, srgb_to_linear
from backend.imaging.membrane import extend
from backend.imaging.octaves import reduce_to
from backend.texture.maps import SkinMaps


def marked_share(delit: DelightedTexture, settings: KeptMarksSettings = KeptMarksSettings()) -> float:
    """Share of the face's seen skin that is taken for marks; 0 where nothing of it was seen."""
    seen = (delit.weight > settings.seen) & (delit.skin.regions.face > 0.5)
    return float((np.abs(delit.log_marks).max(-1) > settings.marked)[seen].mean()) if seen.any() else 0.0


def kept_of_found(delit: DelightedTexture, maps: SkinMaps, settings: KeptMarksSettings = KeptMarksSettings()) -> float:
    """Share of the found marks' log contrast against the skin around them in the photo that the albedo has.

    Args:
        delit: what was seen, with the layer of marks, which says where they are and no more.
        maps: finished.
        settings: what counts.

    Returns:
        1 is all; NaN where there are no marks, or no skin beside them.
    """
    side = delit.skin.working.resolution
    texture, visibility = delit.partial.reduced(side)
    albedo = reduce_to(srgb_to_linear(maps.diffuse_albedo_srgb).astype(np.float32), side)
    marked = (np.abs(delit.log_marks).max(-1) > settings.marked) & (delit.weight > settings.seen)
    scale = delit.skin.regions.texels_per_mm
    reach = np.ones((2 * round(settings.rim_mm * scale) + 1,) * 2, np.uint8)
    beside = (visibility > settings.seen) & (cv2.dilate(marked.astype(np.uint8), reach) == 0)
    if min(np.count_nonzero(marked), np.count_nonzero(beside)) < settings.fewest_texels:
        return float("nan")
    domain = visibility > 0.05
    contrasts = []
    for colour in (texture, albedo):
        log_colour = np.log(np.maximum(colour, SMALLEST_LINEAR))
        usual = np.median(log_colour[beside], axis=0)
        around = extend(log_colour - usual, beside.astype(np.float32), domain, settings.fading_mm * scale)
        contrasts.append((log_colour - usual - around)[marked])
    return _projected(contrasts[1], contrasts[0])


def kept_of_painted(
    delit: DelightedTexture,
    maps: SkinMaps,
    untouched: DelightedTexture,
    untouched_maps: SkinMaps,
    settings: KeptMarksSettings = KeptMarksSettings(),
) -> float:
    """Share of what was painted on a photo that the albedo has, by what became of the photo as it was.

    Args:
        delit, maps: of the painted photo.
        untouched, untouched_maps: of the photo that it was painted on, on the same texels.
        settings: what counts; what is not trusted, as it is seen at a slant or beside hair, is guessed in any case.

    Returns:
        1 is all; NaN where nothing was painted on skin that both show.
    """
    both = reduce_to(np.minimum(delit.weight, untouched.weight), maps.resolution) > settings.trusted
    change, kept = (
        np.log(np.maximum(srgb_to_linear(painted), SMALLEST_LINEAR))
        - np.log(np.maximum(srgb_to_linear(plain), SMALLEST_LINEAR))
        for painted, plain in (
            (delit.partial.texture_srgb, untouched.partial.texture_srgb),
            (maps.diffuse_albedo_srgb, untouched_maps.diffuse_albedo_srgb),
        )
    )
    marked = both & (np.abs(change).max(-1) > settings.marked)
    if np.count_nonzero(marked) < settings.fewest_texels:
        return float("nan")
    return _projected(kept[marked], change[marked])


def _projected(kept: np.ndarray, whole: np.ndarray) -> float:
    """How much of `whole` [n, 3] is in `kept` [n, 3], by least squares."""
    return float((kept * whole).sum() / max(float((whole**2).sum()), 1e-12))
