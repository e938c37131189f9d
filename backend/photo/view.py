"""A view of the person: a photo, the face in it, and what is where around the face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from backend.photo.face_checks import SUNGLASSES, WEARS_GLASSES
from backend.photo.face_detector import Face, FaceDetector, choose_face, with_warnings
from backend.photo.parameters import PhotoParameters
from backend.photo.reading import Photo, read_photo
from backend.photo.skin.coverings import GLASSES, find_coverings, glasses_are_worn
from backend.photo.skin.segmentation import FACE_SKIN, Segmentation, Segmenter
from backend.photo.white_cue import WhiteCue, white_cue
from shared.errors import RelightifyError

WITHOUT_SEGMENTATION = (
    "The segmentation model is not there, so hair, clothes and hands are told from skin by colour alone; "
    "connect to the internet once, or install the backend again."
)


@dataclass(frozen=True)
class View:
    """One photo of the person.

    Args:
        photo: the photo.
        face: which face in it is theirs.
        segmentation: what is where around it; None where nobody looked.
        bare_skin: float32 [H, W], probability of skin of the face, where something covers much of it; None where
            nothing does.
        covered: share of the face's core that each kind of thing covers, by its name; what is worth a word only.
        white: what its whites tell about the light; None where nobody looked.
    """

    photo: Photo
    face: Face
    segmentation: Segmentation | None = None
    bare_skin: np.ndarray | None = None
    covered: Mapping[str, float] = field(default_factory=dict)
    white: WhiteCue | None = None


def find_view(
    data: bytes,
    detector: FaceDetector,
    choice: int | None = None,
    segmenter: Segmenter | None = None,
    settings: PhotoParameters = PhotoParameters(),
) -> View:
    """Read a photo, find the person's face in it, and tell skin from what is about it and over it.

    Args:
        data: the bytes of an image file.
        detector: finds faces and their landmarks.
        choice: index of the face, in order of size, largest first; None takes the largest.
        segmenter: tells hair, skin, clothes and other things apart; without it there is a warning.
        settings: how much of a damaged file may be missing, and from where on something covers the face.

    Raises:
        RelightifyError: the photo cannot be read, or shows no face that can be used, or little of it.
    """
    return look_around(find_face(data, detector, choice, settings), segmenter, settings)


def find_face(
    data: bytes,
    detector: FaceDetector,
    choice: int | None = None,
    settings: PhotoParameters = PhotoParameters(),
) -> View:
    """The first half of `find_view`: the photo and the person's face in it, which nobody has looked at closely.

    Raises:
        RelightifyError: the photo cannot be read, or shows no face that can be used.
    """
    photo = read_photo(data, settings.reading)
    face = choose_face(detector.detect(photo, thorough=choice is not None, warned=False), choice)
    if photo.missing_px is not None and _reach_into_each_other(
        photo.missing_px, face.box, settings.reading.face_margin
    ):
        raise RelightifyError(
            "photo_truncated",
            "The photo file is damaged, and part of the face is missing.",
            "Copy or download it again, or export it anew.",
        )
    return View(photo, replace(face, warnings=(*photo.warnings, *face.warnings)))


def look_around(view: View, segmenter: Segmenter | None, settings: PhotoParameters = PhotoParameters()) -> View:
    """The second half of `find_view`: what is about a face that was found, over it, and what may spoil the result.

    Raises:
        RelightifyError: the photo shows too little of the face.
    """
    photo, face = view.photo, with_warnings(view.face, view.photo)
    white = white_cue(photo, face.landmarks_px, settings.white_cue)
    view = replace(view, face=face, white=white)
    if segmenter is None:
        return replace(view, face=replace(face, warnings=(*face.warnings, WITHOUT_SEGMENTATION)))
    found = find_coverings(photo, face, segmenter.segment(photo, face), settings.coverings)
    view = replace(view, segmentation=found.segmentation, white=white if found.eyes_seen else white.without_eyes())
    told = [w for w in face.warnings if w != WEARS_GLASSES]
    if SUNGLASSES not in told and glasses_are_worn(photo, face, found.segmentation, settings.skin_mask.glasses):
        told.append(WEARS_GLASSES)
    if found.warning is None:
        return replace(view, face=replace(face, warnings=tuple(told)))
    if GLASSES in found.shares or found.over_eyes:
        told = [w for w in told if w not in (SUNGLASSES, WEARS_GLASSES)]
    bare_skin = found.segmentation.in_photo(FACE_SKIN, photo.width, photo.height)
    told = (*told, found.warning)
    return replace(view, face=replace(face, warnings=told), bare_skin=bare_skin, covered=found.shares)


def _reach_into_each_other(
    missing: tuple[float, float, float, float], face: tuple[float, float, float, float], margin: float
) -> bool:
    """Whether a part of the picture is nearer to a face than a share of the face's extent; x0, y0, x1, y1 each."""
    reach = margin * max(face[2] - face[0], face[3] - face[1])
    x0, y0, x1, y1 = face[0] - reach, face[1] - reach, face[2] + reach, face[3] + reach
    return missing[0] < x1 and missing[2] > x0 and missing[1] < y1 and missing[3] > y0
