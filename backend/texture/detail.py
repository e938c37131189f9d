"""Detail finer than the maps' working size: kept where the photo shows it, mirrored or continued where it does not."""

from __future__ import annotations

import cv2
import numpy as np

from backend.texture.scale_space import enlarge, masked_blur

LATTICE = 64
# Octaves of the continued detail: wavelengths in mm, halving. Coarser variation is not continued: it would look like
# blotches where there is nothing to say where they belong.
COARSEST_WAVELENGTH_MM = 6.0
# Continued detail is kept below what was measured, which has the photo's own noise in it, and below this.
CONTINUED_SHARE, STRONGEST = 0.7, 0.03
# Median absolute deviation to standard deviation, of a normal distribution.
MAD_TO_STD = 1.4826


def fine_residual(log_full: np.ndarray, log_reduced: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """What a reduction lost: log_full [R, R, 3] minus the enlarged log_reduced [B, B, 3], times weight [R, R]."""
    return (log_full - enlarge(log_reduced, log_full.shape[0])) * weight[..., None]


def band_deviations(
    log_image: np.ndarray,  # float32 [H, W, 3]
    weight: np.ndarray,  # float32 [H, W], plain seen skin
    texels_per_mm: float,
) -> list[tuple[float, np.ndarray]]:
    """Strength of the skin's detail by octave: (wavelength in mm, robust standard deviation [3] of log values)."""
    inside = weight > 0.9
    if np.count_nonzero(inside) < 100:
        return []
    result = []
    wavelength = COARSEST_WAVELENGTH_MM
    while wavelength * texels_per_mm >= 2.0:
        sigma = wavelength * texels_per_mm / 4
        band = masked_blur(log_image, weight, max(sigma / 2, 0.3)) - masked_blur(log_image, weight, sigma)
        result.append((wavelength, MAD_TO_STD * np.median(np.abs(band[inside]), axis=0)))
        wavelength /= 2
    return result


def solid_detail(
    points_mm: np.ndarray,  # float32 [n, 3], places on the mean head
    bands: list[tuple[float, np.ndarray]],
    seed: int,
) -> np.ndarray:
    """Random detail float32 [n, 3] in log values with the given strengths: solid noise, which knows no texture seam.

    Most of skin's detail is light and dark alike in all channels (relief, melanin), the rest is coloured (blood).
    Source: solid textures, Perlin, "An image synthesizer", 1985.
    """
    rng = np.random.default_rng(seed)
    total = np.zeros((len(points_mm), 3), np.float32)
    for wavelength, deviation in bands:
        lattices = rng.standard_normal((2, LATTICE, LATTICE, LATTICE)).astype(np.float32)
        # A lattice step is half a wavelength. Trilinear interpolation averages the noise down to about 0.54.
        at = points_mm / np.float32(wavelength / 2) + np.float32(17.3)
        common = _trilinear(lattices[0], at) / np.float32(0.54)
        strength = np.minimum(CONTINUED_SHARE * deviation, STRONGEST).astype(np.float32)
        total += common[:, None] * strength
        tint = _trilinear(lattices[1], at) / np.float32(0.54)
        total += tint[:, None] * (strength * np.array([0.1, -0.25, -0.25], np.float32))
    return total


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


def feather(weight: np.ndarray, texels: float) -> np.ndarray:
    """A weight [H, W] that falls to 0 over `texels` inside the border of where it is positive."""
    distance = cv2.distanceTransform((weight > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    return weight * np.clip(distance / max(texels, 1.0), 0, 1)
