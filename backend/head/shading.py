"""Light and coarse albedo that explain the skin's colours on a given shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.rendering.spherical_harmonics import LAMBERT_KERNEL, basis

_KERNEL = LAMBERT_KERNEL / np.pi
_Y0 = float(basis(np.array([0.0, 0.0, 1.0]))[0])
# What is assumed of the light: a white surface that faces it is nearly as bright as the picture can show, it has one
# colour, and its higher orders are a part of its mean.
MEAN_SHADING = 0.75
LOG_SHADING_SIGMA = 0.25
LIGHT_CHROMA_SIGMA = 0.06
LIGHT_ORDER_SIGMA = np.array([0.6, 0.6, 0.6, 0.2, 0.2, 0.2, 0.2, 0.2])
LIGHT_COLOUR_SPREAD = 0.06


def shading_basis(normals: np.ndarray) -> np.ndarray:
    """irradiance / pi of each of the 9 radiance harmonics for unit normals [..., 3]: [..., 9]."""
    return basis(normals) * _KERNEL


def shading_gradient(normals: np.ndarray) -> np.ndarray:
    """Derivative of `shading_basis` by the normal's components: [..., 9, 3]. Exact, the harmonics being quadratic."""
    columns = []
    for axis in np.eye(3):
        ahead, behind = basis(normals + 0.5 * axis), basis(normals - 0.5 * axis)
        columns.append((ahead - behind) * _KERNEL)
    return np.stack(columns, axis=-1)


@dataclass(frozen=True)
class SkinSamples:
    """Skin seen in the photo, one row per sampled pixel.

    Args:
        colours: float [N, 3], linear RGB of the photo.
        contrast: float [N, 3], d(sRGB value) / d(linear value) there: turns linear residuals into visible ones.
        normals: float [N, 3], unit, head space.
        albedo_mean: float [N, 3], linear RGB.
        albedo_basis: float [K, N, 3].
        occlusion: float [N], part of the sky that the point sees.
        weights: float [N].
    """

    colours: np.ndarray
    contrast: np.ndarray
    normals: np.ndarray
    albedo_mean: np.ndarray
    albedo_basis: np.ndarray
    occlusion: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Lighting:
    """Light and albedo coefficients.

    Args:
        light: float64 [9, 3], radiance harmonics, linear RGB, head space.
        albedo: float64 [K].
    """

    light: np.ndarray
    albedo: np.ndarray


def sample_albedo(samples: SkinSamples, lighting: Lighting) -> np.ndarray:
    """Albedo of the samples [N, 3], linear RGB, kept above 0.02."""
    return np.maximum(samples.albedo_mean + np.tensordot(lighting.albedo, samples.albedo_basis, 1), 0.02)


def rendered(samples: SkinSamples, lighting: Lighting) -> np.ndarray:
    """Linear RGB [N, 3] of the samples: albedo * irradiance / pi * ambient occlusion."""
    shading = np.maximum(shading_basis(samples.normals) @ lighting.light, 0.0)
    return sample_albedo(samples, lighting) * shading * samples.occlusion[:, None]


def residuals(samples: SkinSamples, lighting: Lighting) -> np.ndarray:
    """Rendering minus photo [N, 3] in sRGB values (to first order)."""
    return (rendered(samples, lighting) - samples.colours) * samples.contrast


def robust(residual: np.ndarray, weights: np.ndarray, scale: float) -> np.ndarray:
    """Weights [N] of iteratively reweighted least squares (Cauchy loss) for residuals [N, 3]."""
    return weights / (1 + np.mean(residual**2, axis=1) / scale**2)


def solve_lighting(
    samples: SkinSamples, start: Lighting | None, rounds: int, sigma: float, scale: float, effective: float
) -> Lighting:
    """Robust Gauss-Newton for light and albedo together, with the assumptions above as Gaussian priors.

    Solved in turn instead, the two would creep along the valley in which dark skin and dim light trade places, and
    everybody's skin would stay near the mean that the solve begins with.

    Args:
        samples: the skin.
        start: where to begin; None begins from white, even light and the mean albedo.
        rounds: how many steps.
        sigma: standard deviation of what light and albedo cannot explain, sRGB values.
        scale: residuals of this size count half, sRGB values.
        effective: how many independent samples all of them are worth (neighbouring pixels err alike).
    """
    k = len(samples.albedo_basis)
    lighting = start or Lighting(_white_light(), np.zeros(k))
    by_light = shading_basis(samples.normals) * samples.occlusion[:, None]
    strength = effective / (3 * max(samples.weights.sum(), 1e-9) * sigma**2)
    for _ in range(rounds):
        residual = residuals(samples, lighting)
        weights = strength * robust(residual, samples.weights, scale)
        colour = sample_albedo(samples, lighting) * samples.contrast
        shading = np.maximum(by_light @ lighting.light, 0.0) * samples.contrast
        jacobian = np.zeros((3, len(by_light), 27 + k))
        for c in range(3):
            jacobian[c, :, 9 * c : 9 * c + 9] = by_light * colour[:, c : c + 1]
            jacobian[c, :, 27:] = (samples.albedo_basis[:, :, c] * shading[:, c]).T
        flat = jacobian.reshape(-1, 27 + k)
        weighted = flat * np.tile(weights, 3)[:, None]
        prior, wanted = _light_prior(lighting.light)
        hessian = weighted.T @ flat
        hessian[:27, :27] += prior
        hessian[27:, 27:] += np.eye(k)
        gradient = weighted.T @ residual.T.reshape(-1)
        gradient[:27] += prior @ lighting.light.T.reshape(-1) - wanted
        gradient[27:] += lighting.albedo
        step = np.linalg.solve(hessian, -gradient)
        lighting = Lighting(lighting.light + step[:27].reshape(3, 9).T, lighting.albedo + step[27:])
    return lighting


def _white_light() -> np.ndarray:
    light = np.zeros((9, 3))
    light[0] = MEAN_SHADING / _Y0
    return light


def _light_prior(previous: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hessian [27, 27] and right-hand side [27] of the priors on the light, channel by channel."""
    usual = MEAN_SHADING / _Y0
    # The spreads of the other terms are parts of the light's own level.
    level = max(float(previous[0].mean()), 0.1 * usual)
    gray = np.kron(np.full(3, 1 / 3), np.eye(9))  # mean over the channels of each order [9, 27]
    sigma_level = LOG_SHADING_SIGMA * usual
    hessian = np.outer(gray[0], gray[0]) / sigma_level**2
    orders = gray[1:] / (LIGHT_ORDER_SIGMA * level)[:, None]
    hessian += orders.T @ orders
    spread = np.full(9, LIGHT_COLOUR_SPREAD * level)
    spread[0] = LIGHT_CHROMA_SIGMA * level
    for c in range(3):
        own = np.zeros((9, 27))
        own[:, 9 * c : 9 * c + 9] = np.eye(9)
        deviation = (own - gray) / spread[:, None]
        hessian += deviation.T @ deviation
    return hessian, gray[0] * usual / sigma_level**2
