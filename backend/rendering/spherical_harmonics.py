"""Light as real spherical harmonics of order 2 in head space, and as the environment image that Blender takes.

A light is an array float [9, 3]: linear RGB coefficients of the incoming radiance L(w) = sum_k l_k Y_k(w), where w
points from the head to the light, in head space (+x the subject's left, +y up, +z out of the face). The order is that
of Ramamoorthi and Hanrahan, "An efficient representation for irradiance environment maps", SIGGRAPH 2001, equation 3:
Y_00; Y_1-1 (y), Y_10 (z), Y_11 (x); Y_2-2 (xy), Y_2-1 (yz), Y_20 (3z^2 - 1), Y_21 (xz), Y_22 (x^2 - y^2).
"""

from __future__ import annotations

import numpy as np

from backend.imaging.arrays import Array, namespace

COEFFICIENTS = 9
# A_l of equation 8 there: what the clamped cosine leaves of each order.
LAMBERT_KERNEL = np.array([np.pi] + [2 * np.pi / 3] * 3 + [np.pi / 4] * 5)
LAMBERT_KERNEL.setflags(write=False)

_Y0, _Y1, _Y2, _Y20, _Y22 = 0.28209479, 0.48860251, 1.09254843, 0.31539157, 0.54627422
# How far a coefficient may give way to keep the light smooth: lamps as soft as order 2 can show err by under 1 %.
_RIDGE = 5e-3
# A point lamp has |l_1| = sqrt(3) l_0 and |l_2| = sqrt(5) l_0, no light has more; up to this part of that is allowed.
MOST_DIRECTED = 0.8
_NEWTON_STEPS = 60
_MIN_MEAN_RADIANCE = 1e-4


def basis(directions: Array) -> Array:
    """The nine harmonics at unit directions [..., 3] in head space: [..., 9]."""
    xp = namespace(directions)
    x, y, z = (directions[..., axis] for axis in range(3))
    values = (
        *(xp.full_like(x, _Y0), _Y1 * y, _Y1 * z, _Y1 * x),
        *(_Y2 * x * y, _Y2 * y * z, _Y20 * (3 * z * z - 1), _Y2 * x * z, _Y22 * (x * x - y * y)),
    )
    return xp.stack(values, axis=-1)


def rotation_matrix(rotation: np.ndarray) -> np.ndarray:
    """float64 [9, 9] that turns harmonics: basis(w @ rotation.T) = basis(w) @ matrix, for a rotation [3, 3].

    So a light l given in the turned frame (its w' = rotation w) shows transfer @ matrix @ l, by the transfer of this
    frame. Exact: rotations map each order onto itself, so that a few directions determine the matrix.
    """
    index = np.arange(64) + 0.5
    height, turn = 1 - 2 * index / 64, index * np.pi * (3 - np.sqrt(5))
    radius = np.sqrt(1 - height**2)
    directions = np.stack([radius * np.cos(turn), radius * np.sin(turn), height], axis=1)
    return np.linalg.lstsq(basis(directions), basis(directions @ np.asarray(rotation, np.float64).T), rcond=None)[0]


def irradiance(normals: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Irradiance [..., 3] on surfaces with unit normals [..., 3], linear RGB (their equation 9).

    A Lambertian surface of albedo a shows a * irradiance / pi. Not clamped: a light estimated from half the directions
    may turn negative in the others.

    Args:
        normals: unit vectors in head space.
        light: radiance coefficients [9, 3].
    """
    return basis(normals) @ (LAMBERT_KERNEL[:, None] * light)


def is_realisable(coefficients: np.ndarray) -> bool:
    """Whether some light that is nowhere negative may have these coefficients [9], and is no harder than allowed."""
    mean = coefficients[0] * MOST_DIRECTED
    bands = ((1, coefficients[1:4]), (2, coefficients[4:9]))
    return bool(mean > 0 and all(np.linalg.norm(band) <= mean * np.sqrt(2 * order + 1) for order, band in bands))


def project_radiance(directions: np.ndarray, radiance: np.ndarray, solid_angle: np.ndarray) -> np.ndarray:
    """Coefficients float64 [9, 3] of a radiance [n, 3] known in n directions [n, 3] with solid angles [n]."""
    return np.einsum("nk,nc,n->kc", basis(directions), radiance, solid_angle, optimize=True)


def environment_directions(height: int) -> np.ndarray:
    """Directions float64 [H, 2H, 3] in head space of the pixels of an equirectangular image for Blender's world.

    Blender looks a direction (x, y, z) up at u = 1/2 - atan2(y, x) / 2 pi, v = 1/2 + asin(z) / pi; head space goes to
    Blender as (x, -z, y), so the image's middle lies to the subject's left and the face looks at u = 3/4. Row 0 is the
    top.
    """
    azimuth = (0.5 - (np.arange(2 * height) + 0.5) / (2 * height)) * 2 * np.pi
    elevation = (0.5 - (np.arange(height) + 0.5) / height) * np.pi
    x = np.cos(elevation)[:, None] * np.cos(azimuth)
    y = np.cos(elevation)[:, None] * np.sin(azimuth)
    z = np.broadcast_to(np.sin(elevation)[:, None], x.shape)
    return np.stack([x, z, -y], axis=-1)


def environment_solid_angles(height: int) -> np.ndarray:
    """Solid angle float64 [H, 2H] of each pixel of such an image; they sum to 4 pi."""
    edges = np.sin((0.5 - np.arange(height + 1) / height) * np.pi)
    rows = (edges[:-1] - edges[1:]) * (np.pi / height)
    return np.repeat(rows[:, None], 2 * height, axis=1)


def environment_map(light: np.ndarray, height: int = 64) -> np.ndarray:
    """A positive environment image that lights matt surfaces as `light` does.

    Order-2 light as it stands is negative in places. Of all positive lights with the same coefficients this is the one
    of greatest entropy, exp(sum_k a_k Y_k), one channel at a time; its irradiance is that of `light`, except where
    no positive light has these coefficients: then it is as directed as a smooth light can be, and as bright for a
    surface that faces straight ahead.

    Args:
        light: radiance coefficients [9, 3], linear RGB.
        height: rows of the image.

    Returns:
        float32 [height, 2 height, 3], linear radiance, in the layout of `shared.head_mesh.HeadMesh.environment`.
    """
    values = basis(environment_directions(height)).reshape(-1, COEFFICIENTS)
    solid_angle = environment_solid_angles(height).ravel()
    channels = [_entropy_light(np.asarray(light, np.float64)[:, c], values, solid_angle) for c in range(3)]
    image = np.stack(channels, axis=-1)
    # Where no positive light is as directed as the coefficients say, the face must not get darker for it: what a
    # surface that faces straight ahead receives is kept.
    ahead = np.array([0.0, 0.0, 1.0])
    falling = np.maximum(environment_directions(height).reshape(-1, 3) @ ahead, 0.0) * solid_angle
    wanted = irradiance(ahead, np.asarray(light, np.float64))
    image = image * np.clip(wanted / np.maximum(falling @ image, 1e-9), 0.5, 4.0)
    return image.reshape(height, 2 * height, 3).astype(np.float32)


def _entropy_light(coefficients: np.ndarray, values: np.ndarray, solid_angle: np.ndarray) -> np.ndarray:
    """Positive radiance [n] in directions with basis values [n, 9] that has the given coefficients [9].

    Newton's method on the dual of the entropy problem, which is convex: integral exp(a.Y) - a.c + ridge |a|^2 / 2.
    """
    # The mean radiance is taken out, so that the ridge means the same in a dim light.
    mean = max(float(coefficients[0]) * _Y0, _MIN_MEAN_RADIANCE)
    target = coefficients / mean
    target[0] = 1 / _Y0
    for order, band in ((1, slice(1, 4)), (2, slice(4, 9))):
        most = MOST_DIRECTED * np.sqrt(2 * order + 1) * target[0]
        target[band] *= min(1.0, most / max(float(np.linalg.norm(target[band])), most))
    ridge = _RIDGE / _Y0 * np.array([0.0] + [1.0] * 8)

    def dual(a: np.ndarray) -> float:
        return float(np.exp(np.minimum(values @ a, 50.0)) @ solid_angle - a @ target + ridge @ (a * a) / 2)

    a = np.zeros(COEFFICIENTS)
    value = dual(a)
    for _ in range(_NEWTON_STEPS):
        weight = np.exp(values @ a) * solid_angle
        gradient = weight @ values - target + ridge * a
        hessian = (values * weight[:, None]).T @ values + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient)
        decrease = float(gradient @ step)
        if decrease < 1e-12:
            break
        size = 1.0
        while (next_value := dual(a - size * step)) > value - 0.25 * size * decrease and size > 1e-6:
            size /= 2
        a, value = a - size * step, next_value
    return mean * np.exp(values @ a)
