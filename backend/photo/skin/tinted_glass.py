"""Tinted glass before the eyes, which the segmentation takes for skin.

A glass filters the skin behind it and the white of the eye alike. Light of the same colour reaches the cheeks too, and
paint leaves the white of the eye as it is.
"""

from __future__ import annotations

import cv2
import numpy as np

from backend.imaging.colour import srgb_bytes_to_linear
from backend.photo.landmark_table import (
    BROW_LEFT,
    BROW_RIGHT,
    EYE_LEFT,
    EYE_RIGHT,
    FACE_OVAL,
    IRIS_LEFT,
    IRIS_RIGHT,
    LIPS_OUTER,
    UNDER_EYE_LEFT,
    UNDER_EYE_RIGHT,
)
from backend.photo.outlines import disc, hull, inside
from backend.photo.skin.parameters import TintedGlassSettings
from backend.photo.skin.segmentation import FACE_SKIN, Segmentation
from backend.photo.upright_crop import of_pixel_numbers, upright_face, warped

_EYES = ((EYE_RIGHT, BROW_RIGHT, UNDER_EYE_RIGHT, IRIS_RIGHT), (EYE_LEFT, BROW_LEFT, UNDER_EYE_LEFT, IRIS_LEFT))


def tinted_glass(
    image_srgb: np.ndarray,
    landmarks_px: np.ndarray,
    segmentation: Segmentation,
    settings: TintedGlassSettings = TintedGlassSettings(),
) -> np.ndarray:
    """Where tinted glass lies before the eyes, with its rims; bool [H, W].

    Grey glass has no hue and is not found.

    Args:
        image_srgb: uint8 [H, W, 3].
        landmarks_px: [478, 2], in its pixels.
        segmentation: which says what of the face is bare.
        settings: what tells it.
    """
    face = upright_face(image_srgb, landmarks_px, settings.crop_side, settings.side_px)
    points, unit = face.points, face.unit
    zone = np.zeros(face.image.shape[:2], bool)
    for _, brow, under, _ in _EYES:
        zone |= hull(points, brow + under, zone.shape, settings.reach * unit)
    log_linear = np.log(srgb_bytes_to_linear(face.image) + settings.log_floor)
    hue = log_linear[..., ::2] - log_linear[..., 1:2]
    bare = inside(points, FACE_OVAL, zone.shape, -settings.oval_rim * unit) & ~zone
    bare &= ~inside(points, LIPS_OUTER, zone.shape, settings.about_eyes * unit)
    bare &= _skin(segmentation, face.to_crop, settings) > 0.5
    nothing = np.zeros(image_srgb.shape[:2], bool)
    if np.count_nonzero(bare) < settings.least_bare * unit**2:
        return nothing
    hue = hue - np.median(hue[bare], axis=0)
    tints = [_tints(log_linear, hue, points, unit, eye, under, iris, settings) for eye, _, under, iris in _EYES]
    tint = np.mean([of_skin for of_skin, _ in tints], axis=0)
    strength = max(float(np.linalg.norm(tint)), 1e-6)
    along = tint / strength
    if min(float(of_skin @ along) for of_skin, _ in tints) < settings.least_tint:
        return nothing
    if min(float(of_white @ along) for _, of_white in tints) < settings.white_share * strength:
        return nothing
    tinted = (zone & (hue @ along > 0.5 * strength)).astype(np.uint8)
    for eye, *_ in _EYES:
        tinted |= inside(points, eye, zone.shape, settings.about_eyes * unit).astype(np.uint8)
    tinted = cv2.morphologyEx(tinted, cv2.MORPH_CLOSE, disc(settings.closed * unit))
    tinted = cv2.dilate(
        cv2.morphologyEx(tinted, cv2.MORPH_OPEN, disc(settings.opened * unit)), disc(settings.rim * unit)
    )
    back, size = of_pixel_numbers(face.to_crop), (image_srgb.shape[1], image_srgb.shape[0])
    return cv2.warpAffine(tinted, back, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP) > 0


def _skin(segmentation: Segmentation, to_crop: np.ndarray, settings: TintedGlassSettings) -> np.ndarray:
    """Probability of skin of the face in the crop, float32 [h, w]."""
    skin = np.ascontiguousarray(segmentation.probabilities[..., FACE_SKIN])
    back = np.linalg.inv(np.vstack([segmentation.to_crop, (0, 0, 1)]))
    return warped(skin, to_crop @ back, (settings.side_px, settings.side_px))


def _tints(
    log_linear: np.ndarray,
    hue: np.ndarray,
    points: np.ndarray,
    unit: float,
    eye: tuple[int, ...],
    under: tuple[int, ...],
    iris: tuple[int, ...],
    settings: TintedGlassSettings,
) -> tuple[np.ndarray, np.ndarray]:
    """By how much the hues of the skin under an eye and of its white differ from what is usual beside such cheeks.

    Both float [2]; 0 where nothing is seen of them.
    """
    shape = hue.shape[:2]
    skin = hull(points, under + eye, shape) & ~inside(points, eye, shape, settings.about_eyes * unit)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    middle = points[iris[0]]
    radius = settings.iris * float(np.linalg.norm(points[list(iris[1:])] - middle, axis=1).mean())
    white = inside(points, eye, shape) & (np.hypot(x - middle[0], y - middle[1]) > radius)
    of_skin, of_white = np.zeros(2), np.zeros(2)
    if skin.any():
        of_skin = np.median(hue[skin], axis=0)
    if white.any():
        # Lashes and the pupil's rim are darker.
        bright = log_linear[..., 1] >= np.median(log_linear[white, 1])
        of_white = np.median(hue[white & bright], axis=0) - settings.usual_white
    return of_skin, of_white
