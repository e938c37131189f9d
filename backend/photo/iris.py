"""The colour of the irises, from the photo."""

from __future__ import annotations

import cv2
import numpy as np

from backend.imaging.colour import LUMINANCE, linear_to_srgb, srgb_to_linear
from backend.photo.landmark_table import EYE_LEFT, EYE_RIGHT, IRIS_LEFT, IRIS_RIGHT
from backend.photo.parameters import IrisSettings
from backend.photo.reading import Photo

# Where the eye shows no usable iris: closed, hidden, or a few pixels wide. The most common colour of human eyes.
DEFAULT_IRIS_SRGB = np.array([0.30, 0.19, 0.12], np.float32)


def iris_colours(
    photo: Photo, landmarks_px: np.ndarray, exposure: np.ndarray, settings: IrisSettings = IrisSettings()
) -> np.ndarray:
    """Colours of the left and the right iris, float32 [2, 3], sRGB-encoded.

    Pixels between pupil and limbus, inside the lids' contour and off its border. Catch-lights are the bright end and
    reflected dark lashes the dark end of them, so the median of the middle is taken. Where one eye shows nothing, the
    other's colour serves for both; where neither does, `DEFAULT_IRIS_SRGB`.

    Args:
        landmarks_px: float64 [478, 2].
        exposure: float [3], what a white surface in the face's light shows in the photo, linear; divided out.
    """
    found = [
        _iris_colour(photo, landmarks_px[list(iris)], landmarks_px[list(lids)], exposure, settings)
        for iris, lids in ((IRIS_LEFT, EYE_LEFT), (IRIS_RIGHT, EYE_RIGHT))
    ]
    left, right = found
    if left is None and right is None:
        return np.stack([DEFAULT_IRIS_SRGB, DEFAULT_IRIS_SRGB])
    chosen = [left if left is not None else right, right if right is not None else left]
    return np.stack([c for c in chosen if c is not None]).astype(np.float32)


def _iris_colour(
    photo: Photo, iris: np.ndarray, lids: np.ndarray, exposure: np.ndarray, settings: IrisSettings
) -> np.ndarray | None:
    """The colour of one iris, sRGB-encoded [3], or None where too little of it is seen."""
    centre = iris[0]
    radius = float(np.median(np.linalg.norm(iris[1:] - centre, axis=1)))
    low = np.floor(centre - radius - 2).astype(int)
    high = np.ceil(centre + radius + 3).astype(int)
    if radius < settings.smallest_px or (low < 0).any() or high[0] > photo.width or high[1] > photo.height:
        return None
    patch = srgb_to_linear(photo.image_srgb[low[1] : high[1], low[0] : high[0]] / 255.0)
    y, x = np.mgrid[low[1] : high[1], low[0] : high[0]] + 0.5
    distance = np.hypot(x - centre[0], y - centre[1]) / radius

    opening = np.zeros(patch.shape[:2], np.uint8)
    outline = cv2.convexHull((lids - low).astype(np.float32))
    cv2.fillConvexPoly(opening, np.round(outline * 16 - 8).astype(np.int32), 255, shift=4)
    margin = max(1, round(0.15 * radius))
    opening = cv2.erode(opening, np.ones((2 * margin + 1, 1), np.uint8))
    inside = (distance > settings.between[0]) & (distance < settings.between[1]) & (opening > 0)
    if np.count_nonzero(inside) < settings.fewest_pixels:
        return None
    colours = patch[inside] / np.maximum(exposure, 1e-3)
    brightness = colours @ LUMINANCE
    low_end, high_end = np.quantile(brightness, (0.25, 0.75))
    middle = (brightness >= low_end) & (brightness <= high_end)
    return linear_to_srgb(np.clip(np.median(colours[middle], axis=0), 0.004, 0.5)).astype(np.float32)
