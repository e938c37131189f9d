"""Solid noise: detail that is a function of the place in space and knows no texture seam."""

from __future__ import annotations

import numpy as np

from backend.imaging.rows import pieces

LATTICE = 64
INTERPOLATED_DEVIATION = 0.54  # what trilinear interpolation leaves of a lattice's standard deviation of 1


def solid_noise(
    points_mm: np.ndarray,  # float32 [n, 3], places on the mean head
    wavelength_mm: float,
    seed: int,
) -> np.ndarray:
    """Random values float32 [n], standard deviation about 1, that vary over about `wavelength_mm`.

    Source: solid textures, Perlin, "An image synthesizer", 1985.
    """
    lattice = np.random.default_rng(seed).standard_normal((LATTICE, LATTICE, LATTICE)).astype(np.float32)
    # A lattice step is half a wavelength; turned, so that its planes do not show.
    values = np.empty(len(points_mm), np.float32)
    for part in pieces(len(points_mm)):
        at = points_mm[part] @ _TURN.T / np.float32(wavelength_mm / 2) + np.float32(17.3)
        values[part] = _trilinear(lattice, at) / np.float32(INTERPOLATED_DEVIATION)
    return values


_TURN = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]], np.float32)


def _trilinear(lattice: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Values [n] of a periodic lattice [L, L, L] at points [n, 3] in lattice steps."""
    floor = np.floor(at)
    fraction = (at - floor).astype(np.float32)
    low = floor.astype(np.int32) % LATTICE
    high = (low + 1) % LATTICE
    flat = lattice.reshape(-1)
    x = (low[:, 0] * LATTICE * LATTICE, high[:, 0] * LATTICE * LATTICE)
    y = (low[:, 1] * LATTICE, high[:, 1] * LATTICE)
    z = (low[:, 2], high[:, 2])
    wx, wy, wz = ((1 - fraction[:, k], fraction[:, k]) for k in range(3))
    total = np.zeros(len(at), np.float32)
    for i in range(2):
        for j in range(2):
            xy, weight = x[i] + y[j], wx[i] * wy[j]
            total += weight * (wz[0] * flat[xy + z[0]] + wz[1] * flat[xy + z[1]])
    return total
