"""The faces of a photo as a user chooses among them: where they are, what they look like, and which can be used."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.photo.face_detector import Face, choose_face
from backend.photo.parameters import ThumbnailSettings
from backend.photo.reading import Photo
from shared.errors import RelightifyError


@dataclass(frozen=True)
class FoundFaces:
    """What `shared.messages.Faces` carries.

    Args:
        boxes: float32 [N, 4], x0, y0, x1, y1 as parts of the photo's width and height.
        thumbnails: uint8 [N, S, S, 3], sRGB.
        photo: uint8 [h, w, 3], sRGB, the photo reduced.
        problems: why a face cannot be reconstructed, empty where it can.
    """

    boxes: np.ndarray
    thumbnails: np.ndarray
    photo: np.ndarray
    problems: tuple[str, ...]


def found_faces(photo: Photo, faces: tuple[Face, ...], settings: ThumbnailSettings = ThumbnailSettings()) -> FoundFaces:
    """Describe detected faces, in their order.

    Args:
        photo: the upright photo.
        faces: what `FaceDetector.detect` found in it.

    Raises:
        RelightifyError: ``no_face``.
    """
    if not faces:
        choose_face(faces)
    size = np.array([photo.width, photo.height] * 2, np.float32)
    boxes = np.array([face.box for face in faces], np.float32) / size
    thumbnails = np.stack([thumbnail(photo.image_srgb, face, settings) for face in faces])
    scale = min(1.0, settings.photo_px / max(photo.width, photo.height))
    reduced = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    small = cv2.resize(np.ascontiguousarray(photo.image_srgb), reduced, interpolation=cv2.INTER_AREA)
    problems = tuple(problem(faces, index) for index in range(len(faces)))
    return FoundFaces(boxes.astype(np.float32), thumbnails, small, problems)


def problem(faces: tuple[Face, ...], index: int) -> str:
    """Why a face cannot be reconstructed; empty where it can."""
    try:
        choose_face(faces, index)
    except RelightifyError as error:
        return error.message
    return ""


def thumbnail(image_srgb: np.ndarray, face: Face, settings: ThumbnailSettings = ThumbnailSettings()) -> np.ndarray:
    """The face cut out of a photo uint8 [H, W, 3]: uint8 [S, S, 3]; beyond the photo's edges they are continued."""
    x0, y0, x1, y1 = face.box
    side = (1 + 2 * settings.margin) * max(face.size_px, 1.0)
    left, top = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2
    low = np.maximum(np.floor([left, top]).astype(int), 0)
    high = np.minimum(np.ceil([left + side, top + side]).astype(int), image_srgb.shape[1::-1])
    cut = image_srgb[low[1] : max(high[1], low[1] + 1), low[0] : max(high[0], low[0] + 1)]
    before = np.maximum(np.round(-np.array([left, top])).astype(int), 0)
    after = np.maximum(np.round([left + side, top + side]).astype(int) - image_srgb.shape[1::-1], 0)
    padded = cv2.copyMakeBorder(cut, before[1], after[1], before[0], after[0], cv2.BORDER_REPLICATE)
    method = cv2.INTER_AREA if side > settings.side_px else cv2.INTER_LINEAR
    return cv2.resize(padded, (settings.side_px, settings.side_px), interpolation=method)
