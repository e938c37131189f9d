"""How large a photo may be, and what becomes of one that is larger than it is worked on."""

from __future__ import annotations

import logging
import math

import cv2
import numpy as np

from backend.photo.files.decoding_cost import MAX_DECODING_BYTES, MAX_WORKING_PIXELS
from backend.photo.files.file_errors import too_large
from shared.errors import RelightifyError

log = logging.getLogger(__name__)

MIN_SIDE_PX = 64
MAX_SIDE_PX = 32767


def check_size(width: int, height: int, decoding: int) -> None:
    if max(width, height) > MAX_SIDE_PX:
        raise RelightifyError(
            "photo_too_large",
            f"The photo has a side of {max(width, height)} pixels.",
            f"Cut the part with the face out; {MAX_SIDE_PX} pixels a side are the most that is read.",
        )
    if decoding > MAX_DECODING_BYTES:
        raise too_large()


def reduced(pixels: np.ndarray) -> np.ndarray:
    """Area-averaged down to `MAX_WORKING_PIXELS` where larger."""
    height, width = pixels.shape[:2]
    factor = math.sqrt(MAX_WORKING_PIXELS / (height * width))
    if factor >= 1:
        return pixels
    size = (max(round(width * factor), MIN_SIDE_PX), max(round(height * factor), MIN_SIDE_PX))
    log.info("The photo of %d x %d pixels is reduced to %d x %d.", width, height, *size)
    return cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
