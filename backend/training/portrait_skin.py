"""Which pixels of a studio portrait are taken as facial skin."""

from __future__ import annotations

import cv2
import numpy as np

from backend.head.landmark_groups import EYE_LEFT, EYE_RIGHT, LIPS_INNER
from backend.photo.landmarks import Face
from backend.photo.reading import Photo


def portrait_skin(photo: Photo, face: Face) -> np.ndarray:
    """Inside the landmarks' hull, without eyes and mouth opening: float32 [H, W] in [0, 1].

    Hair that falls into the hull stays; it is found later, in texture space, where all people can be compared.
    """
    mask = np.zeros((photo.height, photo.width), np.uint8)
    hull = cv2.convexHull(face.landmarks_px[:468].astype(np.float32))[:, 0]
    cv2.fillPoly(mask, [np.round(hull).astype(np.int32)], 255)
    reach = max(1, round(0.02 * face.interocular_px))
    mask = cv2.erode(mask, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    for group in (EYE_LEFT, EYE_RIGHT, LIPS_INNER):
        cv2.fillPoly(mask, [np.round(face.landmarks_px[list(group)]).astype(np.int32)], 0)
    return cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 0.4 * reach)
