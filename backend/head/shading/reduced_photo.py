"""The face as the photometric refinement looks at it: cut out of the photo and reduced."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from backend.head.landmarks.landmark_solve import FitParameters
from backend.head.parameters import PhotometricSettings
from backend.imaging.arrays import Array, as_float32, filled_with, like, namespace
from backend.imaging.colour import srgb_bytes_to_linear
from backend.imaging.filters import gaussian_blur
from backend.imaging.sampling import part_resized
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

    linear: Array
    gradient: Array
    mask: Array
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
    kind: Array = None,
) -> ReducedPhoto:
    """`reduce_photo` of a photo uint8 [H, W, 3], sRGB, of which no more than the face's surroundings is looked at.

    It goes to where `kind` is, an array of NumPy's or a tensor, and is reduced there.
    """
    extent = landmarks_px.min(axis=0), landmarks_px.max(axis=0)
    around = 0.2 * float((extent[1] - extent[0]).max())
    frame = np.array(image_srgb.shape[1::-1])
    left, top = np.clip(np.floor(extent[0] - around), 0, frame - 1).astype(int)
    right, bottom = np.clip(np.ceil(extent[1] + around), (left + 1, top + 1), frame).astype(int)
    window = (slice(top, bottom), slice(left, right))
    linear = srgb_bytes_to_linear(like(image_srgb[window], kind))
    known = None if mask is None else like(mask[window], kind)
    return reduce_photo(linear, landmarks_px - (left, top), known, settings).moved((int(left), int(top)))


def reduce_photo(
    image_linear: Array,
    landmarks_px: np.ndarray,
    mask: Array | None,
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
    size, sigma = (int(width), int(height)), 0.5 / scale if scale < 1 else 0.0
    image = as_float32(image_linear)
    if sigma > 0.6:
        image = gaussian_blur(image, sigma)  # against aliasing
    linear = part_resized(image, low, scale, size, repeat=True)
    inside = filled_with(1, image.shape[:2], image) if mask is None else as_float32(mask)
    reduced_mask = part_resized(inside, low, scale, size, repeat=False)
    gradient = namespace(linear).stack([_slope(linear, 1), _slope(linear, 0)], axis=-1)
    return ReducedPhoto(linear, gradient, reduced_mask, scale, (float(low[0]), float(low[1])))


def _slope(image: Array, axis: int) -> Array:
    """Derivative of an image [h, w, C] along an axis: half the difference of the neighbours, at the ends from one."""
    xp, count = namespace(image), image.shape[axis]

    def at(start: int, stop: int) -> Array:
        return image[start:stop] if axis == 0 else image[:, start:stop]

    between = (at(2, count) - at(0, count - 2)) / 2
    return xp.concat([at(1, 2) - at(0, 1), between, at(count - 1, count) - at(count - 2, count - 1)], axis=axis)
