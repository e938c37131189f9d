"""Colour: sRGB and linear light, luminance, CIE Lab."""

from __future__ import annotations

import numpy as np

from backend.imaging.arrays import Array, gather, is_tensor, like, namespace

# Luminance of linear sRGB (Rec. 709).
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
# About the darkest linear value that 8 bits of sRGB tell from black; logarithms end here.
SMALLEST_LINEAR = 1.5e-3
# Linear sRGB to CIE XYZ (IEC 61966-2-1); its white is D65.
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = _TO_XYZ.sum(1)
_FROM_XYZ = np.linalg.inv(_TO_XYZ)


def srgb_to_linear(encoded: Array) -> Array:
    """sRGB-encoded values in [0, 1] to linear light in [0, 1] (IEC 61966-2-1), any shape."""
    xp = namespace(encoded)
    return xp.where(encoded <= 0.04045, encoded / 12.92, ((xp.maximum(encoded, 0.04045) + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear: Array) -> Array:
    """Linear light to sRGB-encoded values in [0, 1] (IEC 61966-2-1), any shape; values are clipped to [0, 1]."""
    xp = namespace(linear)
    linear = xp.clip(linear, 0.0, 1.0)
    # The power's slope at 0 is infinite: what the first branch takes must not reach it, for gradients.
    return xp.where(linear <= 0.0031308, linear * 12.92, 1.055 * xp.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055)


def luminance(linear: Array) -> Array:
    """Luminance [...] of linear colour float32 [..., 3], or of its logarithm or a difference of them."""
    weights = LUMINANCE.astype(np.float32)
    if is_tensor(linear):
        return sum(weight * linear[..., k] for k, weight in enumerate(weights.tolist()))
    return linear @ weights


def srgb_bytes_to_linear(encoded: Array) -> Array:
    """sRGB-encoded bytes to linear light float32 in [0, 1], any shape."""
    return gather(like(srgb_to_linear(np.arange(256) / 255).astype(np.float32), encoded), encoded)


def linear_to_lab(linear: np.ndarray) -> np.ndarray:
    """CIE 1976 Lab (D65, 2 degrees) float64 [..., 3] of linear sRGB [..., 3]."""
    t = (np.asarray(linear, np.float64) @ _TO_XYZ.T) / _WHITE
    f = np.where(t > (6 / 29) ** 3, np.cbrt(np.maximum(t, 1e-12)), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def lab_to_linear(lab: np.ndarray) -> np.ndarray:
    """Linear sRGB float64 [..., 3] of CIE Lab [..., 3]; colours outside of sRGB come out below 0 or above 1."""
    lab = np.asarray(lab, np.float64)
    fy = (lab[..., 0] + 16) / 116
    f = np.stack([fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200], axis=-1)
    t = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    return (t * _WHITE) @ _FROM_XYZ.T
