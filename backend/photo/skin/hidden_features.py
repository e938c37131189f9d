"""Features that cannot be seen, which the segmentation may take for skin: cloth of the skin's own colour over the
mouth, and eyes that somebody blurred."""

from __future__ import annotations

import cv2
import numpy as np

from backend.imaging.colour import srgb_bytes_to_linear
from backend.photo.landmark_table import EYE_LEFT, EYE_RIGHT, LIPS_OUTER
from backend.photo.outlines import disc, inside
from backend.photo.skin.parameters import HiddenFeatureSettings
from backend.photo.upright_crop import upright_face


def mouth_is_hidden(
    image_srgb: np.ndarray, landmarks_px: np.ndarray, settings: HiddenFeatureSettings = HiddenFeatureSettings()
) -> bool:
    """Whether the place of the mouth is as even as no mouth is, bearded or not, while the eyes can be seen.

    Args:
        image_srgb: uint8 [H, W, 3].
        landmarks_px: [478, 2], in its pixels.
        settings: from where on it is even.
    """
    mouth, eyes = _details(image_srgb, landmarks_px, settings)
    return mouth < settings.even and eyes > settings.eyes_over_mouth * mouth


def eyes_are_hidden(
    image_srgb: np.ndarray, landmarks_px: np.ndarray, settings: HiddenFeatureSettings = HiddenFeatureSettings()
) -> bool:
    """Whether the place of the eyes is as even as no eyes are, open or closed, while the mouth can be seen.

    Dark glass is even too.

    Args:
        image_srgb: uint8 [H, W, 3].
        landmarks_px: [478, 2], in its pixels.
        settings: from where on it is even.
    """
    mouth, eyes = _details(image_srgb, landmarks_px, settings)
    return eyes < settings.even_eyes and mouth > settings.mouth_over_eyes * eyes


def _details(image_srgb: np.ndarray, landmarks_px: np.ndarray, settings: HiddenFeatureSettings) -> tuple[float, float]:
    """Spread of the detail of log luminance about mouth and eyes."""
    face = upright_face(image_srgb, landmarks_px, settings.crop_side, settings.side_px)
    points, unit = face.points, face.unit
    luminance = np.log(srgb_bytes_to_linear(face.image) @ np.array([0.25, 0.5, 0.25], np.float32) + settings.log_floor)
    fine, coarse = (max(scale * unit, 0.5) for scale in settings.scales)
    detail = cv2.GaussianBlur(luminance, (0, 0), fine) - cv2.GaussianBlur(luminance, (0, 0), coarse)
    mouth = _spread(detail, points, (LIPS_OUTER,), settings.about * unit)
    eyes = _spread(detail, points, (EYE_LEFT, EYE_RIGHT), settings.about * unit)
    return mouth, eyes


def _spread(detail: np.ndarray, points: np.ndarray, outlines: tuple[tuple[int, ...], ...], grow_px: float) -> float:
    where = np.zeros(detail.shape, np.uint8)
    for outline in outlines:
        where |= inside(points, outline, detail.shape).astype(np.uint8)
    grown = cv2.dilate(where, disc(grow_px)) > 0
    return float(detail[grown].std()) if grown.any() else np.inf
