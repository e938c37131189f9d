"""Numbers in eight bits each, for the bases of priors."""

from __future__ import annotations

import numpy as np


def to_bytes(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers [..., n] as int8 and the largest magnitude of each row [...].

    The square root of the magnitude is what is rounded: high frequencies are far smaller than low ones and must keep
    some precision too.
    """
    peaks = np.maximum(np.abs(numbers).max(-1), 1e-12).astype(np.float32)
    share = numbers / peaks[..., None]
    return np.round(127 * np.sign(share) * np.sqrt(np.abs(share))).astype(np.int8), peaks


def from_bytes(codes: np.ndarray, peaks: np.ndarray) -> np.ndarray:
    """What `to_bytes` was given, float32 [..., n]."""
    share = codes.astype(np.float32) / np.float32(127)
    return np.sign(share) * np.square(share) * peaks[..., None]
