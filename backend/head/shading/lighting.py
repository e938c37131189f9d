"""Light and coarse albedo that explain the skin's colours on a given shape."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from backend.head.parameters import FittedLightSettings
from backend.imaging.arrays import Array, average, is_tensor, like, namespace, to_host
from backend.imaging.channels import total
from backend.rendering.spherical_harmonics import LAMBERT_KERNEL, basis
from backend.side_by_side import each

SAMPLES_AT_ONCE = 2048  # whose derivatives the processor's cache holds
_KERNEL = LAMBERT_KERNEL / np.pi
_Y0 = float(basis(np.array([0.0, 0.0, 1.0]))[0])


def shading_basis(normals: Array) -> Array:
    """irradiance / pi of each of the 9 radiance harmonics for unit normals [..., 3]: [..., 9]."""
    return basis(normals) * like(_KERNEL, normals)


def shading_gradient(normals: Array) -> Array:
    """Derivative of `shading_basis` by the normal's components: [..., 9, 3]. Exact, the harmonics being quadratic."""
    columns = []
    for axis in like(np.eye(3), normals):
        ahead, behind = basis(normals + 0.5 * axis), basis(normals - 0.5 * axis)
        columns.append((ahead - behind) * like(_KERNEL, normals))
    return namespace(normals).stack(columns, axis=-1)


@dataclass(frozen=True)
class SkinSamples:
    """Skin seen in the photo, one row per sampled pixel.

    Args:
        colours: float [N, 3], linear RGB of the photo.
        contrast: float [N, 3], d(sRGB value) / d(linear value) there: turns linear residuals into visible ones.
        normals: float [N, 3], unit, head space.
        albedo_mean: float [N, 3], linear RGB.
        albedo_basis: float [N, 3, K].
        occlusion: float [N], part of the sky that the point sees.
        weights: float [N].
    """

    colours: Array
    contrast: Array
    normals: Array
    albedo_mean: Array
    albedo_basis: Array
    occlusion: Array
    weights: Array


@dataclass(frozen=True)
class Lighting:
    """Light and albedo coefficients.

    Args:
        light: float64 [9, 3], radiance harmonics, linear RGB, head space.
        albedo: float64 [K].
    """

    light: np.ndarray
    albedo: np.ndarray


def sample_albedo(samples: SkinSamples, lighting: Lighting) -> Array:
    """Albedo of the samples [N, 3], linear RGB, kept above 0.02."""
    modes = samples.albedo_basis.reshape(-1, len(lighting.albedo))
    own = (modes @ like(lighting.albedo, modes)).reshape(samples.albedo_mean.shape)
    return namespace(modes).maximum(samples.albedo_mean + own, 0.02)


def rendered(samples: SkinSamples, lighting: Lighting) -> Array:
    """Linear RGB [N, 3] of the samples: albedo * irradiance / pi * ambient occlusion."""
    by_light = shading_basis(samples.normals)
    shading = namespace(by_light).maximum(by_light @ like(lighting.light, by_light), 0.0)
    return sample_albedo(samples, lighting) * shading * samples.occlusion[:, None]


def residuals(samples: SkinSamples, lighting: Lighting) -> Array:
    """Rendering minus photo [N, 3] in sRGB values (to first order)."""
    return (rendered(samples, lighting) - samples.colours) * samples.contrast


def robust(residual: Array, weights: Array, scale: float) -> Array:
    """Weights [N] of iteratively reweighted least squares (Cauchy loss) for residuals [N, 3]."""
    return weights / (1 + total(residual**2) / 3 / scale**2)


def first_lighting(
    samples: SkinSamples,
    tone_modes: int,
    sigma: float,
    scale: float,
    effective: float,
    settings: FittedLightSettings = FittedLightSettings(),
) -> Lighting:
    """Light and albedo from nothing: overall tone first, then everything with the tone held near.

    Were all modes free at once, a dark albedo under a glaring light would explain hair, highlights and shadows best,
    because there the same modes make larger differences.

    Args:
        samples: the skin.
        tone_modes: how many leading albedo modes describe the overall tone.
        sigma, scale, effective: see `solve_lighting`.
    """
    xp = namespace(samples.colours)
    luminance = samples.colours.mean(axis=1)
    order = xp.argsort(luminance)
    cumulative = xp.cumsum(samples.weights[order], axis=0)
    median = float(luminance[order][xp.searchsorted(cumulative, 0.5 * cumulative[-1:])][0])
    dark, skin = settings.darker_than_skin
    trust = xp.clip((luminance / max(median, 1e-4) - dark) / (skin - dark), 0, 1)
    k = samples.albedo_basis.shape[-1]
    toned = replace(
        samples,
        albedo_basis=xp.concat([samples.albedo_basis[..., :tone_modes]]),  # in one piece
        weights=samples.weights * trust,
    )
    start = Lighting(np.repeat(np.array(settings.mean)[:, None], 3, axis=1) / _Y0, np.zeros(tone_modes))
    tone = solve_lighting(toned, start, 3, sigma, 10 * scale, settings.tone_samples, settings=settings)
    tone = solve_lighting(toned, tone, 8, sigma, 2 * scale, settings.tone_samples, settings=settings)
    start = Lighting(tone.light, np.concatenate([tone.albedo, np.zeros(k - tone_modes)]))
    return solve_lighting(samples, start, 4, sigma, scale, effective, settled=tone_modes, settings=settings)


def solve_lighting(
    samples: SkinSamples,
    start: Lighting,
    rounds: int,
    sigma: float,
    scale: float,
    effective: float,
    settled: int = 0,
    settings: FittedLightSettings = FittedLightSettings(),
) -> Lighting:
    """Robust Gauss-Newton for light and albedo together, with the assumptions above as Gaussian priors.

    Solved in turn instead, the two would creep along the valley in which dark skin and dim light trade places.

    Args:
        samples: the skin.
        start: where to begin.
        rounds: how many steps.
        sigma: standard deviation of what light and albedo cannot explain, sRGB values.
        scale: residuals of this size count half, sRGB values.
        effective: how many independent samples all of them are worth (neighbouring pixels err alike).
        settled: so many leading albedo modes stay within `settled_tone_sigma` of the start.
    """
    xp, k = namespace(samples.colours), samples.albedo_basis.shape[-1]
    lighting = start
    by_light = shading_basis(samples.normals) * samples.occlusion[:, None]
    prior, wanted = _light_prior(average(by_light, samples.weights + 1e-12), settings)
    albedo_mean, albedo_precision = np.zeros(k), np.ones(k)
    albedo_mean[:settled], albedo_precision[:settled] = start.albedo[:settled], settings.settled_tone_sigma**-2
    strength = effective / (3 * max(float(samples.weights.sum()), 1e-9) * sigma**2)
    # A device has no cache that would hold the pieces, and is asked less often.
    at_once = len(by_light) if is_tensor(by_light) else SAMPLES_AT_ONCE
    for _ in range(rounds):
        albedo = sample_albedo(samples, lighting)
        bright = xp.maximum(by_light @ like(lighting.light, by_light), 0.0)
        residual = (albedo * bright - samples.colours) * samples.contrast
        root = xp.sqrt(strength * robust(residual, samples.weights, scale))[:, None]
        seen = root * samples.contrast
        colour, shading, wrong = albedo * seen, bright * seen, root * residual
        hessian, gradient = np.zeros((27 + k, 27 + k)), np.zeros(27 + k)
        parts = [(c, slice(begin, begin + at_once)) for c in range(3) for begin in range(0, len(colour), at_once)]
        products = each(partial(_products, samples.albedo_basis, by_light, colour, shading, wrong), parts)
        for (c, _), (square, right) in zip(parts, products, strict=True):
            own = np.r_[9 * c : 9 * c + 9, 27 : 27 + k]
            hessian[np.ix_(own, own)] += square
            gradient[own] += right
        hessian[:27, :27] += prior
        hessian[27:, 27:] += np.diag(albedo_precision)
        gradient[:27] += prior @ lighting.light.T.reshape(-1) - wanted
        gradient[27:] += albedo_precision * (lighting.albedo - albedo_mean)
        step = np.linalg.solve(hessian, -gradient)
        lighting = Lighting(lighting.light + step[:27].reshape(3, 9).T, lighting.albedo + step[27:])
    return lighting


def _products(
    albedo_basis: Array,  # [N, 3, K]
    by_light: Array,  # [N, 9]
    colour: Array,  # [N, 3]
    shading: Array,  # [N, 3]
    wrong: Array,  # [N, 3]
    part: tuple[int, slice],
) -> tuple[np.ndarray, np.ndarray]:
    """What some samples add to a channel's normal equations: [9 + K, 9 + K] and [9 + K], of its own light and of the
    albedo, on which it depends.

    Args:
        part: the channel, and the samples.
    """
    c, rows = part
    by_albedo = albedo_basis[rows, c] * shading[rows, c : c + 1]
    jacobian = namespace(by_light).concat([by_light[rows] * colour[rows, c : c + 1], by_albedo], axis=1)
    return to_host(jacobian.T @ jacobian), to_host(jacobian.T @ wrong[rows, c])


def _light_prior(face: np.ndarray, settings: FittedLightSettings) -> tuple[np.ndarray, np.ndarray]:
    """Hessian [27, 27] and right-hand side [27] of the priors on the light, channel by channel.

    Args:
        face: float [9], mean over the face of what each harmonic makes of white skin.
    """
    gray = np.kron(np.full(3, 1 / 3), np.eye(9))  # mean over the channels of each order [9, 27]
    (mean, spread), sigma = settings.shading, np.array(settings.sigma)
    level = face @ gray / spread
    orders = gray * _Y0 / sigma[:, None]
    hessian = np.outer(level, level) + orders.T @ orders
    for c in range(3):
        own = np.zeros((9, 27))
        own[:, 9 * c : 9 * c + 9] = np.eye(9)
        deviation = (own - gray) * _Y0 / settings.colour_sigma
        hessian += deviation.T @ deviation
    return hessian, level * mean / spread + orders.T @ (np.array(settings.mean) / sigma)
