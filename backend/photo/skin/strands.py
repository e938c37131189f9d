"""Strands of hair that cross skin, found in the photo's own pixels: the segmentation is too coarse to see them.

A strand is a thin line, darker or brighter than what is on both its sides, that hangs together with the hair. Grey ones
may be as bright as the skin behind them; they have less colour. Filters of many directions answer to lines and not to
pores, moles and lashes, which are short; wrinkles do not reach the hair, the hairs of brows lie along them, and those
of a beard are everywhere.
"""

from __future__ import annotations

import cv2
import numpy as np

from backend.photo.landmark_table import (
    BROW_LEFT,
    BROW_RIGHT,
    CHIN_TIP,
    EYE_LEFT,
    EYE_RIGHT,
    FACE_OVAL,
    FOREHEAD_TOP,
    LIPS_OUTER,
)
from backend.photo.outlines import inside
from backend.photo.skin.parameters import StrandSettings


def strands(
    log_luminance: np.ndarray,
    log_colour: np.ndarray,
    hair: np.ndarray,
    skin: np.ndarray,
    points: np.ndarray,
    unit: float,
    settings: StrandSettings = StrandSettings(),
) -> np.ndarray:
    """How surely a pixel of the face lies on a strand, float32 [h, w] in [0, 1].

    Args:
        log_luminance: float32 [h, w], natural logarithm of linear luminance.
        log_colour: float32 [h, w], natural logarithm of linear red over blue: how much colour skin has, and grey hair
            has not.
        hair: bool [h, w], where the segmentation sees hair.
        skin: bool [h, w], where it sees skin.
        points: float64 [478, 2], landmarks in its pixels.
        unit: distance between the irises in pixels, of a turned face as if it were frontal.
        settings: of the search.
    """
    if not hair.any() or unit < settings.smallest_unit_px:
        return np.zeros(log_luminance.shape, np.float32)
    where = skin & (inside(points, FACE_OVAL, skin.shape) | _forehead(points, skin.shape))
    where &= ~inside(points, LIPS_OUTER, skin.shape, settings.about_lips * unit)
    found = np.zeros(skin.shape, np.float32)
    window = _around(where, unit, settings)
    if window is not None:
        corner = (window[1].start, window[0].start)
        within = (log_luminance[window], log_colour[window], hair[window], where[window])
        found[window] = _strands_in(*within, points - corner, unit, settings)
    return found


def _around(where: np.ndarray, unit: float, settings: StrandSettings) -> tuple[slice, slice] | None:
    """The part of the image that what is seen of strands at bool [h, w] depends on; None where that is nowhere."""
    rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
    if not len(rows):
        return None
    line = 0.6 * _length(unit, settings) + 4 * _width(unit, settings)
    reach = int(np.ceil(line + (settings.texture_reach + settings.gap + 4 * settings.margin) * unit)) + 4
    # From even pixels on: colour is looked at in pairs.
    top, left = (2 * (max(at[0] - reach, 0) // 2) for at in (rows, columns))
    return slice(top, rows[-1] + 1 + reach), slice(left, columns[-1] + 1 + reach)


def _width(unit: float, settings: StrandSettings) -> float:
    return max(settings.width * unit, 0.8)


def _length(unit: float, settings: StrandSettings) -> float:
    return max(settings.length * unit, 4.0)


def _strands_in(
    log_luminance: np.ndarray,
    log_colour: np.ndarray,
    hair: np.ndarray,
    where: np.ndarray,
    points: np.ndarray,
    unit: float,
    settings: StrandSettings,
) -> np.ndarray:
    """`strands` where they may be, bool [h, w]."""
    contrast, angle = _line_contrast(log_luminance, unit, settings)
    greyer, grey_angle = _grey_contrast(log_colour, unit, settings)
    greyer *= settings.grey
    both, both_angle = np.maximum(contrast, greyer), np.where(greyer > contrast, grey_angle, angle)
    # Each alone: where colours are noisy, their lines are as dense as in a beard, and luminance still tells.
    chosen = np.zeros(where.shape, bool)
    bands = _brows_and_lids(points, unit, where.shape, settings)
    for clarity, direction in ((contrast, angle), (both, both_angle)):
        for band, along in bands:
            off = np.abs((direction[band] - along + np.pi / 2) % np.pi - np.pi / 2)
            clarity[band] = np.where(off < settings.brow_radians, 0, clarity[band])
        lines = (clarity > settings.weak) & where
        reach = 2 * round(settings.texture_reach * unit) + 1
        lines &= cv2.blur(lines.astype(np.float32), (reach, reach)) < settings.texture_share
        chosen |= _attached(lines, clarity, hair, unit, settings)
    side = 2 * max(round(settings.margin * unit), 1) + 1
    grown = cv2.dilate(chosen.astype(np.uint8), np.ones((side, side), np.uint8)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(grown, (0, 0), max(0.5 * settings.margin * unit, 0.5)), np.float32)


def _forehead(points: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """What lies above the brows, up to the hair: the oval ends below it; bool [h, w]."""
    axis = points[CHIN_TIP] - points[FOREHEAD_TOP]
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    brows = points[[BROW_LEFT[2], BROW_RIGHT[2]]].mean(axis=0)
    return (x - brows[0]) * axis[0] + (y - brows[1]) * axis[1] < 0


def _attached(
    lines: np.ndarray, contrast: np.ndarray, hair: np.ndarray, unit: float, settings: StrandSettings
) -> np.ndarray:
    """The lines that hang together with the hair, are long, and somewhere clear, bool [h, w]."""
    side = 2 * max(round(settings.gap * unit), 1) + 1
    near_hair = cv2.dilate(hair.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats((lines & ~hair).astype(np.uint8), connectivity=8)
    labels = np.asarray(labels, np.int64)
    length = np.hypot(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    clearest, touching = np.zeros(count), np.zeros(count, bool)
    on_line = labels > 0
    np.maximum.at(clearest, labels[on_line], contrast[on_line])
    # The border of the hair is a line too, all along it.
    away = np.bincount(labels[~near_hair], minlength=count) / np.maximum(stats[:, cv2.CC_STAT_AREA], 1)
    touching[np.unique(labels[near_hair])] = True
    kept = touching & (length > settings.shortest * unit) & (clearest > settings.clear) & (away > settings.away_share)
    kept[0] = False
    return kept[labels]


def _brows_and_lids(
    points: np.ndarray, unit: float, shape: tuple[int, ...], settings: StrandSettings
) -> list[tuple[np.ndarray, float]]:
    """Where a line may be hairs of a brow or the crease of a lid, bool [h, w], and the angle that it then has."""
    found = []
    for outline, inner, grow in (
        (BROW_LEFT, 4, settings.about_brow),
        (BROW_RIGHT, 4, settings.about_brow),
        (EYE_LEFT, 8, settings.about_eye),
        (EYE_RIGHT, 8, settings.about_eye),
    ):
        along = points[outline[0]] - points[outline[inner]]
        found.append((inside(points, outline, shape, grow * unit), float(np.arctan2(along[1], along[0]))))
    return found


def _grey_contrast(log_colour: np.ndarray, unit: float, settings: StrandSettings) -> tuple[np.ndarray, np.ndarray]:
    """How much less colour a line through each pixel has than both its sides, and that line's angle, float32 [h, w]."""
    size = (log_colour.shape[1], log_colour.shape[0])
    # Cameras and files keep colour at half the size, so nothing is lost.
    half = cv2.resize(log_colour, (-(-size[0] // 2), -(-size[1] // 2)), interpolation=cv2.INTER_AREA)
    contrast, angle = _line_contrast(half, unit * half.shape[1] / size[0], settings, above_too=False)
    return (
        np.asarray(cv2.resize(contrast, size, interpolation=cv2.INTER_LINEAR)),
        np.asarray(cv2.resize(angle, size, interpolation=cv2.INTER_NEAREST)),
    )


def _line_contrast(
    values: np.ndarray, unit: float, settings: StrandSettings, above_too: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Largest contrast of a line through each pixel against both its sides, and that line's angle, float32 [h, w].

    Args:
        values: float32 [h, w].
        unit: distance between the irises in pixels.
        settings: of the search.
        above_too: whether lines above their sides count, and not those below alone.
    """
    best = np.zeros(values.shape, np.float32)
    best_angle = np.zeros(values.shape, np.float32)
    width, length = _width(unit, settings), _length(unit, settings)
    radius = int(np.ceil(0.6 * length + width))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float32)
    size = (values.shape[1], values.shape[0])
    for angle in np.arange(settings.directions) * np.pi / settings.directions:
        along, across = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
        kernel = np.exp(-0.5 * (along / (0.35 * length)) ** 2 - 0.5 * (across / (0.5 * width)) ** 2)
        line = cv2.filter2D(values, cv2.CV_32F, kernel / kernel.sum())
        step = 2.5 * width * np.array([-np.sin(angle), np.cos(angle)])
        left, right = (
            cv2.warpAffine(
                line, np.array([[1, 0, s * step[0]], [0, 1, s * step[1]]]), size, borderMode=cv2.BORDER_REPLICATE
            )
            for s in (-1, 1)
        )
        contrast = np.minimum(left, right) - line
        if above_too:
            contrast = np.maximum(contrast, line - np.maximum(left, right))
        better = contrast > best
        best[better], best_angle[better] = contrast[better], angle
    return best, best_angle
