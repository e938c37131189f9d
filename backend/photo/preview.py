"""Small pictures of the stages, shown while a job runs."""

from __future__ import annotations

import cv2
import numpy as np

from backend.imaging.preview import SIDE_PX
from backend.photo.face_detector import Face
from backend.photo.reading import Photo

_DOT_RGB = (90, 230, 120)


def landmarks_preview(photo: Photo, face: Face) -> np.ndarray:
    """The photo around the face with its landmarks: uint8 [h, w, 3] sRGB, at most `SIDE_PX` a side."""
    x0, y0, x1, y1 = face.box
    margin = 0.35 * face.size_px
    left, top = max(0, int(x0 - margin)), max(0, int(y0 - margin))
    right, bottom = min(photo.width, int(x1 + margin) + 1), min(photo.height, int(y1 + margin) + 1)
    crop = photo.image_srgb[top:bottom, left:right]
    scale = SIDE_PX / max(crop.shape[:2])
    size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = np.ascontiguousarray(cv2.resize(np.ascontiguousarray(crop), size, interpolation=method))
    for x, y in (face.landmarks_px - (left, top)) * scale:
        centre = (round((x - 0.5) * 8), round((y - 0.5) * 8))
        cv2.circle(image, centre, 10, _DOT_RGB, -1, cv2.LINE_AA, shift=3)
    return image
