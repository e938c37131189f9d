"""The whites of eyes and teeth as cues to how bright the photo's light is, and of what colour."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from backend.imaging.channels import largest, smallest
from backend.imaging.colour import LUMINANCE, srgb_to_linear
from backend.photo.face_checks import shows_no_colour
from backend.photo.landmark_table import EYE_LEFT, EYE_RIGHT, IRIS_LEFT, IRIS_RIGHT, LIPS_INNER, interocular_px
from backend.photo.parameters import WarningLimits, WhiteCueSettings
from backend.photo.reading import Photo


@dataclass(frozen=True)
class WhiteCue:
    """What a white surface in the face's light would show in the photo, as far as the eyes tell.

    Args:
        level: float64 [3], linear RGB.
        confidence: 0 to 1; narrow, small or shaded eyes tell less.
        teeth: float64 [3], the same by the teeth, None where they are not seen.
        brightest: linear luminance of the brightest parts of the whole photo.
        white_share: share of the whole photo that is bright and without a hue; in light of a strange colour nothing is.
        iris_lighter: log luminance of irises and pupils over that of the whites around them, None where too little of
            them is seen; about -2, and above 0 in negatives alone.
    """

    level: np.ndarray
    confidence: float
    teeth: np.ndarray | None = None
    brightest: float = 1.0
    white_share: float = 0.0
    iris_lighter: float | None = None
    colourless: bool = False

    def without_colour(self) -> WhiteCue:
        """The same of a photo that has no colours of its own: its light has none either."""

        teeth = None if self.teeth is None else np.full(3, float(self.teeth @ LUMINANCE))
        return replace(self, level=np.full(3, float(self.level @ LUMINANCE)), teeth=teeth, colourless=True)

    def without_eyes(self) -> WhiteCue:
        """The same where something lies over the eyes: what is seen there is not lit as skin is."""
        return replace(self, level=np.ones(3), confidence=0.0, iris_lighter=None)


def white_cue(
    photo: Photo,
    landmarks_px: np.ndarray,
    settings: WhiteCueSettings = WhiteCueSettings(),
    limits: WarningLimits = WarningLimits(),
) -> WhiteCue:
    """All that the photo's whites tell about its light; confidence 0 where the eyes tell nothing.

    Args:
        photo: of which nothing is told where it shows no colour but brightness.
        landmarks_px: float64 [478, 2].
        settings: the chosen numbers.
        limits: of what counts as a photo without colour.
    """
    eyes = sclera_cue(photo, landmarks_px, settings) or WhiteCue(np.ones(3), 0.0)
    step = max(1, max(photo.height, photo.width) // 500)
    overview = srgb_to_linear(photo.image_srgb[::step, ::step] / 255.0)
    brightest = float(np.quantile(overview @ LUMINANCE, settings.brightest))
    hued = np.log((largest(overview) + settings.hue_floor) / (smallest(overview) + settings.hue_floor))
    white = (overview @ LUMINANCE > settings.bright_share * brightest) & (hued < settings.hueless)
    found = replace(
        eyes,
        teeth=_teeth_level(photo, landmarks_px, settings),
        brightest=brightest,
        white_share=float(white.mean()),
        iris_lighter=_iris_lighter(photo, landmarks_px, settings),
    )
    return found.without_colour() if shows_no_colour(photo.image_srgb, landmarks_px, limits) else found


def _iris_lighter(photo: Photo, landmarks_px: np.ndarray, settings: WhiteCueSettings) -> float | None:
    """Log luminance of irises and pupils over that of the whites; None where there are few pixels of either."""
    levels: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for lids, iris in ((EYE_LEFT, IRIS_LEFT), (EYE_RIGHT, IRIS_RIGHT)):
        circle = landmarks_px[list(iris)]
        radius = float(np.median(np.linalg.norm(circle[1:] - circle[0], axis=1)))
        pixels = _inside(photo, landmarks_px[list(lids)], margin=max(1, round(0.12 * radius)))
        if pixels is None:
            continue
        luminance, away = pixels[0] @ LUMINANCE, np.hypot(*(pixels[1] - circle[0]).T) / radius
        levels[0].append(luminance[away < settings.iris_within])
        levels[1].append(luminance[away > settings.white_beyond])
    inner, outer = (np.concatenate(found) if found else np.zeros(0) for found in levels)
    if min(len(inner), len(outer)) < settings.fewest_of_iris:
        return None
    return float(np.log(max(np.median(inner), 1e-4) / max(np.median(outer), 1e-4)))


def _teeth_level(photo: Photo, landmarks_px: np.ndarray, settings: WhiteCueSettings) -> np.ndarray | None:
    """Linear RGB float64 [3] of white by the teeth of an open smile; None where none are seen."""
    pixels = _inside(photo, landmarks_px[list(LIPS_INNER)], margin=1)
    if pixels is None or len(pixels[0]) < max(
        settings.fewest_pixels, settings.teeth_area * interocular_px(landmarks_px) ** 2
    ):
        return None
    colours = pixels[0]
    brightness = colours @ LUMINANCE
    bright = colours[brightness >= np.quantile(brightness, 0.7)]
    # Gums and tongue are red; a dark mouth shows no teeth.
    colour = np.median(bright, axis=0)
    if colour[0] > 1.5 * colour[1] or np.quantile(brightness, 0.75) < 2 * np.quantile(brightness, 0.05):
        return None
    white = np.maximum(colour / np.array(settings.teeth_colour), 1e-4)
    return white * (float(np.quantile(brightness, 0.75)) / settings.teeth_luminance / float(white @ LUMINANCE))


def sclera_cue(
    photo: Photo, landmarks_px: np.ndarray, settings: WhiteCueSettings = WhiteCueSettings()
) -> WhiteCue | None:
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
    if len(colours) < settings.fewest_pixels:
        return None
    brightness = colours @ LUMINANCE
    # Catch-lights and the wet rim are the brightest, corners and lashes' shadows the dark half.
    middle = (brightness >= np.quantile(brightness, 0.6)) & (brightness <= np.quantile(brightness, 0.92))
    colour = np.median(colours[middle], axis=0)
    level = float(np.quantile(brightness, 0.75)) / settings.eyes_luminance
    white = np.maximum(colour / np.array(settings.eyes_colour), 1e-4)
    area = len(colours) / interocular_px(landmarks_px) ** 2
    confidence = min(1.0, area / settings.usual_area) * min(1.0, len(colours) / (5 * settings.fewest_pixels))
    if float(np.median(colours[middle].max(axis=1))) > 0.97:
        return None  # burnt out: only a lower bound
    return WhiteCue(white * (level / float(white @ LUMINANCE)), confidence)


def _sclera_pixels(photo: Photo, lids: np.ndarray, iris: np.ndarray) -> np.ndarray:
    """Linear colours float64 [n, 3] of the pixels between the lids, off their border and outside the iris."""
    radius = float(np.median(np.linalg.norm(iris[1:] - iris[0], axis=1)))
    pixels = _inside(photo, lids, margin=max(1, round(0.12 * radius)))
    if pixels is None:
        return np.zeros((0, 3))
    colours, places = pixels
    return colours[np.hypot(*(places - iris[0]).T) > 1.15 * radius]


def _inside(photo: Photo, outline: np.ndarray, margin: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Linear colours [n, 3] and places [n, 2] of the pixels inside an outline, off it; None where the frame cuts it."""
    low, high = np.floor(outline.min(0) - 2).astype(int), np.ceil(outline.max(0) + 3).astype(int)
    if (low < 0).any() or high[0] > photo.width or high[1] > photo.height:
        return None
    patch = srgb_to_linear(photo.image_srgb[low[1] : high[1], low[0] : high[0]] / 255.0)
    area = np.zeros(patch.shape[:2], np.uint8)
    cv2.fillPoly(area, [np.round((outline - low) * 16 - 8).astype(np.int32)], 255, shift=4)
    inside = cv2.erode(area, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)) > 0
    y, x = np.nonzero(inside)
    return patch[inside], np.stack([x + low[0] + 0.5, y + low[1] + 0.5], axis=1)
