"""A head in full profile, where no face is found: its outline against what is behind it.

No landmark detector knows a profile past 80 degrees, but the segmentation does, and sees the line from the forehead
over nose and lips to the chin to about a pixel. Which way the face looks and where on the line its parts are is left to
the fit, which knows the head from other photos.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.photo.parameters import ProfileSettings
from backend.photo.reading import Photo
from backend.photo.skin.segmentation import BACKGROUND, CLOTHES, FACE_SKIN, Segmentation, Segmenter
from backend.photo.upright_crop import of_pixel_numbers
from shared.errors import RelightifyError


@dataclass(frozen=True)
class FaceOutline:
    """Where a face ends against the background.

    Args:
        points_px: float64 [n, 2], in the photo's pixels, about evenly spaced.
        normals_px: float64 [n, 2], unit, away from the face (y down).
        extent_px: longer side of what is seen of the face's skin.
    """

    points_px: np.ndarray
    normals_px: np.ndarray
    extent_px: float


@dataclass(frozen=True)
class Profile:
    """A photo in which there is a head, but no face that a detector finds.

    Args:
        photo: the photo.
        segmentation: what is where around the head.
        outline: of the face.
    """

    photo: Photo
    segmentation: Segmentation
    outline: FaceOutline


def in_profile() -> RelightifyError:
    """Of a photo that shows a head, but no face, and that no photo of the face is beside."""
    return RelightifyError(
        "face_in_profile",
        "The face is seen from the side, where it cannot be measured by itself.",
        "Add a photo from the front: beside one, a profile is used.",
    )


def find_profile(photo: Photo, segmenter: Segmenter, settings: ProfileSettings = ProfileSettings()) -> Profile | None:
    """The head in a photo that shows no face, or None where there is none, or one that is too small.

    Args:
        photo: the photo.
        segmenter: tells skin of the face from what is behind it.
        settings: the chosen numbers.
    """
    segmentation = segmenter.segment_head(photo)
    if segmentation is None:
        return None
    outline = face_outline(photo, segmentation, settings)
    return None if outline is None else Profile(photo, segmentation, outline)


def face_outline(
    photo: Photo, segmentation: Segmentation, settings: ProfileSettings = ProfileSettings()
) -> FaceOutline | None:
    """Where skin of the face ends against the background; None where it is too small or does so hardly anywhere.

    The border of the segmentation, which is soft, is first brought onto the photo's edges (He et al., "Guided image
    filtering", 2010), then found between the pixels.
    """
    to_photo = cv2.invertAffineTransform(segmentation.to_crop)
    side = segmentation.probabilities.shape[0]
    image = cv2.warpAffine(
        photo.image_srgb, of_pixel_numbers(segmentation.to_crop), (side, side), borderMode=cv2.BORDER_REPLICATE
    )
    skin = np.ascontiguousarray(segmentation.probabilities[..., FACE_SKIN])
    head = 1 - segmentation.probabilities[..., BACKGROUND] - segmentation.probabilities[..., CLOTHES]
    head = cv2.ximgproc.guidedFilter(image, np.ascontiguousarray(head, np.float32), settings.edge_px, settings.edge_eps)
    rows, columns = np.nonzero(_largest(skin > 0.5))
    if len(rows) == 0:
        return None
    extent = float(max(np.ptp(rows), np.ptp(columns)))
    scale = float(np.sqrt(abs(np.linalg.det(to_photo[:, :2]))))
    if extent * scale < settings.smallest_px:
        return None
    kept_points, kept_normals = [], []
    contours, _ = cv2.findContours((head > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    soft = cv2.GaussianBlur(head, (0, 0), 1.0)
    slope = np.stack([cv2.Sobel(soft, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(soft, cv2.CV_32F, 0, 1) / 8], axis=-1)
    for contour in contours:
        numbers = contour[:, 0].astype(np.float32)
        gradient = _at(slope, numbers)
        steep = np.linalg.norm(gradient, axis=1)
        across = -gradient / np.maximum(steep, 1e-6)[:, None]
        # To where the soft border crosses one half; a step that is longer than the border is wide finds nothing.
        move = (_at(soft[..., None], numbers)[:, 0] - 0.5) / np.maximum(steep, 1e-6)
        on_border = numbers + np.clip(move, -3, 3)[:, None] * across
        inside = _at(skin[..., None], on_border - settings.inside * extent * across)[:, 0] > 0.5
        in_photo = (on_border + 0.5) @ to_photo[:, :2].T + to_photo[:, 2]
        margin = 2 * scale
        framed = (in_photo > margin).all(axis=1) & (in_photo < np.array([photo.width, photo.height]) - margin).all(1)
        framed &= (numbers > 2).all(axis=1) & (numbers < side - 3).all(axis=1)
        good = inside & framed & (steep > settings.least_slope)
        kept_points.append(in_photo[good])
        direction = across[good] @ to_photo[:, :2].T
        kept_normals.append(direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9))
    points, normals = np.concatenate(kept_points), np.concatenate(kept_normals)
    if len(points) < settings.least_length * extent:
        return None
    return FaceOutline(points.astype(np.float64), normals.astype(np.float64), extent * scale)


def _largest(mask: np.ndarray) -> np.ndarray:
    """The largest connected part of a mask."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return np.zeros(mask.shape, bool)
    return labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))


def _at(image: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Bilinear samples [n, C] of an image [h, w, C] at places [n, 2] in pixel numbers."""
    x, y = np.ascontiguousarray(numbers.T, np.float32)
    channels = [
        cv2.remap(np.ascontiguousarray(image[..., c]), x, y, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE).reshape(-1)
        for c in range(image.shape[2])
    ]
    return np.stack(channels, axis=-1)
