"""Solid noise: detail that is a function of the place in space and knows no texture seam."""

from __future__ import annotations

import numpy as np

from backend.imaging.arrays import Array, as_float32, as_int32, empty, filled_with, gather, like, namespace
from backend.imaging.rows import pieces

LATTICE = 64
INTERPOLATED_DEVIATION = 0.54  # what trilinear interpolation leaves of a lattice's standard deviation of 1


def solid_noise(
    points_mm: Array,  # float32 [n, 3], places on the mean head
    wavelength_mm: float,
    seed: int,
) -> Array:
    """Random values float32 [n], standard deviation about 1, that vary over about `wavelength_mm`.

    Source: solid textures, Perlin, "An image synthesizer", 1985.
    """
    drawn = np.random.default_rng(seed).standard_normal((LATTICE, LATTICE, LATTICE)).astype(np.float32)
    lattice, turn = like(drawn, points_mm), like(_TURN, points_mm).T
    # A lattice step is half a wavelength; turned, so that its planes do not show.
    values = empty((len(points_mm),), points_mm)
    for part in pieces(len(points_mm), like=points_mm):
        at = points_mm[part] @ turn / float(np.float32(wavelength_mm / 2)) + 17.3
        values[part] = _trilinear(lattice, at) / INTERPOLATED_DEVIATION
    return values


_TURN = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]], np.float32)


def _trilinear(lattice: Array, at: Array) -> Array:
    """Values [n] of a periodic lattice [L, L, L] at points [n, 3] in lattice steps."""
    floor = namespace(at).floor(at)
    fraction = as_float32(at - floor)
    low = as_int32(floor) % LATTICE
    high = (low + 1) % LATTICE
    flat = lattice.reshape(-1)
    x = (low[:, 0] * LATTICE * LATTICE, high[:, 0] * LATTICE * LATTICE)
    y = (low[:, 1] * LATTICE, high[:, 1] * LATTICE)
    z = (low[:, 2], high[:, 2])
    wx, wy, wz = ((1 - fraction[:, k], fraction[:, k]) for k in range(3))
    total = filled_with(0, (len(at),), at)
    for i in range(2):
        for j in range(2):
            xy, weight = x[i] + y[j], wx[i] * wy[j]
            total += weight * (wz[0] * gather(flat, xy + z[0]) + wz[1] * gather(flat, xy + z[1]))
    return total
