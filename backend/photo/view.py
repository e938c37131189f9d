"""A view of the person: a photo and the face in it."""

from __future__ import annotations

from dataclasses import dataclass

from backend.photo.face_detector import Face, FaceDetector, choose_face
from backend.photo.reading import Photo, read_photo


@dataclass(frozen=True)
class View:
    """One photo of the person, and which face in it is theirs."""

    photo: Photo
    face: Face


def find_view(data: bytes, detector: FaceDetector, choice: int | None = None) -> View:
    """Read a photo and find the person's face in it.

    Args:
        data: the bytes of an image file.
        detector: finds faces and their landmarks.
        choice: index of the face, in order of size, largest first; None takes the largest.

    Raises:
        RelightifyError: the photo cannot be read, or shows no face that can be used.
    """
    photo = read_photo(data)
    return View(photo, choose_face(detector.detect(photo, thorough=choice is not None), choice))
