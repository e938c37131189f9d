"""What about a found face may spoil the result, told to the user as warnings."""

from __future__ import annotations

import cv2
import numpy as np

from backend.photo.landmark_table import CHEEK_POINTS, CHIN_TIP, EYE_LEFT, EYE_RIGHT, FACE_OVAL
from backend.photo.parameters import WarningLimits
from backend.photo.skin.glasses import wears_glasses

SUNGLASSES = "The eyes seem to be hidden behind sunglasses; the region around them will be guessed."
WEARS_GLASSES = "The person seems to wear glasses; what they hide will be guessed. A photo without them is better."
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # as in JPEG


def face_warnings(
    image_srgb: np.ndarray, landmarks_px: np.ndarray, yaw_degrees: float, settings: WarningLimits = WarningLimits()
) -> tuple[str, ...]:
    """Warnings as sentences, for a photo uint8 [H, W, 3] and landmarks [478, 2] in its pixels."""
    height, width = image_srgb.shape[:2]
    warnings = []
    size = float(np.ptp(landmarks_px, axis=0).max())
    beyond = np.maximum(-landmarks_px, landmarks_px - (width, height)).max(axis=1)
    outside = beyond > 0.02 * size
    if outside[CHIN_TIP]:
        warnings.append("The chin is cut off by the edge of the photo; it will be guessed.")
    elif outside[list(FACE_OVAL)].mean() > 0.05:
        warnings.append("Part of the face lies outside the photo; it will be guessed.")
    if _eyes_are_dark(image_srgb, landmarks_px):
        warnings.append(SUNGLASSES)
    elif wears_glasses(image_srgb, landmarks_px):
        warnings.append(WEARS_GLASSES)
    warnings += _light_warnings(image_srgb, landmarks_px, settings)
    if abs(yaw_degrees) > settings.far_turn_degrees:
        warnings.append("The face is turned far to the side; the hidden half will be guessed.")
    if size < settings.soft_px:
        warnings.append(
            f"The face is only {size:.0f} pixels high: fine for a figure in the middle distance; pores and fine lines "
            "are made up, and edges of lips and brows stay soft. "
            f"For close-ups use one of {settings.sharp_px:.0f} or more."
        )
    return tuple(warnings)


def noise_warnings(sharpness: float, settings: WarningLimits = WarningLimits()) -> tuple[str, ...]:
    """A warning where noise or compression hides the finest detail of the skin.

    Args:
        sharpness: share of its resolution that the photo has left, see `PartialTexture`.
        settings: from where on.
    """
    if sharpness >= settings.hidden_sharpness:
        return ()
    return (
        "Noise or strong compression hides the finest detail of the skin; it was taken out, and pores and fine lines "
        "are made up. A photo in better light, or the original file, is better.",
    )


def shows_no_colour(
    image_srgb: np.ndarray, landmarks_px: np.ndarray, settings: WarningLimits = WarningLimits()
) -> bool:
    """Whether the face is grey, or in shades of one colour as in sepia.

    Args:
        image_srgb: uint8 [H, W, 3].
        landmarks_px: float64 [478, 2].
    """
    size = float(np.ptp(landmarks_px, axis=0).max())
    reach = max(settings.blur_px, round(settings.blur_share * size))
    x0, y0 = np.clip(np.floor(landmarks_px.min(axis=0)), 0, (image_srgb.shape[1] - 1, image_srgb.shape[0] - 1)).astype(
        int
    )
    x1, y1 = np.ceil(np.maximum(landmarks_px.max(axis=0), (x0, y0))).astype(int) + 1
    face = np.asarray(cv2.blur(image_srgb[y0:y1, x0:x1].astype(np.float32), (reach, reach)))
    inside = _face_pixels(face, landmarks_px - (x0, y0))
    luma = inside @ LUMA
    if not len(inside) or np.median(luma) < settings.darkest_level:
        return False
    # Toned paper is of another colour in its shadows than in its lights.
    curve = np.linalg.lstsq(_tones(luma), inside[:, [0, 2]] - luma[:, None], rcond=None)[0]
    most = settings.colour_left * np.median(luma)
    if _colour_left(inside, curve, settings) >= most:
        return False
    # A painted face is of one colour, but what is around it is not.
    step = max(1, max(image_srgb.shape[:2]) // settings.overview_px)
    around = np.asarray(cv2.blur(image_srgb[::step, ::step].astype(np.float32), (3, 3))).reshape(-1, 3)
    return bool(_colour_left(around, curve, settings) < settings.around_left * most)


def _tones(luma: np.ndarray) -> np.ndarray:
    """What the chroma of toned paper depends on, [n, 3]."""
    return np.stack([np.ones_like(luma), luma / 255, (luma / 255) ** 2], axis=-1)


def _colour_left(pixels: np.ndarray, curve: np.ndarray, settings: WarningLimits) -> float:
    """Chroma of sRGB levels [n, 3] that a paper's tones [3, 2] do not explain."""
    luma = pixels @ LUMA
    left = np.abs(pixels[:, [0, 2]] - luma[:, None] - _tones(luma) @ curve).max(axis=-1)
    return float(np.quantile(left, settings.colour_quantile))


def _face_pixels(image_srgb: np.ndarray, landmarks_px: np.ndarray) -> np.ndarray:
    """sRGB levels [n, 3] of an image [H, W, 3] inside the hull of the face's outline."""
    mask = np.zeros(image_srgb.shape[:2], np.uint8)
    outline = np.round(landmarks_px[list(FACE_OVAL)]).astype(np.int32)
    cv2.fillConvexPoly(mask, cv2.convexHull(outline), 1)
    return image_srgb[mask > 0]


def _light_warnings(image_srgb: np.ndarray, landmarks_px: np.ndarray, settings: WarningLimits) -> list[str]:
    """Warnings of a face without colour, and of too little and too much light on it."""
    inside = _face_pixels(image_srgb, landmarks_px)
    if not len(inside):
        return []
    if np.percentile(inside.max(axis=-1), 95) < settings.dark_level:
        return ["The face is very dark, so its colours will be noisy and its skin tone a guess."]
    warnings = []
    if shows_no_colour(image_srgb, landmarks_px, settings):
        warnings.append("The photo has no colour, so the colour of the skin is a guess.")
    if (inside.max(axis=-1) >= settings.clipped_level).mean() > settings.clipped_share:
        warnings.append("Much of the face is overexposed, so its colours there are lost.")
    return warnings


def _eyes_are_dark(image_srgb: np.ndarray, landmarks_px: np.ndarray) -> bool:
    """True where even the brightest parts of both lids and eyes are far darker than the cheeks."""
    size = float(np.ptp(landmarks_px, axis=0).max())
    cheek = np.median([_grey_near(image_srgb, landmarks_px[i], 0.03 * size) for i in CHEEK_POINTS])
    return all(_bright_end(image_srgb, landmarks_px[list(eye)]) < 0.35 * cheek for eye in (EYE_LEFT, EYE_RIGHT))


def _grey_near(image_srgb: np.ndarray, point: np.ndarray, radius: float) -> float:
    """Median grey value around a point, in sRGB levels."""
    (x0, y0), (x1, y1) = np.round(point - radius).astype(int), np.round(point + radius).astype(int) + 1
    patch = image_srgb[max(y0, 0) : max(y1, 1), max(x0, 0) : max(x1, 1)]
    return float(np.median(patch)) if patch.size else 0.0


def _bright_end(image_srgb: np.ndarray, outline: np.ndarray) -> float:
    """80th percentile of the grey values in an eye's outline enlarged over its lids."""
    centre = outline.mean(axis=0)
    enlarged = np.round(centre + (outline - centre) * (1.2, 2.0)).astype(np.int32)
    mask = np.zeros(image_srgb.shape[:2], np.uint8)
    cv2.fillPoly(mask, [enlarged], 1)
    inside = image_srgb[mask > 0]
    return float(np.percentile(inside.mean(axis=-1), 80)) if len(inside) else 255.0
