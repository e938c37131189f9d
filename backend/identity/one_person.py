"""The photos of one person among those that were given: read, with the person's face in each; others are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.identity.strangers import StrangerSettings, strangers
from backend.photo.face_detector import FaceDetector
from backend.photo.parameters import PhotoParameters
from backend.photo.profile_outline import Profile, find_profile, in_profile
from backend.photo.reading import read_photo
from backend.photo.skin.segmentation import Segmenter
from backend.photo.view import View, find_face, find_view
from backend.progress import Progress
from shared.errors import RelightifyError
from shared.photos import MOST_PHOTOS, photo_name

if TYPE_CHECKING:
    from backend.identity.embedder import FaceEmbedder
# What a head in full profile is refused for by who looks for faces.
_NO_FACE = ("no_face", "face_in_profile")


@dataclass(frozen=True)
class PersonViews:
    """Views of one person.

    Args:
        views: of the photos that can be used: those that show a face, in their order, then those in full profile.
        numbers: which of the photos that were given each is of, from 0 on.
        warnings: sentences for the user about photos that are left out.
    """

    views: tuple[View | Profile, ...]
    numbers: tuple[int, ...]
    warnings: tuple[str, ...]

    @property
    def first(self) -> View:
        """The reference: the first photo that shows a face."""
        view = self.views[0]
        assert isinstance(view, View)
        return view


def person_views(
    photos: Sequence[bytes],
    faces: Sequence[int | None],
    detector: FaceDetector,
    segmenter: Segmenter | None,
    embedder: FaceEmbedder | None,
    progress: Progress,
    settings: PhotoParameters = PhotoParameters(),
    who: StrangerSettings = StrangerSettings(),
    lone_later: bool = False,
) -> PersonViews:
    """Read photos of one person.

    Those that cannot be used, or show somebody else, are left out with a warning; the first that shows a face stays. A
    head in full profile, where no face is found, can be used beside it.

    Args:
        photos: the bytes of image files.
        faces: which face of each photo, None for the largest; may be shorter.
        detector, segmenter: as `find_view` takes them.
        embedder: sees who is in a photo; without it nobody looks.
        progress: told about each photo.
        settings: of the photos.
        who: when two photos are of two people.
        lone_later: of a single photo find the face alone; the caller looks around it (`backend.photo.view`).

    Raises:
        RelightifyError: no photo can be used, as the first says why; `too_many_photos`.
    """
    if not 1 <= len(photos) <= MOST_PHOTOS:
        raise RelightifyError(
            "too_many_photos",
            f"A head is made from one to {MOST_PHOTOS} photos, not from {len(photos)}.",
            "Choose those that are sharp and show the face from different sides.",
        )
    views: dict[int, View] = {}
    profiles: dict[int, Profile] = {}
    warnings: list[str] = []
    failures: list[RelightifyError] = []
    for number, data in enumerate(photos):
        progress.report(number / len(photos))
        choice = faces[number] if number < len(faces) else None
        try:
            if lone_later and len(photos) == 1:
                views[number] = find_face(data, detector, choice, settings)
            else:
                views[number] = find_view(data, detector, choice, segmenter, settings)
        except RelightifyError as error:
            profile = _profile(data, number, segmenter, settings) if error.code in _NO_FACE else None
            if profile is not None:
                profiles[number] = profile
                continue
            failures.append(error)
            warnings.append(f"{photo_name(number + 1)} is left out: {error.message}")
    if not views:
        raise in_profile() if profiles else failures[0]
    if embedder is not None and len(views) > 1:
        numbers = list(views)
        for index in strangers(list(views.values()), embedder, who):
            seems = f"{photo_name(numbers[index] + 1)} seems to show another person"
            if index == 0:
                warnings.append(f"{seems} than the others do.")
            else:
                warnings.append(f"{seems}, so it is left out.")
                del views[numbers[index]]
    if len(photos) > 1:
        views = {number: _numbered(view, number) for number, view in views.items()}
    return PersonViews((*views.values(), *profiles.values()), (*views, *profiles), tuple(warnings))


def _profile(data: bytes, number: int, segmenter: Segmenter | None, settings: PhotoParameters) -> Profile | None:
    if segmenter is None:
        return None
    photo = read_photo(data, settings.reading)
    return find_profile(replace(photo, warnings=_told(photo.warnings, number)), segmenter, settings.profile)


def _numbered(view: View, number: int) -> View:
    """A view whose warnings say of which photo they are."""
    return replace(view, face=replace(view.face, warnings=_told(view.face.warnings, number)))


def _told(warnings: Sequence[str], number: int) -> tuple[str, ...]:
    return tuple(f"{photo_name(number + 1)}: {warning}" for warning in warnings)
