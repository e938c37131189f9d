"""The photo's light from the texture: robust least squares on self-shadowed order-2 spherical harmonics."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from backend.delight.parameters import LightSettings
from backend.imaging.arrays import Array, average, like, namespace, to_host, widened
from backend.imaging.colour import luminance as luminance_of
from backend.rendering.occlusion import sphere_directions
from backend.rendering.spherical_harmonics import MOST_DIRECTED, basis, is_realisable


def estimate_light(
    colour: Array,  # float32 [n, 3], linear
    transfer: Array,  # float32 [n, 9], see `backend.rendering.light_transfer`
    weight: Array,  # float32 [n]
    settings: LightSettings = LightSettings(),
) -> np.ndarray:
    """Light times mean albedo, float64 [9, 3], that explains the colours of skin of one albedo.

    Iteratively reweighted least squares on relative residuals. Residuals on the bright side count less far than those
    on the dark side: they are highlights, which a diffuse surface cannot make. Dividing by the skin's mean albedo
    gives the radiance of the light, up to the ambiguity between the two.

    Raises:
        ValueError: no sample has weight.
    """
    if not (weight > 0).any():
        raise ValueError("no texel to estimate the light from")
    xp = namespace(colour)
    luminance = widened(xp.maximum(luminance_of(colour), 1e-4))
    t = widened(transfer)
    base = np.zeros(9)
    base[0] = average(luminance, weight) / average(t[:, 0], weight)
    light = base.copy()
    robust = widened(weight)
    for _ in range(settings.iterations):
        predicted = xp.maximum(t @ like(light, t), 0.05 * base[0])
        residual = xp.log(luminance) - xp.log(predicted)
        scale = xp.where(residual > 0, settings.bright_side * settings.residual_scale, settings.residual_scale)
        robust = weight / xp.square(1 + xp.square(residual / scale))
        light = _ridge_solve(t, luminance, robust / xp.square(predicted), base, _by_order(settings.ridge), base[0])
    predicted = xp.maximum(t @ like(light, t), 0.05 * base[0])
    result = np.empty((9, 3))
    for channel in range(3):
        values = widened(colour[:, channel])
        tint = float(xp.sum(robust * values) / xp.sum(robust * predicted))
        row_weight = robust / xp.square(predicted * tint)
        result[:, channel] = _ridge_solve(
            t, values, row_weight, light * tint, _by_order(settings.colour_ridge), base[0] * tint
        )
    return result


def match_light(
    texture_linear: np.ndarray,  # float32 [n, 3]
    albedo_linear: np.ndarray,  # float32 [n, 3]
    transfer: np.ndarray,  # float32 [n, 9]
    weight: np.ndarray,  # float32 [n]
    initial: np.ndarray,  # [9, 3], where the ridge pulls to
    settings: LightSettings = LightSettings(),
) -> np.ndarray:
    """The light float32 [9, 3] under which the albedo looks like the texture, so that both fit together.

    Free coefficients may be those of no light: a face shows half the directions only, and for a flash the mean over
    all of them may come out negative. Then the best sum of soft lamps is taken, for all channels, so that what the
    face does not show of the light is of one colour.
    """
    t = transfer.astype(np.float64)
    ridge = settings.matched_ridge * _by_order(settings.ridge)
    systems = []
    for channel in range(3):
        albedo = np.maximum(albedo_linear[:, channel].astype(np.float64), 1e-3)
        values = texture_linear[:, channel].astype(np.float64) / albedo
        level = float(np.average(values, weights=weight))
        gain = level / max(float(np.average(t @ initial[:, channel], weights=weight)), 1e-6)
        centre = initial[:, channel] * gain
        row_weight = weight.astype(np.float64) / level**2
        systems.append((*_ridge_system(t, values, row_weight, centre, ridge, level), centre))
    result = np.stack([centre + np.linalg.solve(matrix, right) for matrix, right, centre in systems], axis=1)
    if not all(is_realisable(channel) for channel in result.T):
        result = np.stack([_of_lamps(*system, settings=settings) for system in systems], axis=1)
    return result.astype(np.float32)


def _of_lamps(matrix: np.ndarray, right: np.ndarray, centre: np.ndarray, settings: LightSettings) -> np.ndarray:
    """The light [9] of soft lamps all around that is the best one for a system of `_ridge_system`."""
    lamps = basis(sphere_directions(settings.lamps).astype(np.float64)).T
    lamps[1:] *= MOST_DIRECTED
    # With matrix = C C' the quadratic form is |C' (light - centre) - C^-1 right|^2.
    factor = np.linalg.cholesky(matrix)
    strengths, _ = nnls(factor.T @ lamps, factor.T @ centre + np.linalg.solve(factor, right))
    return lamps @ strengths


def _by_order(levels: tuple[float, float, float]) -> np.ndarray:
    """A level of each order for its coefficients, float64 [9]."""
    return np.repeat(np.array(levels), (1, 3, 5))


def _ridge_solve(
    t: Array, values: Array, weight: Array, centre: np.ndarray, ridge: np.ndarray, unit: float
) -> np.ndarray:
    """argmin sum w (t l - values)^2 + sum_k ridge_k W (l_k - centre_k)^2 / unit^2; W is the sum of relative weights."""
    matrix, right = _ridge_system(t, values, weight, centre, ridge, unit)
    return centre + np.linalg.solve(matrix, right)


def _ridge_system(
    t: Array, values: Array, weight: Array, centre: np.ndarray, ridge: np.ndarray, unit: float
) -> tuple[np.ndarray, np.ndarray]:
    """Normal equations of `_ridge_solve`, matrix [9, 9] and right side [9], for the difference to `centre`.

    On a device the products are of single precision; what is solved is of double precision everywhere.
    """
    xp, weighted = namespace(t), t * weight[:, None]
    # In relative units the weights are robust weights over squared values; their sum sets the scale of the ridge.
    total = float(xp.sum(weight * xp.square(values)))
    square = widened(to_host(weighted.T @ t))
    penalty = np.diag(ridge * total / unit**2 + 1e-9 * np.trace(square))
    return square + penalty, widened(to_host(weighted.T @ (values - t @ like(centre, t))))
