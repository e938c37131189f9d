"""The chosen numbers of fitting the priors; how they were found: coarse_prior.md and diffusion_prior.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LinearTraining:
    """The joint Gaussian and the albedo PCA.

    Args:
        darkest: linear level below which texels are hair or deep shadow, and only that counts.
        factors: of the joint Gaussian.
        albedo_components: a channel.
        power_iterations, oversampling: of the randomised SVD (Halko et al. 2011).
    """

    darkest: float = 4e-3
    factors: int = 100
    albedo_components: int = 100
    power_iterations: int = 3
    oversampling: int = 24


@dataclass(frozen=True)
class LatentSettings:
    """Statistics of the latents.

    Args:
        low: how many of each map's cosine coefficients along a side are correlated, in the order of eq. 7. Shading
            and tone move texture and diffuse albedo down to 3 cm; the other two maps vary more finely by themselves.
        factors: of the correlations.
        power_iterations, oversampling: of the randomised SVD (Halko et al. 2011).
        least_scale: of the channel's typical deviation, so that latents that hardly vary are not blown up; assumed.
        constant: deviation below which a channel is not used.
        least_variance: of whitened latents.
    """

    low: tuple[int, ...] = (32, 32, 12, 12)
    factors: int = 128
    power_iterations: int = 4
    oversampling: int = 24
    least_scale: float = 0.3
    constant: float = 1e-6
    least_variance: float = 1e-4
