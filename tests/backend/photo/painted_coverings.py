"""Coverings painted on a portrait, each with the mask of what it covers."""

from __future__ import annotations

import cv2
import numpy as np

from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.photo.face_detector import Face
from backend.photo.landmark_table import EYE_LEFT, EYE_RIGHT, FACE_OVAL, MASK_OUTLINE, OUTER_EYE_CORNERS


def polygon(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 1)
    return mask > 0


def with_mask(portrait: np.ndarray, face: Face, colour: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """A mask of cloth with folds, over nose and mouth."""
    covered = polygon(portrait, face.landmarks_px[list(MASK_OUTLINE)])
    rows = np.arange(portrait.shape[0])[:, None, None]
    folds = 8 * np.sin(rows / (0.09 * face.interocular_px)) + np.random.default_rng(0).normal(0, 3, portrait.shape)
    return np.where(covered[..., None], np.clip(np.array(colour) + folds, 0, 255), portrait).astype(np.uint8), covered


def with_bar(portrait: np.ndarray, face: Face, level: int) -> tuple[np.ndarray, np.ndarray]:
    """A bar of one colour over the eyes, along their line."""
    right, left = face.landmarks_px[list(OUTER_EYE_CORNERS)]
    along = (left - right) / np.linalg.norm(left - right) * face.interocular_px
    down = np.array([-along[1], along[0]])
    corners = (right - 0.3 * along - 0.25 * down, left + 0.3 * along - 0.25 * down)
    covered = polygon(portrait, np.array([*corners, corners[1] + 0.5 * down, corners[0] + 0.5 * down]))
    return np.where(covered[..., None], level, portrait).astype(np.uint8), covered


def with_mosaic(
    portrait: np.ndarray, face: Face, outline: tuple[int, ...] = FACE_OVAL
) -> tuple[np.ndarray, np.ndarray]:
    """Tiles of one colour each over what an outline encloses."""
    tile = round(0.13 * face.interocular_px)
    height, width = (side // tile * tile for side in portrait.shape[:2])
    small = cv2.resize(portrait[:height, :width], (width // tile, height // tile), interpolation=cv2.INTER_AREA)
    tiles = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    covered = np.zeros(portrait.shape[:2], bool)
    covered[:height, :width] = polygon(portrait, face.landmarks_px[list(outline)])[:height, :width]
    painted = portrait.copy()
    painted[covered] = tiles[covered[:height, :width]]
    return painted, covered


def with_blur(
    portrait: np.ndarray, face: Face, outlines: tuple[int, ...], width: float
) -> tuple[np.ndarray, np.ndarray]:
    """A box about some landmarks blurred by a Gaussian; its width is in distances of the eyes."""
    points, unit = face.landmarks_px[list(outlines)], face.interocular_px
    left, top = np.maximum(points.min(axis=0) - 0.25 * unit, 0).astype(int)
    right, bottom = (points.max(axis=0) + 0.25 * unit).astype(int)
    covered = np.zeros(portrait.shape[:2], bool)
    covered[top:bottom, left:right] = True
    soft = cv2.GaussianBlur(portrait, (0, 0), width * unit)
    return np.where(covered[..., None], soft, portrait), covered


def with_finger(portrait: np.ndarray, face: Face, tip: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """A lit finger of the cheek's colour that comes from below and ends at `tip` [2]; its width is in distances of the
    eyes."""
    x, y = np.round(face.landmarks_px[50]).astype(int)
    near = round(0.1 * face.interocular_px)
    skin = np.median(srgb_to_linear(portrait[y - near : y + near, x - near : x + near] / 255), axis=(0, 1))
    rows, columns = np.mgrid[: portrait.shape[0], : portrait.shape[1]]
    radius = 0.5 * width * face.interocular_px
    away = np.hypot(columns - tip[0], np.minimum(rows - tip[1] - radius, 0)) / radius
    covered = away < 1
    lit = skin * np.sqrt(np.clip(1 - 0.85 * away**2, 0.05, 1))[..., None]
    nail = np.hypot((columns - tip[0]) / 0.55, (rows - tip[1] - radius) / 0.75) < radius
    lit = np.where(nail[..., None], lit * (1.12, 1.15, 1.2), lit)
    painted = np.where(covered[..., None], 255 * linear_to_srgb(np.clip(lit, 0, 1)), portrait)
    return np.round(painted).astype(np.uint8), covered


def with_spectacles(
    portrait: np.ndarray, face: Face, tint: tuple[float, float, float], rim: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Round glass before both eyes that lets so much of linear red, green and blue through, in rims of one level."""
    unit = face.interocular_px
    rows, columns = np.mgrid[: portrait.shape[0], : portrait.shape[1]]
    centres = [face.landmarks_px[list(eye)].mean(axis=0) for eye in (EYE_RIGHT, EYE_LEFT)]
    away = np.minimum(*(np.hypot(columns - x, rows - y) for x, y in centres)) / unit
    covered = away < 0.42
    seen = srgb_to_linear(portrait / 255) * np.where(covered[..., None], tint, 1)
    painted = np.round(255 * linear_to_srgb(np.clip(seen, 0, 1))).astype(np.uint8)
    if rim is not None:
        bridge = np.zeros(portrait.shape[:2], np.uint8)
        ends = [tuple(np.round(centre).astype(int).tolist()) for centre in centres]
        cv2.line(bridge, ends[0], ends[1], 1, max(round(0.09 * unit), 1))
        frame = ((away > 0.4) & (away < 0.48)) | ((bridge > 0) & (away > 0.4))
        painted[frame], covered = rim, covered | frame
    return painted, covered
