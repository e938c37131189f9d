"""The shade of the teeth, from a photo that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from backend.imaging.colour import LUMINANCE, lab_to_linear, linear_to_lab, linear_to_srgb, srgb_to_linear
from backend.photo.face_checks import shows_no_colour
from backend.photo.landmark_table import CHEEK_LEFT, CHEEK_RIGHT, LIPS_INNER, interocular_px
from backend.photo.parameters import TeethSettings
from backend.photo.reading import Photo


def default_teeth(settings: TeethSettings = TeethSettings()) -> np.ndarray:
    """The shade of adults' upper front teeth on average, float32 [3], sRGB-encoded."""
    return _encoded(np.array(settings.usual))


@dataclass(frozen=True)
class LitFace:
    """A face in a photo.

    Args:
        photo: the photo.
        landmarks_px: float64 [478, 2].
        exposure: float [3], what a white surface in the face's light shows in the photo, linear.
    """

    photo: Photo
    landmarks_px: np.ndarray
    exposure: np.ndarray


def teeth_colour(faces: Sequence[LitFace], settings: TeethSettings = TeethSettings()) -> np.ndarray:
    """The shade of the front teeth, float32 [3], sRGB-encoded, as likely in people as what photos show of them.

    People's teeth and what photos show of them against the face's light are each a Gaussian in CIELAB; this is the mean
    of their product. Lips shade teeth, so photos show them darker than they are, by `shaded`. `default_teeth` where no
    photo shows any, or none has colours.

    Args:
        faces: of one person.
        settings: the chosen numbers.
    """
    usual, spread, noise = (np.array(values) for values in (settings.usual, settings.spread, settings.noise))
    seen = [found for face in faces if (found := seen_teeth(face, settings)) is not None]
    off = np.array([found - np.array(settings.shaded) - usual for found in seen]).reshape(-1, 3)
    off = off[(np.abs(off) <= settings.unusual * np.hypot(spread, noise)).all(axis=1)]
    if not len(off):
        return default_teeth(settings)
    return _encoded(usual + spread**2 / (spread**2 + noise**2 / len(off)) * off.mean(axis=0))


def seen_teeth(face: LitFace, settings: TeethSettings = TeethSettings()) -> np.ndarray | None:
    """CIELAB [3] of the enamel between the lips, the face's light divided out; None where too little is seen of it.

    Enamel is what is bright and as little red as teeth can be; gleams are its bright end, gaps and edges its dark one.
    """
    photo, landmarks_px, exposure = face.photo, face.landmarks_px, np.maximum(face.exposure, 1e-3)
    outline = landmarks_px[list(LIPS_INNER)]
    low, high = np.floor(outline.min(0) - 2).astype(int), np.ceil(outline.max(0) + 3).astype(int)
    if (low < 0).any() or high[0] > photo.width or high[1] > photo.height:
        return None
    colours = srgb_to_linear(photo.image_srgb[low[1] : high[1], low[0] : high[0]] / 255.0)
    area = np.zeros(colours.shape[:2], np.uint8)
    cv2.fillPoly(area, [np.round((outline - low) * 16 - 8).astype(np.int32)], 255, shift=4)
    colours = colours[cv2.erode(area, np.ones((3, 3), np.uint8)) > 0] / exposure
    if not len(colours):
        return None
    luminance = colours @ LUMINANCE
    bright = luminance > settings.least_of_brightest * np.quantile(luminance, settings.brightest)
    # Against the cheeks in the same light, so that no error of the light's colour makes teeth of lips.
    enamel = bright & (_redness(colours) < _redness(_cheek(photo, landmarks_px) / exposure) - settings.less_red)
    if enamel.sum() < max(settings.fewest_pixels, settings.least_area * interocular_px(landmarks_px) ** 2):
        return None
    if enamel.sum() < settings.least_of_bright * bright.sum():
        return None  # a tongue or gums with gleams on them
    if shows_no_colour(photo.image_srgb, landmarks_px):
        return None
    low_end, high_end = np.quantile(luminance[enamel], settings.between)
    middle = enamel & (luminance >= low_end) & (luminance <= high_end)
    return linear_to_lab(np.median(colours[middle], axis=0))


def _redness(colours: np.ndarray) -> np.ndarray:
    """Natural logarithm of red over green of linear colours [..., 3]."""
    return np.log(np.maximum(colours[..., 0], 1e-4) / np.maximum(colours[..., 1], 1e-4))


def _cheek(photo: Photo, landmarks_px: np.ndarray) -> np.ndarray:
    """Median linear colour [3] of the cheeks between the landmarks on them."""
    outlines = [cv2.convexHull(landmarks_px[list(side)].astype(np.float32)) for side in (CHEEK_LEFT, CHEEK_RIGHT)]
    area = np.zeros(photo.image_srgb.shape[:2], np.uint8)
    for outline in outlines:
        cv2.fillConvexPoly(area, np.round(outline).astype(np.int32), 255)
    return np.median(srgb_to_linear(photo.image_srgb[area > 0] / 255.0), axis=0) if area.any() else np.ones(3)


def _encoded(lab: np.ndarray) -> np.ndarray:
    return linear_to_srgb(np.clip(lab_to_linear(lab), 0.0, 1.0)).astype(np.float32)
