"""Light and skin of what the photos show taken apart, the same for every prior (DESIGN section 6).

The light is of order 2 on the fitted head, with its own shadows. What it cannot explain is taken off afterwards:
highlights, folds and broad shading that a fitted shape does not have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.delight.corrections import even_out, limit_bright, soften_bright, soften_dark
from backend.delight.highlights import highlights
from backend.delight.light import estimate_light
from backend.delight.parameters import DelightParameters, LightSettings
from backend.delight.robust import robust_tone
from backend.delight.skin_tone import plausible_tone
from backend.delight.trust import trusted
from backend.imaging.colour import LUMINANCE, SMALLEST_LINEAR, srgb_to_linear
from backend.imaging.filters import masked_reduce
from backend.photo.white_cue import WhiteCue
from backend.rendering.light_transfer import shading
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture
from backend.texture.regions import FaceRegions, plain_skin
from shared.errors import RelightifyError


@dataclass(frozen=True)
class DelightedTexture:
    """What was seen of the skin, with and without its light.

    Args:
        skin: whose skin, on which texels: R x R of the maps, B x B at the working size.
        partial: what the photos show, R x R.
        log_seen: float32 [B, B, 3], the texture before any change, natural logarithm of linear colour; counts where
            `weight` > 0.
        log_albedo: float32 [B, B, 3], natural logarithm of the linear diffuse albedo up to a gain.
        log_shading: float32 [B, B, 3], light times mean albedo everywhere on the skin, up to the same gain.
        weight: float32 [B, B] in [0, 1], trust: 1 = seen and skin.
        shine: float32 [B, B] in [0, 1], share of the seen light that was specular.
        tone: float64 [3], median of `log_albedo` on plain skin.
        mean_albedo: float64 [3], linear, what that tone probably is: the split of what was seen into light and skin,
            which one photo leaves open.
    """

    skin: FittedSkin
    partial: PartialTexture
    log_seen: np.ndarray
    log_albedo: np.ndarray
    log_shading: np.ndarray
    weight: np.ndarray
    shine: np.ndarray
    tone: np.ndarray
    mean_albedo: np.ndarray


def delight(
    partial: PartialTexture,
    skin: FittedSkin,
    white: WhiteCue | None = None,
    tone_stops: float = 0.0,
    parameters: DelightParameters = DelightParameters(),
) -> DelightedTexture:
    """The albedo of what was seen: light and highlights taken out, broad leftovers of shading evened out.

    Args:
        partial: what the photos show, R x R texels of `skin`.
        skin: the fitted head's skin.
        white: how bright the light is by the white of the eyes, None where they do not tell.
        tone_stops: by how many stops the skin is to be lighter than estimated.
        parameters: the stage's chosen numbers.

    Raises:
        RelightifyError: ``too_little_skin`` where next to nothing of the face was seen.
    """
    regions = skin.regions
    linear = srgb_to_linear(partial.texture_srgb).astype(np.float32)
    texture, visibility = masked_reduce(linear, partial.visibility, skin.working.resolution)
    _check_seen(visibility, regions, parameters.least_seen)
    transfer = skin.working.interpolate(skin.transfer)
    plain = plain_skin(regions)
    shiny, chosen = parameters.highlights, parameters.corrections

    light = _robust_light(texture, transfer, visibility * plain, parameters.light)  # light x mean albedo
    shaded = shading(transfer, light)
    log_seen = np.log(np.maximum(texture, SMALLEST_LINEAR))
    weight = trusted(log_seen - np.log(shaded), visibility, regions, parameters.trust)
    light = _robust_light(texture, transfer, weight * plain, parameters.light)
    shaded = shading(transfer, light)

    specular = highlights(texture, shaded, weight, regions, shiny)
    if not shiny.removed:
        specular = np.zeros_like(specular)
    diffuse = np.maximum(texture - shiny.share * specular[..., None], shiny.least_left * texture)
    log_albedo = np.log(np.maximum(diffuse, SMALLEST_LINEAR)) - np.log(shaded)
    shine = np.clip(specular / np.maximum(texture @ LUMINANCE, SMALLEST_LINEAR), 0, 1)
    if chosen.soften_bright:
        log_albedo = soften_bright(log_albedo, weight, regions, chosen)
    if chosen.even_out:
        log_albedo = even_out(log_albedo, weight, regions, chosen)
    if chosen.soften_dark:
        log_albedo = soften_dark(log_albedo, weight, regions, chosen)
    if chosen.limit_bright:
        log_albedo = limit_bright(log_albedo, weight, regions, chosen)

    tone, _ = robust_tone(log_albedo, weight * plain)
    # Split light and skin; what is albedo now was relative to the mean.
    log_shading = np.log(shaded)
    plain_level, _ = robust_tone(log_shading, weight * plain)
    if not parameters.skin_tone.white_cue:
        white = None
    mean_albedo = plausible_tone(np.exp(tone + plain_level), white, tone_stops, parameters.skin_tone)
    return DelightedTexture(skin, partial, log_seen, log_albedo, log_shading, weight, shine, tone, mean_albedo)


def _robust_light(texture: np.ndarray, transfer: np.ndarray, weight: np.ndarray, settings: LightSettings) -> np.ndarray:
    """`estimate_light` on a regular sample of the weighted texels."""
    inside = np.flatnonzero(weight > 0.3)
    picked = inside[:: max(1, len(inside) // settings.samples)]
    return estimate_light(
        texture.reshape(-1, 3)[picked], transfer.reshape(-1, 9)[picked], weight.reshape(-1)[picked], settings
    )


def _check_seen(visibility: np.ndarray, regions: FaceRegions, least: float) -> None:
    plain = plain_skin(regions)
    if float((visibility * plain).sum()) < least * float(plain.sum()):
        raise RelightifyError(
            "too_little_skin",
            "The photo shows too little of the face's skin.",
            "Use a photo in which hair, hands or glasses cover less of the face.",
        )
