"""The white of the eyes as a cue to how bright the photo's light is, and of what colour."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.head.landmark_groups import EYE_LEFT, EYE_RIGHT, IRIS_LEFT, IRIS_RIGHT, interocular_px
from backend.photo.reading import Photo, srgb_to_linear

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
# What the brighter quarter of the sclera shows of the light on the face: its own reflectance times what lids and lashes
# leave of the light. Measured on the training portraits; it scatters by a third from person to person.
EFFECTIVE_LUMINANCE = 0.33
EFFECTIVE_COLOUR = np.array([1.15, 1.0, 0.95])  # relative to green
FEWEST_PIXELS = 60
# Open eyes show this much sclera, as a share of the squared distance of the outer eye corners.
USUAL_AREA = 0.010


@dataclass(frozen=True)
class WhiteCue:
    """What a white surface in the face's light would show in the photo, as far as the eyes tell.

    Args:
        level: float64 [3], linear RGB.
        confidence: 0 to 1; narrow, small or shaded eyes tell less.
    """

    level: np.ndarray
    confidence: float


def sclera_cue(photo: Photo, landmarks_px: np.ndarray) -> WhiteCue | None:
    """The light on the face by the white of the eyes; None where too little of it is seen.

    Args:
        landmarks_px: float64 [478, 2].
    """
    colours = np.concatenate(
        [
            _sclera_pixels(photo, landmarks_px[list(lids)], landmarks_px[list(iris)])
            for lids, iris in ((EYE_LEFT, IRIS_LEFT), (EYE_RIGHT, IRIS_RIGHT))
        ]
    )
    if len(colours) < FEWEST_PIXELS:
        return None
    brightness = colours @ LUMINANCE
    # Catch-lights and the wet rim are the brightest, corners and lashes' shadows the dark half.
    middle = (brightness >= np.quantile(brightness, 0.6)) & (brightness <= np.quantile(brightness, 0.92))
    colour = np.median(colours[middle], axis=0)
    level = float(np.quantile(brightness, 0.75)) / EFFECTIVE_LUMINANCE
    white = np.maximum(colour / EFFECTIVE_COLOUR, 1e-4)
    area = len(colours) / interocular_px(landmarks_px) ** 2
    confidence = min(1.0, area / USUAL_AREA) * min(1.0, len(colours) / (5 * FEWEST_PIXELS))
    if float(np.median(colours[middle].max(axis=1))) > 0.97:
        return None  # burnt out: only a lower bound
    return WhiteCue(white * (level / float(white @ LUMINANCE)), confidence)


def _sclera_pixels(photo: Photo, lids: np.ndarray, iris: np.ndarray) -> np.ndarray:
    """Linear colours float64 [n, 3] of the pixels between the lids, off their border and outside the iris."""
    low, high = np.floor(lids.min(0) - 2).astype(int), np.ceil(lids.max(0) + 3).astype(int)
    if (low < 0).any() or high[0] > photo.width or high[1] > photo.height:
        return np.zeros((0, 3))
    patch = srgb_to_linear(photo.image_srgb[low[1] : high[1], low[0] : high[0]] / 255.0)
    radius = float(np.median(np.linalg.norm(iris[1:] - iris[0], axis=1)))
    opening = np.zeros(patch.shape[:2], np.uint8)
    cv2.fillPoly(opening, [np.round((lids - low) * 16 - 8).astype(np.int32)], 255, shift=4)
    margin = max(1, round(0.12 * radius))
    opening = cv2.erode(opening, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
    y, x = np.mgrid[low[1] : high[1], low[0] : high[0]] + 0.5
    return patch[(opening > 0) & (np.hypot(x - iris[0, 0], y - iris[0, 1]) > 1.15 * radius)]
