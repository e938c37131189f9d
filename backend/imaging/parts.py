"""Connected parts of masks, and what is measured of each."""

from __future__ import annotations

import cv2
import numpy as np

from backend.imaging.arrays import Array, also_on_device


@also_on_device("parts")
def parts(mask: Array) -> tuple[Array, int]:
    """Connected parts of a bool mask [H, W], diagonals count: which of them each texel is of, int32 [H, W] from 1, 0
    outside; and how many there are. Their order is any."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    return np.asarray(labels, np.int32), count - 1


@also_on_device("parts")
def texels_of_parts(labels: Array, count: int) -> Array:
    """How many texels each of the parts has: int [1 + count]; the first number is of what is outside."""
    return np.bincount(labels.reshape(-1), minlength=count + 1)


@also_on_device("parts")
def largest_in_parts(labels: Array, count: int, values: Array) -> Array:
    """The largest of values float32 [H, W], none below 0, in each of the parts: float32 [1 + count], 0 outside."""
    found = np.zeros(count + 1, np.float32)
    at = np.flatnonzero(labels)
    np.maximum.at(found, labels.reshape(-1)[at], values.reshape(-1)[at])
    return found
