"""Bars and mosaics that somebody laid over a face: patches of one colour with sharp edges, which no photograph has."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.imaging.channels import largest
from backend.photo.landmark_table import IRIS_LEFT, IRIS_RIGHT
from backend.photo.outlines import disc
from backend.photo.skin.parameters import CensoringSettings


@dataclass(frozen=True)
class Censoring:
    """Where something was laid over a photo.

    Args:
        bars: bool [H, W].
        mosaic: bool [H, W]; woven and printed patterns may look like one.
    """

    bars: np.ndarray
    mosaic: np.ndarray


def find_censoring(
    image_srgb: np.ndarray, landmarks_px: np.ndarray, settings: CensoringSettings = CensoringSettings()
) -> Censoring:
    """Bars and mosaics over a face and its surroundings.

    Args:
        image_srgb: uint8 [H, W, 3].
        landmarks_px: [478, 2], in its pixels.
        settings: of the search.
    """
    height, width = image_srgb.shape[:2]
    (x0, y0), (x1, y1) = landmarks_px.min(axis=0), landmarks_px.max(axis=0)
    unit = max(float(np.linalg.norm(landmarks_px[IRIS_LEFT[0]] - landmarks_px[IRIS_RIGHT[0]])), (y1 - y0) / 3, 1.0)
    bars, mosaic = np.zeros((2, height, width), bool)
    left, top = max(int(x0 - 0.3 * unit), 0), max(int(y0 - 0.3 * unit), 0)
    part = image_srgb[top : max(int(y1 + 0.3 * unit), 0), left : max(int(x1 + 0.3 * unit), 0)]
    if min(part.shape[:2]) < settings.smallest_px:
        return Censoring(bars, mosaic)
    scale = min(1.0, settings.unit_px / unit)
    size = (max(round(part.shape[1] * scale), 1), max(round(part.shape[0] * scale), 1))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    for whole, patches in (
        (bars, _bars(small, unit * scale, settings)),
        (mosaic, _mosaic(small, unit * scale, settings)),
    ):
        full = cv2.resize(patches, (part.shape[1], part.shape[0]), interpolation=cv2.INTER_NEAREST)
        whole[top : top + part.shape[0], left : left + part.shape[1]] = full > 0
    return Censoring(bars, mosaic)


def _bars(image: np.ndarray, unit: float, settings: CensoringSettings) -> np.ndarray:
    """Large patches of one colour all of whose border is sharp, uint8 [h, w]: overexposed skin fades into its own."""
    three = np.ones((3, 3), np.uint8)
    spread = largest(cv2.dilate(image, three) - cv2.erode(image, three))
    flat = (spread <= settings.flat_levels).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(flat, connectivity=4)
    labels = np.asarray(labels, np.int64)
    found = np.zeros(flat.shape, np.uint8)
    reach = disc(settings.edge_px)
    for label in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] > settings.bar_area * unit**2):
        x, y, w, h, _ = stats[label]
        patch = ((labels == label) & (flat > 0)).astype(np.uint8)
        if not patch.any() or not _is_solid(patch[y : y + h, x : x + w], settings):
            continue
        # What lies beside it, a little outside of its soft edge, differs from it nearly all around.
        grown = np.asarray(cv2.dilate(patch, reach), np.uint8)
        ring = (grown > 0) & (cv2.dilate(patch, three) == 0)
        step = largest(np.abs(image[ring] - np.median(image[patch > 0], axis=0)))
        at_rim = x == 0 or y == 0 or x + w == flat.shape[1] or y + h == flat.shape[0]
        if not at_rim and len(step) and np.quantile(step, settings.edge_share) > settings.edge_levels:
            found = np.maximum(found, grown)
    return found


def _is_solid(patch: np.ndarray, settings: CensoringSettings) -> bool:
    """Whether a patch, uint8 [h, w], nearly fills its convex hull."""
    hull = np.zeros_like(patch)
    outline = cv2.convexHull(np.argwhere(patch)[:, ::-1].astype(np.int32))
    cv2.fillConvexPoly(hull, np.asarray(outline), 1)
    return bool(np.count_nonzero(patch) >= settings.solid * np.count_nonzero(hull))


def _mosaic(image: np.ndarray, unit: float, settings: CensoringSettings) -> np.ndarray:
    """Tiles of one colour each, uint8 [h, w]: straight steps along both rows and columns between flat pixels."""
    luma = image.mean(axis=-1)
    length = max(round(settings.tile_share * unit), settings.least_tile_px)
    across, down = _straight(_steps(luma, settings), length), _straight(_steps(luma.T, settings), length).T
    # Strands of hair and folds step in one direction only.
    near = _square(settings.other_steps_reach * unit)
    both = np.minimum(cv2.dilate(across, near), cv2.dilate(np.ascontiguousarray(down), near)) > 0
    lines = np.where(both, np.maximum(across, down), 0)
    reach = _square(max(settings.tile_reach * unit, length))
    tiles = cv2.morphologyEx((lines > 0).astype(np.uint8), cv2.MORPH_CLOSE, reach)
    tiles = cv2.morphologyEx(tiles, cv2.MORPH_OPEN, reach)
    # Blocks of a compressed photo step too, but nowhere by much.
    count, labels = cv2.connectedComponents(tiles, connectivity=8)
    labels = np.asarray(labels, np.int64)
    some = np.bincount(labels[lines > 0], minlength=count)
    strong = np.bincount(labels[lines >= settings.strong_step_levels], minlength=count)
    kept = strong > settings.strong_share * some
    kept[0] = False
    return kept[labels].astype(np.uint8)


def _steps(luma: np.ndarray, settings: CensoringSettings) -> np.ndarray:
    """By how much luma [h, w] steps along a row between flat pixels, float32 [h, w]; an edge may be 2 pixels wide."""
    flat = np.abs(np.diff(luma, axis=1, prepend=luma[:, :1])) <= settings.flat_levels
    found = np.zeros(luma.shape, np.float32)
    # The pixels x - 2 and x - 1 are alike, so are x + 1 and x + 2, and the two pairs are not.
    step = np.abs(luma[:, 3:-1] - luma[:, 1:-3])
    found[:, 2:-2] = np.where(flat[:, 1:-3] & flat[:, 4:] & (step >= settings.step_levels), step, 0)
    return found


def _straight(steps: np.ndarray, length: int) -> np.ndarray:
    """Those of the steps [h, w] that stand below one another for so many pixels."""
    return np.asarray(cv2.morphologyEx(steps, cv2.MORPH_OPEN, np.ones((length, 1), np.uint8)), np.float32)


def _square(radius: float) -> np.ndarray:
    """Kernel of a square, as tiles are; much quicker than a disc."""
    side = 2 * max(round(radius), 1) + 1
    return np.ones((side, side), np.uint8)
