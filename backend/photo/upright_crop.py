"""Crops in which a face stands upright, and resampling of photos by affine maps."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.photo.landmark_table import CHIN_TIP, FOREHEAD_TOP

CROP_SIDE_PX = 512


@dataclass(frozen=True)
class UprightFace:
    """A face as an upright picture of a fixed size, whatever the photo's.

    Args:
        image: uint8 [S, S, 3].
        points: [478, 2], landmarks in it.
        unit: third of the face's height in it, pixels.
        to_crop: affine map [2, 3] from the photo to it.
    """

    image: np.ndarray
    points: np.ndarray
    unit: float
    to_crop: np.ndarray


def upright_face(image: np.ndarray, points: np.ndarray, side: float, side_px: int) -> UprightFace:
    """The face with these landmarks [478, 2], cut out of a photo uint8 [H, W, 3] with a side in the face's extent."""
    to_crop = upright_crop(points, 0.0, 0.0, side, 0.0)[0] * (side_px / CROP_SIDE_PX)
    seen = points @ to_crop[:, :2].T + to_crop[:, 2]
    unit = max(float(np.ptp(seen[:, 1])) / 3, 1.0)
    return UprightFace(warped(image, to_crop, (side_px, side_px)), seen, unit, to_crop)


def upright_crop(points: np.ndarray, right: float, down: float, side: float, roll: float) -> tuple[np.ndarray, float]:
    """Affine map [2, 3] from the photo to a crop in which the face stands upright, and the angle it turns by."""
    axis = points[CHIN_TIP, :2] - points[FOREHEAD_TOP, :2]
    angle = float(np.arctan2(-axis[0], axis[1])) + roll
    x_axis = np.array([np.cos(angle), np.sin(angle)])
    y_axis = np.array([-x_axis[1], x_axis[0]])
    upright = points[:, :2] @ np.stack([x_axis, y_axis], axis=1)
    low, high = upright.min(0), upright.max(0)
    extent = float((high - low).max())
    centre = (low + high) / 2 + np.array([right, down]) * extent
    scale = CROP_SIDE_PX / (side * extent)
    linear = np.stack([x_axis, y_axis]) * scale
    return np.column_stack([linear, CROP_SIDE_PX / 2 - centre * scale]), angle


def warped(
    image: np.ndarray, to_view: np.ndarray, size: tuple[int, int] = (CROP_SIDE_PX, CROP_SIDE_PX), grey: bool = False
) -> np.ndarray:
    """Resample by an affine map in continuous pixel coordinates (centres at .5), without aliasing."""
    scale = float(np.sqrt(abs(np.linalg.det(to_view[:, :2]))))
    if scale < 0.5:
        # Reduce by area first, then warp from there at between half and full size: what the view shows of the image.
        factor = 2.0 ** np.ceil(np.log2(scale))
        image, corner = _shown(image, to_view, size, round(1 / factor))
        to_view = np.column_stack([to_view[:, :2], to_view[:, 2] + to_view[:, :2] @ corner])
        height, width = image.shape[:2]
        reduced_size = (max(round(width * factor), 1), max(round(height * factor), 1))
        image = cv2.resize(image, reduced_size, interpolation=cv2.INTER_AREA)
        to_view = to_view * np.array([[width / reduced_size[0], height / reduced_size[1], 1.0]])
    matrix = of_pixel_numbers(to_view)
    border = cv2.BORDER_CONSTANT if grey else cv2.BORDER_REPLICATE
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border, borderValue=(128, 128, 128))


def of_pixel_numbers(transform: np.ndarray) -> np.ndarray:
    """A map [2, 3] of continuous coordinates as OpenCV has it, whose pixel centres are whole numbers."""
    shifted = transform.copy()
    shifted[:, 2] += shifted[:, :2] @ (0.5, 0.5) - 0.5
    return shifted


def _shown(
    image: np.ndarray, to_view: np.ndarray, size: tuple[int, int], step: int
) -> tuple[np.ndarray, tuple[int, int]]:
    """The part of an image that a view of w, h pixels shows, and where it begins (x, y), a multiple of `step`.

    It goes some steps further than the view, or to the image's border.
    """
    corners = np.array([[0, 0], [size[0], 0], [0, size[1]], list(size)], np.float64)
    seen = (corners - to_view[:, 2]) @ np.linalg.inv(to_view[:, :2]).T
    frame = np.array(image.shape[1::-1])
    left, top = np.clip(np.floor(seen.min(0) / step - 2) * step, 0, (frame - 1) // step * step).astype(int)
    right, bottom = np.clip((np.ceil(seen.max(0) / step) + 2) * step, (left + 1, top + 1), frame).astype(int)
    return image[top:bottom, left:right], (int(left), int(top))
