"""The colour of skin in a photo that shows none: what the joint Gaussian expects of it by its luminance."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from backend.imaging.arrays import to_host
from backend.imaging.colour import LUMINANCE, linear_to_srgb, srgb_to_linear
from backend.imaging.filters import masked_reduce
from backend.prior.channels import LINEAR
from backend.prior.linear.estimate import spread
from backend.prior.linear.factor_model import CoarsePrior
from backend.prior.linear.gaussian import GaussianObservation, condition, tempered
from backend.prior.parameters import EstimateSettings
from backend.texture.maps import PartialTexture


def coloured(
    prior: CoarsePrior, partial: PartialTexture, settings: EstimateSettings = EstimateSettings()
) -> PartialTexture:
    """The partial texture of a photo without colour, with the colour that its skin probably has.

    The luminance stays the photo's. Lips, brows and beard are coloured as in the faces that the prior knows and that
    look alike without colour: the conditional mean of the texture given its luminance (Tipping and Bishop 1999, eq. 9).
    On the host, wherever the texture is.

    Args:
        prior: the joint Gaussian.
        partial: what the photo shows, of any size; grey, or in shades of one colour as sepia is.
        settings: of the estimate.
    """
    linear = srgb_to_linear(to_host(partial.texture_srgb))
    luminance = linear @ LUMINANCE
    colour = _expected_colour(prior, linear, partial.visibility, settings)
    shown = cv2.resize(colour, luminance.shape[::-1], interpolation=cv2.INTER_LINEAR)
    # Where the photo is nearly white there is no room for colour.
    room = (1 - luminance) / np.maximum(luminance * (shown.max(-1) - 1), 1e-6)
    texture = luminance[..., None] * (1 + np.clip(room, 0, 1)[..., None] * (shown - 1))
    seen = partial.visibility[..., None] > 0
    return replace(partial, texture_srgb=(linear_to_srgb(texture) * seen).astype(np.float32))


def _expected_colour(
    prior: CoarsePrior, linear: np.ndarray, visibility: np.ndarray, settings: EstimateSettings
) -> np.ndarray:
    """Colour of luminance 1 of all skin, float32 [C, C, 3], given what was seen, linear [R, R, 3]."""
    reduced, weight = masked_reduce(linear, visibility, settings.side)
    texels = weight > settings.least_weight
    mean = prior.mean_maps(settings.side, LINEAR.texture)[texels]
    # To first order the log luminance is the mean of the log channels by what they contribute.
    share = np.exp(mean) * LUMINANCE
    share /= share.sum(-1, keepdims=True)
    factors = (prior.factor_maps(settings.side, LINEAR.texture) * spread(prior, settings))[texels]
    noise = prior.noise_maps(settings.side, LINEAR.texture)[texels]
    seen = GaussianObservation(
        np.log(np.maximum(reduced[texels] @ LUMINANCE, settings.darkest)),
        np.log(np.maximum(np.exp(mean) @ LUMINANCE, settings.darkest)),
        np.einsum("nc,nck->nk", share, factors),
        np.sum(share**2 * noise, axis=-1) + settings.texture_noise**2,
        weight[texels],
        np.ones((int(texels.sum()), 1)),
        np.array([settings.exposure_deviation**2]),
    )
    # A texel is worth as much as one channel of it in colour.
    posterior = condition(
        [tempered(seen, settings.texture_effective / 3)], prior.latents, settings=settings.conditioning
    )
    expected = np.exp(prior.maps_of(posterior.mean * spread(prior, settings), settings.colour_side, LINEAR.texture))
    return expected / np.maximum(expected @ LUMINANCE, settings.darkest)[..., None]
