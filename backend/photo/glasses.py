"""Spectacles: whether a face wears them, and which pixels their frames cover.

What tells them from everything else is the bridge: an edge that crosses the root of the nose from eye to eye, where
bare skin has none.
"""

from __future__ import annotations

import cv2
import numpy as np

from backend.photo.landmark_table import (
    BROW_LEFT,
    BROW_RIGHT,
    EYE_LEFT,
    EYE_RIGHT,
    INNER_EYE_CORNERS,
    NOSE_ROOT,
    OUTER_EYE_CORNERS,
)
from backend.photo.outlines import disc, inside

# The patch in which the bridge is looked for, in distances of the outer eye corners, which are so many pixels there.
PATCH_PX, PATCH_SIZE, PATCH_CENTRE = 96, (1.6, 1.3), (0.8, 0.5)
# Of the way between the inner eye corners the middle part; above and below the root of the nose.
BRIDGE_MARGIN, ABOVE, BELOW = 0.3, 0.12, 0.22
# Mean gradient of log luminance along the bridge, a pixel of the patch. Seven pairs of sharply photographed glasses
# have 0.12 to 0.49, some 500 bare faces up to 0.11, nearly all of them less than 0.06.
BRIDGE_GRADIENT = 0.115
_DARKEST = 8.0  # sRGB levels; keeps noise of shadows from counting as edges
# Frames in distances of the irises: where they lie about the eyes, how wide dark ones and gleams may be, how far their
# shadow reaches, and how long they are at least; and by how much (log luminance) they differ from the skin beside them.
FRAME_ZONE, DARK_WIDTH, GLEAM_WIDTH, FRAME_SHADOW, SHORTEST = ((-0.95, 0.95), (-0.45, 0.5)), 0.14, 0.05, 0.03, 0.3
FRAME_CONTRAST = 0.3


def wears_glasses(image_srgb: np.ndarray, landmarks_px: np.ndarray) -> bool:
    """True where the bridge of spectacles crosses the nose.

    Frameless and blurred ones may be missed.

    Args:
        image_srgb: uint8 [H, W, 3].
        landmarks_px: [478, 2], in its pixels.
    """
    across = landmarks_px[OUTER_EYE_CORNERS[1]] - landmarks_px[OUTER_EYE_CORNERS[0]]
    length = float(np.linalg.norm(across))
    if length < 1:
        return False
    scale = PATCH_PX / length
    x, y = across / length
    turn = scale * np.array([[x, y], [-y, x]])
    shift = PATCH_PX * np.array(PATCH_CENTRE) - turn @ landmarks_px[list(OUTER_EYE_CORNERS)].mean(axis=0)
    size = (round(PATCH_PX * PATCH_SIZE[0]), round(PATCH_PX * PATCH_SIZE[1]))
    transform = np.column_stack([turn, shift]).astype(np.float32)
    patch = cv2.warpAffine(_reduced(image_srgb, scale), _for_reduced(transform, scale), size, flags=cv2.INTER_LINEAR)
    grey = cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY).astype(np.float32)
    down = cv2.Sobel(cv2.GaussianBlur(np.log(grey + _DARKEST), (0, 0), 1.0), cv2.CV_32F, 0, 1, ksize=3) / 8
    corners = turn @ landmarks_px[list(INNER_EYE_CORNERS)].T + shift[:, None]
    root = float((turn @ landmarks_px[NOSE_ROOT] + shift)[1])
    left, right = np.sort(corners[0])
    margin = BRIDGE_MARGIN * (right - left)
    bridge = down[
        max(int(root - ABOVE * PATCH_PX), 0) : int(root + BELOW * PATCH_PX),
        max(int(left + margin), 0) : int(right - margin) + 1,
    ]
    if not bridge.size:
        return False
    # An edge of the nose's own shade does not cross all of it, and then mean and median differ.
    crossing = np.minimum(np.abs(bridge.mean(axis=1)), np.abs(np.median(bridge, axis=1)))
    return float(crossing.max()) > BRIDGE_GRADIENT


def frames(log_luminance: np.ndarray, points: np.ndarray, unit: float) -> np.ndarray:
    """The pixels that the frames of spectacles cover: narrow lines about the eyes, bool [h, w].

    Args:
        log_luminance: float32 [h, w].
        points: [478, 2], landmarks in its pixels.
        unit: distance between the irises in pixels, of a turned face as if it were frontal.
    """
    dark = cv2.morphologyEx(log_luminance, cv2.MORPH_BLACKHAT, disc(0.5 * DARK_WIDTH * unit))
    gleam = cv2.morphologyEx(log_luminance, cv2.MORPH_TOPHAT, disc(0.5 * GLEAM_WIDTH * unit))
    lines = (np.maximum(dark, gleam) > FRAME_CONTRAST) & _about_the_eyes(log_luminance.shape, points, unit)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(lines.astype(np.uint8), connectivity=8)
    long = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) > SHORTEST * unit
    long[0] = False
    covered = long[np.asarray(labels, np.int64)].astype(np.uint8)
    return cv2.dilate(covered, disc(FRAME_SHADOW * unit)).astype(bool)


def _about_the_eyes(shape: tuple[int, ...], points: np.ndarray, unit: float) -> np.ndarray:
    """Where frames can lie, without the eyes with their lids and the brows, whose hairs are lines too; bool [h, w]."""
    outer = points[list(OUTER_EYE_CORNERS)]
    across = (outer[1] - outer[0]) / max(float(np.linalg.norm(outer[1] - outer[0])), 1e-6)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    from_x, from_y = x - outer[:, 0].mean(), y - outer[:, 1].mean()
    along, down = (from_x * across[0] + from_y * across[1]) / unit, (from_y * across[0] - from_x * across[1]) / unit
    (left, right), (top, bottom) = FRAME_ZONE
    zone = (along > left) & (along < right) & (down > top) & (down < bottom)
    for outline, grow in ((EYE_LEFT, 0.1), (EYE_RIGHT, 0.1), (BROW_LEFT, 0.04), (BROW_RIGHT, 0.04)):
        zone &= ~inside(points, outline, shape, grow * unit)
    return zone


def _reduced(image: np.ndarray, scale: float) -> np.ndarray:
    """The image, by area averages, so that a warp at `scale` leaves out no pixel of it."""
    shrink = max(int(1 / scale), 1)
    if shrink == 1:
        return image
    size = (max(image.shape[1] // shrink, 1), max(image.shape[0] // shrink, 1))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _for_reduced(transform: np.ndarray, scale: float) -> np.ndarray:
    """A transform [2, 3] of the whole image as one of `_reduced`."""
    shrink = max(int(1 / scale), 1)
    scaled = transform.copy()
    scaled[:, :2] *= shrink
    return scaled
