"""The face as the photometric refinement looks at it: cut out of the photo and reduced."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from backend.head.landmarks.landmark_solve import FitParameters
from backend.head.parameters import PhotometricSettings
from backend.imaging.colour import srgb_bytes_to_linear
from backend.rendering.camera import Camera


@dataclass(frozen=True)
class ReducedPhoto:
    """The face, cut out and reduced.

    Args:
        linear: float32 [h, w, 3], linear RGB.
        gradient: float32 [h, w, 3, 2], derivative by x and y in reduced pixels.
        mask: float32 [h, w], 1 on skin.
        scale: reduced pixels per pixel of the photo.
        origin: x, y of the cut-out's corner in the photo's pixels.
    """

    linear: np.ndarray
    gradient: np.ndarray
    mask: np.ndarray
    scale: float
    origin: tuple[float, float]

    def moved(self, corner: tuple[int, int]) -> ReducedPhoto:
        """The same, where what it was cut out of is itself a part of the photo from (x, y) = `corner` on."""
        return replace(self, origin=(self.origin[0] + corner[0], self.origin[1] + corner[1]))

    def camera(self, parameters: FitParameters, centre_px: tuple[float, float]) -> Camera:
        """The photo's camera for this image."""
        height, width = self.mask.shape
        centre = ((centre_px[0] - self.origin[0]) * self.scale, (centre_px[1] - self.origin[1]) * self.scale)
        focal = float(np.exp(parameters.log_focal)) * self.scale
        return Camera(parameters.rotation, parameters.translation, focal, centre, width, height)


def reduce_face(
    image_srgb: np.ndarray,
    landmarks_px: np.ndarray,
    mask: np.ndarray | None,
    settings: PhotometricSettings = PhotometricSettings(),
) -> ReducedPhoto:
    """`reduce_photo` of a photo uint8 [H, W, 3], sRGB, of which no more than the face's surroundings is looked at."""
    extent = landmarks_px.min(axis=0), landmarks_px.max(axis=0)
    around = 0.2 * float((extent[1] - extent[0]).max())
    frame = np.array(image_srgb.shape[1::-1])
    left, top = np.clip(np.floor(extent[0] - around), 0, frame - 1).astype(int)
    right, bottom = np.clip(np.ceil(extent[1] + around), (left + 1, top + 1), frame).astype(int)
    window = (slice(top, bottom), slice(left, right))
    linear, known = srgb_bytes_to_linear(image_srgb[window]), None if mask is None else mask[window]
    return reduce_photo(linear, landmarks_px - (left, top), known, settings).moved((int(left), int(top)))


def reduce_photo(
    image_linear: np.ndarray,
    landmarks_px: np.ndarray,
    mask: np.ndarray | None,
    settings: PhotometricSettings = PhotometricSettings(),
) -> ReducedPhoto:
    """Cut the face out of a linear photo float [H, W, 3] and reduce it to about `face_px`.

    Args:
        image_linear: linear RGB in [0, 1].
        landmarks_px: float [478, 2].
        mask: float [H, W], 1 on skin, or None where it is not known yet.
    """
    low, high = landmarks_px.min(axis=0), landmarks_px.max(axis=0)
    side = float((high - low).max())
    scale = min(settings.face_px / side, 1.0)
    low = low - 0.1 * side
    width, height = (np.ceil((high + 0.1 * side - low) * scale)).astype(int)
    # Pixel i of the reduced image covers [i, i + 1) / scale; warpAffine counts pixel centres as whole numbers.
    shift = -low * scale + 0.5 * scale - 0.5
    to_reduced = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    sigma = 0.5 / scale if scale < 1 else 0.0
    image = np.ascontiguousarray(image_linear, np.float32)
    if sigma > 0.6:
        image = cv2.GaussianBlur(image, (0, 0), sigma)  # against aliasing
    linear = cv2.warpAffine(image, to_reduced, (int(width), int(height)), borderMode=cv2.BORDER_REPLICATE)
    inside = np.ones(image.shape[:2], np.float32) if mask is None else np.ascontiguousarray(mask, np.float32)
    reduced_mask = cv2.warpAffine(inside, to_reduced, (int(width), int(height)), flags=cv2.INTER_AREA)
    gradient = np.stack([np.gradient(linear, axis=1), np.gradient(linear, axis=0)], axis=-1)
    return ReducedPhoto(linear, gradient, reduced_mask, scale, (float(low[0]), float(low[1])))
