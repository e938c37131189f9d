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
from backend.imaging.filters import masked_reduce
from backend.prior.channels import LINEAR
from backend.prior.linear.factor_model import CoarsePrior
from backend.prior.linear.gaussian import CommonScale, GaussianObservation, Posterior, condition, tempered

SIDE = 64  # texels a side at which the system is solved
# What all seen texels together are worth, in independent ones.
TEXTURE_EFFECTIVE, ALBEDO_EFFECTIVE = 300.0, 50.0
# Standard deviations of what the prior does not know: other cameras, errors of the light.
TEXTURE_NOISE, ALBEDO_NOISE = 0.15, 0.06
# Log exposure against the training's photographs, and log gain per channel against the classical split of light and
# skin: chosen on pictures of training people.
EXPOSURE_DEVIATION, GAIN_DEVIATION = 0.4, 0.05
# Standard deviation of the antisymmetric latents: photographed light is more even than the training's random lights,
# and where only one side was seen the other had better look like it. Some faces are lit from one side, though: the
# degrees of freedom say how soon a photo that shows so overrules it, up to the training's own deviation.
ASYMMETRY, ASYMMETRY_DEGREES = 0.15, 5.0
MIN_WEIGHT = 0.05
UNCERTAINTY_SIDE = 64


@dataclass(frozen=True)
class CoarseEstimate:
    """The prior's answer for one photo.

    Args:
        prior: whose latents they are.
        posterior: of the latents, in units of `spread`.
        gain: float64 [3], log gain of the delit albedo against the prior's absolute one.
    """

    prior: CoarsePrior
    posterior: Posterior
    gain: np.ndarray

    def maps(self, side: int) -> np.ndarray:
        """Conditional mean of the nine channels (`coarse_model`), float32 [side, side, 9]."""
        return self.prior.maps_of(self.posterior.mean * spread(self.prior), side)

    def deviations(self, side: int = UNCERTAINTY_SIDE) -> np.ndarray:
        """Conditional standard deviations of the nine channels, float32 [side, side, 9]."""
        factors = self.prior.factor_maps(side) * spread(self.prior)
        variance = self.posterior.variance(factors, self.prior.noise_maps(side))
        return np.sqrt(variance).astype(np.float32)


def coarse_estimate(prior: CoarsePrior, seen: DelightedTexture) -> CoarseEstimate:
    """Condition the prior on what was seen.

    Args:
        prior: the joint Gaussian.
        seen: what the photo shows, with and without its light. Its mean albedo, which knows more of the photo than
            its skin, is where the gain is expected; the estimate strays from it by about `GAIN_DEVIATION`.
    """
    log_seen, weight = masked_reduce(seen.log_seen, seen.weight, SIDE)
    log_albedo, _ = masked_reduce(seen.log_albedo, seen.weight, SIDE)
    texels = weight > MIN_WEIGHT
    mean, factors = prior.mean_maps(SIDE)[texels], (prior.factor_maps(SIDE) * spread(prior))[texels]
    noise = prior.noise_maps(SIDE)[texels]
    # Texels in highlights say less of the albedo.
    dull = 1 - masked_reduce(seen.shine[..., None], seen.weight, SIDE)[0][texels][..., 0]
    texture = _observation(
        log_seen[texels],
        mean,
        factors,
        noise + TEXTURE_NOISE**2,
        weight[texels],
        LINEAR.texture,
        np.ones((3, 1)),
        EXPOSURE_DEVIATION,
    )
    usual_gain = seen.tone - np.log(seen.mean_albedo)
    albedo = _observation(
        log_albedo[texels] - usual_gain,
        mean,
        factors,
        noise + ALBEDO_NOISE**2,
        weight[texels] * np.square(dull),
        LINEAR.diffuse,
        np.eye(3),
        GAIN_DEVIATION,
    )
    posterior = condition(
        [tempered(texture, TEXTURE_EFFECTIVE), tempered(albedo, ALBEDO_EFFECTIVE)],
        prior.latents,
        CommonScale(prior.parity != 0, ASYMMETRY_DEGREES, most=ASYMMETRY**-2),
    )
    return CoarseEstimate(prior, posterior, posterior.nuisance[1] + usual_gain)


def spread(prior: CoarsePrior) -> np.ndarray:
    """Usual standard deviations float32 [K] of the latents in photographs, in those of the training."""
    return np.where(prior.parity == 0, 1.0, ASYMMETRY).astype(np.float32)


def _observation(
    values: np.ndarray,  # [n, 3]
    mean: np.ndarray,  # [n, 9]
    factors: np.ndarray,  # [n, 9, K]
    noise: np.ndarray,  # [n, 9]
    weight: np.ndarray,  # [n]
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
        np.repeat(weight, 3),
        np.tile(gains, (count, 1)),
        np.full(gains.shape[1], deviation**2),
    )
