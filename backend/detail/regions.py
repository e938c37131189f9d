"""Parts of the face whose skin differs in its fine structure."""

from __future__ import annotations

from backend.imaging.arrays import Array, as_float32, namespace
from backend.texture.regions import FaceRegions

# `rest` is everything outside of the face: neck, ears, scalp.
SKIN_PARTS = ("forehead", "nose", "cheeks", "beard", "eyes", "lips", "rest")


def part_weights(regions: FaceRegions) -> Array:
    """Share of each of `SKIN_PARTS` in each texel, float32 [parts, R, R], adding up to 1 everywhere."""
    xp, face = namespace(regions.face), regions.face
    lips = regions.lips
    eyes = regions.eyes * (1 - lips)
    nose = regions.nose * (1 - xp.maximum(lips, eyes))
    left = 1 - xp.minimum(lips + eyes + nose, 1)
    beard = left * regions.beard * face
    forehead = (left - beard) * xp.minimum(regions.forehead, 1)
    cheeks = (left - beard - forehead) * face
    rest = left - beard - forehead - cheeks
    return as_float32(xp.maximum(xp.stack([forehead, nose, cheeks, beard, eyes, lips, rest]), 0))
