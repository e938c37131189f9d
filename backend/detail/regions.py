"""Parts of the face whose skin differs in its fine structure."""

from __future__ import annotations

import numpy as np

from backend.texture.regions import FaceRegions

# `rest` is everything outside of the face: neck, ears, scalp.
SKIN_PARTS = ("forehead", "nose", "cheeks", "beard", "eyes", "lips", "rest")


def part_weights(regions: FaceRegions) -> np.ndarray:
    """Share of each of `SKIN_PARTS` in each texel, float32 [parts, R, R], adding up to 1 everywhere."""
    face = regions.face
    lips = regions.lips
    eyes = regions.eyes * (1 - lips)
    nose = regions.nose * (1 - np.maximum(lips, eyes))
    left = 1 - np.minimum(lips + eyes + nose, 1)
    beard = left * regions.beard * face
    forehead = (left - beard) * np.minimum(regions.forehead, 1)
    cheeks = (left - beard - forehead) * face
    rest = left - beard - forehead - cheeks
    return np.maximum(np.stack([forehead, nose, cheeks, beard, eyes, lips, rest]), 0).astype(np.float32)
