"""A view of the person: a photo, the face in it, and what is where around the face."""

from __future__ import annotations

from dataclasses import dataclass, replace

from backend.photo.face_detector import Face, FaceDetector, choose_face
from backend.photo.parameters import ReadingSettings
from backend.photo.reading import Photo, read_photo
from backend.photo.segmentation import Segmentation, Segmenter
from shared.errors import RelightifyError

WITHOUT_SEGMENTATION = (
    "The segmentation model is not there, so hair, clothes and hands are told from skin by colour alone; "
    "relightify fetch gets it."
)


@dataclass(frozen=True)
class View:
    """One photo of the person, which face in it is theirs, and where it is skin; the last None where nobody looked."""

    photo: Photo
    face: Face
    segmentation: Segmentation | None = None


def find_view(
    data: bytes,
    detector: FaceDetector,
    choice: int | None = None,
    segmenter: Segmenter | None = None,
    settings: ReadingSettings = ReadingSettings(),
) -> View:
    """Read a photo, find the person's face in it, and tell skin from what is about it.

    Args:
        data: the bytes of an image file.
        detector: finds faces and their landmarks.
        choice: index of the face, in order of size, largest first; None takes the largest.
        segmenter: tells hair, skin, clothes and other things apart; without it there is a warning.
        settings: how much of a damaged file may be missing.

    Raises:
        RelightifyError: the photo cannot be read, or shows no face that can be used.
    """
    photo = read_photo(data, settings)
    face = choose_face(detector.detect(photo, thorough=choice is not None), choice)
    if photo.missing_px is not None and _reach_into_each_other(photo.missing_px, face.box, settings.face_margin):
        raise RelightifyError(
            "photo_truncated",
            "The photo file is damaged, and part of the face is missing.",
            "Copy or download it again, or export it anew.",
        )
    face = replace(face, warnings=(*photo.warnings, *face.warnings))
    if segmenter is None:
        return View(photo, replace(face, warnings=(*face.warnings, WITHOUT_SEGMENTATION)))
    return View(photo, face, segmenter.segment(photo, face))


def _reach_into_each_other(
    missing: tuple[float, float, float, float], face: tuple[float, float, float, float], margin: float
) -> bool:
    """Whether a part of the picture is nearer to a face than a share of the face's extent; x0, y0, x1, y1 each."""
    reach = margin * max(face[2] - face[0], face[3] - face[1])
    x0, y0, x1, y1 = face[0] - reach, face[1] - reach, face[2] + reach, face[3] + reach
    return missing[0] < x1 and missing[2] > x0 and missing[1] < y1 and missing[3] > y0
