"""Small pictures of maps, shown while a job runs."""

from __future__ import annotations

import cv2
import numpy as np

from backend.imaging.arrays import Array, to_host
from backend.imaging.octaves import reduce_to

SIDE_PX = 384


def map_preview(image_srgb: Array, weight: np.ndarray | None = None) -> np.ndarray:
    """A map float32 [R, R, 3], sRGB, as uint8 of at most `SIDE_PX` a side; dim grey where a weight [R, R] is 0."""
    side = min(SIDE_PX, image_srgb.shape[0])
    small = to_host(reduce_to(image_srgb, side))
    if weight is not None:
        shown = cv2.resize(weight, (side, side), interpolation=cv2.INTER_AREA)[..., None]
        small = small * shown + 0.13 * (1 - shown)
    return np.round(np.clip(small, 0, 1) * 255).astype(np.uint8)
