"""The coarse estimate: conditional mean and uncertainty of all maps given what a photo shows (DESIGN section 6).

The joint Gaussian (`coarse_model`) is conditioned on two views of the same seen texels: the texture T_0 as it is, from
which the prior tells how much of its brightness and colour is skin and how much light; and the albedo that is left
when the photo's light, estimated on the fitted shape, is divided out. The first knows nothing of this head's shape and
this photo's light, the second nothing of absolute tone: its gain is a nuisance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.delight.delighting import DelightedTexture
from backend.delight.robust import robust_tone
from backend.delight.skin_tone import log_ratios
from backend.imaging.arrays import Array, like, namespace
from backend.imaging.filters import masked_reduce
from backend.prior.channels import LINEAR
from backend.prior.linear.factor_model import CoarsePrior
from backend.prior.linear.gaussian import CommonScale, GaussianObservation, Posterior, condition, tempered
from backend.prior.parameters import EstimateSettings
from backend.rendering.skin_model import SKIN
from backend.texture.regions import plain_skin


@dataclass(frozen=True)
class CoarseEstimate:
    """The prior's answer for one photo.

    Args:
        prior: whose latents they are.
        posterior: of the latents, in units of `spread`.
        gain: float64 [3], log gain of the delit albedo against the prior's absolute one.
        settings: with which it was found.
    """

    prior: CoarsePrior
    posterior: Posterior
    gain: np.ndarray
    settings: EstimateSettings = EstimateSettings()

    def maps(self, side: int) -> Array:
        """Conditional mean of the nine channels (`coarse_model`), float32 [side, side, 9]."""
        return self.prior.maps_of(self.posterior.mean * spread(self.prior, self.settings), side)

    def deviations(self, side: int = 64) -> np.ndarray:
        """Conditional standard deviations of the nine channels, float32 [side, side, 9]."""
        factors = self.prior.factor_maps(side) * spread(self.prior, self.settings)
        variance = self.posterior.variance(factors, self.prior.noise_maps(side))
        return np.sqrt(variance).astype(np.float32)

    def drawn(self, side: int, rng: np.random.Generator) -> Array:
        """Maps float32 [side, side, 9] of factors drawn from their posterior, without the texels' own noise."""
        return self.prior.maps_of(self.posterior.draw(rng) * spread(self.prior, self.settings), side)


def coarse_estimate(
    prior: CoarsePrior, seen: DelightedTexture, settings: EstimateSettings = EstimateSettings()
) -> CoarseEstimate:
    """Condition the prior on what was seen.

    Args:
        prior: the joint Gaussian.
        seen: what the photo shows, with and without its light. Its mean albedo, which knows more of the photo than
            its skin, is where the gain is expected; the estimate strays from it by about `gain_deviation`.
    """
    log_seen, weight = masked_reduce(seen.log_seen, seen.weight, settings.side)
    log_albedo, _ = masked_reduce(seen.log_albedo, seen.weight, settings.side)
    texels = weight > settings.least_weight
    mean = prior.mean_maps(settings.side)[texels]
    maps = prior.factor_maps(settings.side)
    factors = (maps * like(spread(prior, settings), maps))[texels]
    noise = prior.noise_maps(settings.side)[texels]
    texture = _observation(
        log_seen[texels] - like(strange_light(seen, settings), log_seen),
        mean,
        factors,
        noise + settings.texture_noise**2,
        weight[texels],
        LINEAR.texture,
        np.ones((3, 1)),
        settings.exposure_deviation,
    )
    usual_gain = seen.tone - np.log(seen.mean_albedo)
    albedo = _observation(
        log_albedo[texels] - like(usual_gain, log_albedo),
        mean,
        factors,
        noise + settings.albedo_noise**2,
        weight[texels],
        LINEAR.diffuse,
        np.eye(3),
        settings.gain_deviation,
    )
    uneven = CommonScale(prior.parity != 0, settings.asymmetry_degrees, most=settings.asymmetry**-2)
    posterior = condition(
        [tempered(texture, settings.texture_effective), tempered(albedo, settings.albedo_effective)],
        prior.latents,
        uneven if settings.even_sides else None,
        settings.conditioning,
    )
    return CoarseEstimate(prior, posterior, posterior.nuisance[1] + usual_gain, settings)


def strange_light(seen: DelightedTexture, settings: EstimateSettings = EstimateSettings()) -> np.ndarray:
    """What of the photo's light, by the split of light and skin, is of a stranger colour than light of the training's
    photographs: log ratios float64 [3] to its luminance, 0 in usual light.

    In such light the texture says nothing of the skin's colour that the split does not know better.
    """
    plain = seen.weight * plain_skin(seen.skin.regions)
    # What the surface reflects has the light's colour, and is much of what dark skin shows.
    light = np.exp(robust_tone(seen.log_seen, plain)[0]) / (seen.mean_albedo + SKIN.surface.of_skin)
    colour = log_ratios(light)
    return np.sign(colour) * np.maximum(np.abs(colour) - settings.usual_light, 0)


def spread(prior: CoarsePrior, settings: EstimateSettings = EstimateSettings()) -> np.ndarray:
    """Usual standard deviations float32 [K] of the latents in photographs, in those of the training."""
    uneven = settings.asymmetry if settings.even_sides else 1.0
    return np.where(prior.parity == 0, 1.0, uneven).astype(np.float32)


def _observation(
    values: Array,  # [n, 3]
    mean: Array,  # [n, 9]
    factors: Array,  # [n, 9, K]
    noise: Array,  # [n, 9]
    weight: Array,  # [n]
    channels: slice,
    gains: np.ndarray,  # [3, Q], log gains of the channels
    deviation: float,  # of each of the gains
) -> GaussianObservation:
    """All channels of a map as one observation, with free gains."""
    count = len(values)
    assert factors.shape[1] == LINEAR.total
    return GaussianObservation(
        values.reshape(-1),
        mean[:, channels].reshape(-1),
        factors[:, channels].reshape(3 * count, -1),
        noise[:, channels].reshape(-1),
        namespace(weight).broadcast_to(weight[:, None], (count, 3)).reshape(-1),
        like(np.tile(gains, (count, 1)), values),
        np.full(gains.shape[1], deviation**2),
    )
