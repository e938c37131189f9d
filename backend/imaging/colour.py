"""Colour: sRGB and linear light, luminance."""

from __future__ import annotations

import numpy as np

# Luminance of linear sRGB (Rec. 709).
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
# About the darkest linear value that 8 bits of sRGB tell from black; logarithms end here.
SMALLEST_LINEAR = 1.5e-3


def srgb_to_linear(encoded: np.ndarray) -> np.ndarray:
    """sRGB-encoded values in [0, 1] to linear light in [0, 1] (IEC 61966-2-1), any shape."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((np.maximum(encoded, 0.04045) + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear light to sRGB-encoded values in [0, 1] (IEC 61966-2-1), any shape; values are clipped to [0, 1]."""
    linear = np.clip(linear, 0.0, 1.0)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055)
