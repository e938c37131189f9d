"""The classical completion: divide out the light, mirror, fill. No learning, no GPU, always there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.delight.corrections import even_colour, even_out, limit_bright, soften_bright, soften_dark
from backend.delight.highlights import highlights, over_burnt
from backend.delight.light import estimate_light
from backend.delight.robust import robust_tone
from backend.delight.skin_tone import plausible_tone
from backend.delight.trust import trusted
from backend.imaging.colour import LUMINANCE, SMALLEST_LINEAR, srgb_to_linear
from backend.imaging.filters import masked_reduce
from backend.prior.interface import PriorContext
from backend.rendering.light_transfer import shading
from backend.texture.maps import PartialTexture
from backend.texture.regions import FaceRegions, plain_skin
from backend.texture.uv_space import UVSpace
from shared.errors import RelightifyError

WORKING_RESOLUTION = 512
MIN_SEEN_SHARE_OF_FACE = 0.04
LIGHT_SAMPLES = 20_000


@dataclass(frozen=True)
class Seen:
    """The partial texture at working size: linear colour [B, B, 3] and trust [B, B]."""

    texture: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class Delit:
    """What was seen, without its light, at working size [B, B].

    Args:
        log_seen: float32 [B, B, 3], the texture before any change, natural logarithm of linear colour.
        log_albedo: float32 [B, B, 3], albedo up to a gain.
        log_shading: float32 [B, B, 3], light times mean albedo everywhere on the skin, up to the same gain.
        weight: float32 [B, B], trust.
        shine: float32 [B, B], share of the seen light that was specular.
        tone: float64 [3], median log albedo of plain skin.
        observed: float64 [3], light times albedo of plain skin, linear.
    """

    log_seen: np.ndarray
    log_albedo: np.ndarray
    log_shading: np.ndarray
    weight: np.ndarray
    shine: np.ndarray
    tone: np.ndarray
    observed: np.ndarray


def reduced(partial: PartialTexture, side: int, regions: FaceRegions) -> Seen:
    """The partial texture at working size.

    Raises:
        RelightifyError: ``too_little_skin``.
    """
    texture, visibility = masked_reduce(_linear(partial.texture_srgb), partial.visibility, side)
    _check_seen(visibility, regions)
    return Seen(texture, visibility)


def delit(seen: Seen, context: PriorContext, uv_space: UVSpace, regions: FaceRegions) -> Delit:
    """The albedo of what was seen: light and highlights taken out, broad leftovers of shading evened out."""
    transfer = uv_space.interpolate(context.transfer)
    plain = plain_skin(regions)

    light = _robust_light(seen.texture, transfer, seen.weight * plain)  # light x mean albedo
    shaded = shading(transfer, light)
    log_seen = np.log(np.maximum(seen.texture, SMALLEST_LINEAR))
    weight = trusted(log_seen - np.log(shaded), seen.weight, regions)
    light = _robust_light(seen.texture, transfer, weight * plain)
    shaded = shading(transfer, light)

    specular = highlights(seen.texture, shaded, weight, regions)
    diffuse = np.maximum(seen.texture - 0.9 * specular[..., None], 0.25 * seen.texture)
    log_albedo = np.log(np.maximum(diffuse, SMALLEST_LINEAR)) - np.log(shaded)
    shine = np.clip(specular / np.maximum(seen.texture @ LUMINANCE, SMALLEST_LINEAR), 0, 1)
    log_albedo = even_colour(log_albedo, shine, weight, regions)
    log_albedo = soften_bright(log_albedo, weight, regions)
    log_albedo = even_out(log_albedo, weight, regions)
    log_albedo = soften_dark(log_albedo, weight, regions)
    log_albedo = limit_bright(log_albedo, weight, regions)
    log_albedo = over_burnt(log_albedo, seen.texture, weight, regions)

    tone, _ = robust_tone(log_albedo, weight * plain)
    # Split light and skin; what is albedo now was relative to the mean.
    log_shading = np.log(shaded)
    plain_level, _ = robust_tone(log_shading, weight * plain)
    return Delit(log_seen, log_albedo, log_shading, weight, shine, tone, np.exp(tone + plain_level))


def usual_tone(seen: Delit, context: PriorContext) -> np.ndarray:
    """The skin's mean albedo float64 [3], linear: the classical split of what was seen into light and skin."""
    return plausible_tone(seen.observed, context.white, context.tone_stops)


def _robust_light(texture: np.ndarray, transfer: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """`estimate_light` on a regular sample of the weighted texels."""
    inside = np.flatnonzero(weight > 0.3)
    picked = inside[:: max(1, len(inside) // LIGHT_SAMPLES)]
    return estimate_light(texture.reshape(-1, 3)[picked], transfer.reshape(-1, 9)[picked], weight.reshape(-1)[picked])


def _check_seen(visibility: np.ndarray, regions: FaceRegions) -> None:
    plain = plain_skin(regions)
    if float((visibility * plain).sum()) < MIN_SEEN_SHARE_OF_FACE * float(plain.sum()):
        raise RelightifyError(
            "too_little_skin",
            "The photo shows too little of the face's skin.",
            "Use a photo in which hair, hands or glasses cover less of the face.",
        )


def _linear(srgb: np.ndarray) -> np.ndarray:
    return srgb_to_linear(srgb).astype(np.float32)
