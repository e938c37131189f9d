"""The colour of the irises, from the photo."""

from __future__ import annotations

import cv2
import numpy as np

from backend.imaging.colour import LUMINANCE, linear_to_srgb, srgb_to_linear
from backend.photo.landmark_table import CHEEK_POINTS, EYE_LEFT, EYE_RIGHT, IRIS_LEFT, IRIS_RIGHT
from backend.photo.parameters import IrisSettings
from backend.photo.reading import Photo

# The most common colour of human eyes.
DEFAULT_IRIS_SRGB = np.array([0.30, 0.19, 0.12], np.float32)


def iris_colours(
    photo: Photo,
    landmarks_px: np.ndarray,
    exposure: np.ndarray,
    skin_albedo: np.ndarray | None = None,
    settings: IrisSettings = IrisSettings(),
) -> np.ndarray:
    """Colours of the left and the right iris, float32 [2, 3], sRGB-encoded.

    Pixels between pupil and limbus, inside the lids' contour and off its border, that are of a colour which irises
    can have against the white of the same eye: no red-eye, no lens of strange colour, no lid, no sunglasses. Catch-
    lights are the bright end and reflected dark lashes the dark end of them, so the median of the middle is taken.
    Where one eye shows nothing, the other's colour serves for both; where neither does, `default_iris`.

    Args:
        landmarks_px: float64 [478, 2].
        exposure: float [3], what a white surface in the face's light shows in the photo, linear; divided out.
        skin_albedo: float [3], linear, the person's; None for an unknown one.
        settings: which pixels count.
    """
    left, right = (
        _iris_colour(photo, landmarks_px, iris, lids, exposure, settings)
        for iris, lids in ((IRIS_LEFT, EYE_LEFT), (IRIS_RIGHT, EYE_RIGHT))
    )
    usual = default_iris(skin_albedo, settings)
    first = left if left is not None else right if right is not None else usual
    second = right if right is not None else first
    return np.stack([first, second]).astype(np.float32)


def default_iris(skin_albedo: np.ndarray | None, settings: IrisSettings = IrisSettings()) -> np.ndarray:
    """A brown, float32 [3], sRGB-encoded, as dark as brown eyes mostly are in skin of an albedo [3]."""
    if skin_albedo is None:
        return DEFAULT_IRIS_SRGB
    usual = srgb_to_linear(DEFAULT_IRIS_SRGB)
    share, power = settings.brown_of_skin
    luminance = share * max(float(np.asarray(skin_albedo) @ LUMINANCE), 0.01) ** power
    return linear_to_srgb(usual * luminance / float(usual @ LUMINANCE)).astype(np.float32)


def _iris_colour(
    photo: Photo,
    landmarks_px: np.ndarray,
    iris_points: tuple[int, ...],
    lid_points: tuple[int, ...],
    exposure: np.ndarray,
    settings: IrisSettings,
) -> np.ndarray | None:
    """The colour of one iris, sRGB-encoded [3], or None where too little of it is seen."""
    iris, lids = landmarks_px[list(iris_points)], landmarks_px[list(lid_points)]
    centre = iris[0]
    radius = float(np.median(np.linalg.norm(iris[1:] - centre, axis=1)))
    low = np.floor(np.minimum(centre - radius, lids.min(axis=0)) - 2).astype(int)
    high = np.ceil(np.maximum(centre + radius, lids.max(axis=0)) + 3).astype(int)
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
    ring = patch[(distance > settings.between[0]) & (distance < settings.between[1]) & (opening > 0)]
    white = _white_of_eye(patch[(distance > settings.white_from) & (opening > 0)], exposure, settings)
    believable = ring[_can_be_iris(ring, white, settings)]
    if len(believable) < max(settings.fewest_pixels, settings.least_believable * len(ring)):
        return None
    if white @ LUMINANCE < settings.darkest_white * _cheek_luminance(photo, landmarks_px, radius):
        return None  # behind dark glass
    colours = believable / np.maximum(exposure, 1e-3)
    brightness = colours @ LUMINANCE
    low_end, high_end = np.quantile(brightness, (0.25, 0.75))
    middle = (brightness >= low_end) & (brightness <= high_end)
    return linear_to_srgb(np.clip(np.median(colours[middle], axis=0), 0.004, 0.5)).astype(np.float32)


def _white_of_eye(beside: np.ndarray, exposure: np.ndarray, settings: IrisSettings) -> np.ndarray:
    """The white of an eye in the photo, linear [3]: the brighter quarter of what lies beside the iris, linear [n, 3];
    where that is too little, what it usually is in such light."""
    if len(beside) < settings.fewest_pixels:
        return settings.usual_white * np.maximum(exposure, 1e-3)
    luminance = beside @ LUMINANCE
    return np.median(beside[luminance >= np.quantile(luminance, 0.75)], axis=0)


def _can_be_iris(colours: np.ndarray, white: np.ndarray, settings: IrisSettings) -> np.ndarray:
    """Which linear colours [n, 3] are within what irises have against the white of the same eye, bool [n].

    A Gaussian of the log chromas red and blue to green, and of log luminance; and the iris is darker than the white.
    """
    against = np.log(np.maximum(colours, settings.darkest)) - np.log(np.maximum(white, settings.darkest))
    luminance = np.log(np.maximum(colours @ LUMINANCE, settings.darkest) / max(white @ LUMINANCE, settings.darkest))
    features = np.stack([against[:, 0] - against[:, 1], against[:, 2] - against[:, 1], luminance], axis=-1)
    off = (features - settings.usual) / settings.spread
    mahalanobis = np.einsum("ni,ij,nj->n", off, np.linalg.inv(np.array(settings.correlation)), off)
    return (mahalanobis < settings.farthest**2) & (luminance < -settings.least_contrast)


def _cheek_luminance(photo: Photo, landmarks_px: np.ndarray, radius: float) -> float:
    """Median linear luminance of the cheeks, in patches as large as an iris."""
    patches = []
    for x, y in np.round(landmarks_px[list(CHEEK_POINTS)]).astype(int):
        reach = max(1, round(radius))
        part = photo.image_srgb[max(y - reach, 0) : max(y + reach, 1), max(x - reach, 0) : max(x + reach, 1)]
        if part.size:
            patches.append(float(np.median(srgb_to_linear(part / 255.0) @ LUMINANCE)))
    return float(np.median(patches)) if patches else 0.0
