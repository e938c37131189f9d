"""Hair, skin of the face, skin of the body, clothes and other things in a photo, told apart by MediaPipe's multiclass
selfie segmentation (DESIGN section 5).

The network looks at 256 x 256 pixels. It sees the edges of hair and hands best where the face fills its picture, and
knows best what they are where the shoulders are in it; so it is asked about several upright crops, one of them
mirrored, and the mean is taken. A face that is out of focus it knows only where it is small in the picture, and takes
it for backdrop elsewhere; then wider crops are tried.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from backend.photo.face_detector import Face
from backend.photo.landmark_table import FACE_OVAL
from backend.photo.networks.graph_release import close_when_gone
from backend.photo.networks.model_file import SEGMENTER, fetched_model
from backend.photo.networks.native_libraries import require_graphics_libraries
from backend.photo.networks.native_logs import native_stderr_to_log
from backend.photo.networks.unused_imports import without_plotting
from backend.photo.outlines import inside
from backend.photo.reading import Photo
from backend.photo.skin.parameters import SegmentationSettings
from backend.photo.upright_crop import CROP_SIDE_PX, of_pixel_numbers, upright_crop, warped
from shared.errors import RelightifyError

# The classes in the network's order.
BACKGROUND, HAIR, BODY_SKIN, FACE_SKIN, CLOTHES, OTHERS = range(6)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Segmentation:
    """What is where around one face.

    Args:
        probabilities: float32 [S, S, 6], in the order of the classes, summing to 1, of an upright crop.
        to_crop: float64 [2, 3], affine map from the photo's continuous pixel coordinates to the crop's.
    """

    probabilities: np.ndarray
    to_crop: np.ndarray

    def over(self, box: tuple[int, int, int, int], size: tuple[int, int]) -> np.ndarray:
        """Probabilities over a part of the photo, float32 [h, w, 6]; beyond the crop its border goes on.

        Args:
            box: x0, y0, x1, y1 in pixels of the photo.
            size: w, h of the result.
        """
        x0, y0, x1, y1 = box
        to_photo = np.array([[(x1 - x0) / size[0], 0.0, x0], [0.0, (y1 - y0) / size[1], y0], [0.0, 0.0, 1.0]])
        return _resampled(self.probabilities, self.to_crop @ to_photo, size)

    def in_photo(self, kind: int, width: int, height: int) -> np.ndarray:
        """Probability of one class over the photo, float32 [height, width]; beyond the crop its border goes on."""
        part = np.ascontiguousarray(self.probabilities[..., kind])
        return _resampled(part, self.to_crop, (width, height))


class Segmenter:
    """Holds the loaded network; one object serves any number of photos, from one thread at a time."""

    def __init__(self, model_path: Path | None = None, settings: SegmentationSettings = SegmentationSettings()) -> None:
        """Load the model file, which is fetched on first use.

        Args:
            model_path: MediaPipe's ``selfie_multiclass_256x256.tflite``; None takes (and fetches) the project's own.
            settings: which crops are looked at.

        Raises:
            RelightifyError: ``missing_library``, or the model file cannot be had (see `fetched_model`).
        """
        require_graphics_libraries()
        path = fetched_model(SEGMENTER) if model_path is None else model_path
        with native_stderr_to_log():
            # Importing here keeps the half second and the native logging out of programs that segment nothing.
            with without_plotting():
                import mediapipe as mp
                from mediapipe.tasks.python import BaseOptions, vision

            options = vision.ImageSegmenterOptions(
                base_options=BaseOptions(model_asset_buffer=path.read_bytes()),
                running_mode=vision.RunningMode.IMAGE,
                output_confidence_masks=True,
                output_category_mask=False,
            )
            self._image_format: Any = mp.ImageFormat.SRGB
            self._image_class: Any = mp.Image
            self._network: Any = vision.ImageSegmenter.create_from_options(options)
            self._release = close_when_gone(self, self._network)
            # The graph speaks up once more at its first image.
            self._probabilities(np.zeros((settings.network_side_px, settings.network_side_px, 3), np.uint8))
        self._settings = settings

    def segment(self, photo: Photo, face: Face) -> Segmentation:
        """What is where around a face of a photo."""
        found, missed = None, 1.0
        for factor in self._settings.widened:
            candidate = self._segment(photo, _crops_of(face, self._settings.shift_down), factor)
            unseen = _backdrop_in_face(candidate, face)
            if found is None or unseen < missed:
                found, missed = candidate, unseen
            if missed < self._settings.missed:
                break
        assert found is not None
        return found

    def segment_head(self, photo: Photo) -> Segmentation | None:
        """What is where around the largest head of an upright photo, whose face nobody knows; None without a head."""
        side = self._settings.network_side_px
        box = (0.0, 0.0, float(photo.width), float(photo.height))
        for margin in self._settings.head_margins:
            to_view = _square_about(box, margin) * (side / CROP_SIDE_PX)
            found = self._probabilities(warped(photo.image_srgb, to_view, (side, side)))
            in_view = _box_of_largest(found[..., FACE_SKIN] > 0.5)
            if in_view is None:
                return None
            corners = np.array(in_view).reshape(2, 2)
            to_photo = cv2.invertAffineTransform(to_view)
            x0, y0, x1, y1 = (corners @ to_photo[:, :2].T + to_photo[:, 2]).reshape(-1).tolist()
            box = (x0, y0, x1, y1)
        return self._segment(photo, lambda crop_side: _square_about(box, crop_side), 1.0)

    def _segment(self, photo: Photo, crop_of: Callable[[float], np.ndarray], factor: float) -> Segmentation:
        """The mean over the crops, each so many times as wide as usual."""
        seen_side = self._settings.network_side_px
        crop_sides = [factor * crop_side for crop_side in self._settings.crop_sides]
        side, widest = 2 * seen_side, max(crop_sides)
        to_whole = crop_of(widest) * (side / CROP_SIDE_PX)
        total, weight = np.zeros((side, side, 1), np.float32), np.zeros((side, side, 1), np.float32)
        for number, crop_side in enumerate(crop_sides):
            to_view = crop_of(crop_side) * (seen_side / CROP_SIDE_PX)
            view = warped(photo.image_srgb, to_view, (seen_side, seen_side))
            mirrored = number % 2 == 1
            found = self._probabilities(view[:, ::-1] if mirrored else view)
            found = found[:, ::-1] if mirrored else found
            from_whole = _composed(to_view, cv2.invertAffineTransform(to_whole))
            # A crop's rim has no context on one side.
            ramp = np.ones((seen_side, seen_side), np.float32) if crop_side == widest else _towards_middle(seen_side)
            trust = _resampled(ramp, from_whole, (side, side))[..., None]
            total = total + trust * _resampled(found, from_whole, (side, side))
            weight += trust
        probabilities = total / weight
        return Segmentation(probabilities / probabilities.sum(axis=-1, keepdims=True), to_whole)

    def _probabilities(self, view: np.ndarray) -> np.ndarray:
        """Run the network on uint8 [s, s, 3]: float32 [s, s, 6]."""
        result = self._network.segment(self._image_class(self._image_format, np.ascontiguousarray(view)))
        return np.stack([mask.numpy_view().reshape(view.shape[:2]) for mask in result.confidence_masks], axis=-1)

    def close(self) -> None:
        """Release the native graph."""
        self._release()


def load_segmenter(settings: SegmentationSettings = SegmentationSettings()) -> Segmenter | None:
    """The project's segmenter, or None, with a warning in the log, where its model file cannot be had.

    Raises:
        RelightifyError: ``missing_library``, ``cache_unwritable``.
    """
    try:
        return Segmenter(settings=settings)
    except RelightifyError as error:
        if error.code not in ("model_unavailable", "model_corrupt"):
            raise
        _log.warning("%s Skin is told by colour alone.", error)
        return None


def _crops_of(face: Face, shift_down: float) -> Callable[[float], np.ndarray]:
    """By side, in the face's extent, the map float64 [2, 3] from the photo to an upright crop of `CROP_SIDE_PX`."""
    return lambda side: upright_crop(face.landmarks_px, 0.0, shift_down, side, 0.0)[0]


def _square_about(box: tuple[float, ...], side: float) -> np.ndarray:
    """Map float64 [2, 3] from the photo to a crop of `CROP_SIDE_PX`, so many times as large as a box x0, y0, x1, y1."""
    low, high = np.array(box[:2]), np.array(box[2:])
    scale = CROP_SIDE_PX / (side * float((high - low).max()))
    shift = CROP_SIDE_PX / 2 - scale * (low + high) / 2
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])


def _box_of_largest(mask: np.ndarray) -> tuple[float, float, float, float] | None:
    """x0, y0, x1, y1 of the largest connected part of a mask, None where there is none."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return None
    x, y, width, height, _ = stats[1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))]
    return (float(x), float(y), float(x + width), float(y + height))


def _backdrop_in_face(segmentation: Segmentation, face: Face) -> float:
    """Share of the face's oval that is taken for backdrop."""
    points = face.landmarks_px @ segmentation.to_crop[:, :2].T + segmentation.to_crop[:, 2]
    oval = inside(points, FACE_OVAL, segmentation.probabilities.shape)
    return float(segmentation.probabilities[oval, BACKGROUND].mean()) if oval.any() else 1.0


def _composed(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """The affine map [2, 3] that does `inner` and then `outer`."""
    return outer @ np.vstack([inner, (0.0, 0.0, 1.0)])


def _resampled(image: np.ndarray, from_result: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """An image [h, w] or [h, w, C] seen through a map [2, 3] from the result's continuous coordinates to its own."""
    matrix = of_pixel_numbers(from_result)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    parts = [image] if image.ndim == 2 else [image[..., k : k + 3] for k in range(0, image.shape[2], 3)]
    seen = [
        cv2.warpAffine(np.ascontiguousarray(part), matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        for part in parts
    ]
    return seen[0] if image.ndim == 2 else np.concatenate(seen, axis=-1)


def _towards_middle(side: int) -> np.ndarray:
    """Weight float32 [side, side]: 1 in the middle of the network's picture, 0 at its rim."""
    from_rim = np.minimum(np.arange(side), np.arange(side)[::-1])
    ramp = np.clip(from_rim / (0.1 * side), 0, 1).astype(np.float32)
    return np.minimum(ramp[:, None], ramp[None, :])
