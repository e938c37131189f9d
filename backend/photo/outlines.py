"""Outlines of landmarks as masks of an image."""

from __future__ import annotations

import cv2
import numpy as np


def disc(radius: float) -> np.ndarray:
    """Kernel of a disc of this radius in pixels, at least 1."""
    side = 2 * max(round(radius), 1) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def inside(points: np.ndarray, indices: tuple[int, ...], shape: tuple[int, ...], grow_px: float = 0.0) -> np.ndarray:
    """What an outline encloses, grown or shrunk by so many pixels, bool [h, w].

    Args:
        points: [478, 2], landmarks in pixels.
        indices: those of the outline, in order around it.
        shape: h, w and more of the image.
        grow_px: negative shrinks; less than half a pixel does nothing.
    """
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(points[list(indices)] * 16).astype(np.int32)], 1, shift=4)
    if abs(grow_px) >= 0.5:
        mask = (cv2.dilate if grow_px > 0 else cv2.erode)(mask, disc(abs(grow_px)))
    return mask.astype(bool)


def hull(points: np.ndarray, indices: tuple[int, ...], shape: tuple[int, ...], grow_px: float = 0.0) -> np.ndarray:
    """The convex hull of some landmarks, grown by so many pixels, bool [h, w]; as for `inside`."""
    around = cv2.convexHull(points[list(indices)].astype(np.float32))[:, 0]
    area = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(area, np.round(around).astype(np.int32), 1)
    return (cv2.dilate(area, disc(grow_px)) if grow_px >= 0.5 else area) > 0
