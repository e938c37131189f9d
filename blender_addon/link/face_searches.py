"""Which faces are in photos: what is being looked for, and what was found. No Blender in here."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .._shared import Detect, RelightifyError
from . import jobs
from .jobs import Event, Job

# Outcomes that are kept: of two lists of photos of one person.
MOST_KEPT = 16
# Of errors that are about the photo.
PHOTO_CODES = (
    "photo_empty",
    "photo_unreadable",
    "photo_is_raw",
    "photo_truncated",
    "photo_too_small",
    "photo_too_large",
    "no_face",
    "face_in_profile",
)


@dataclass(frozen=True)
class FaceSearch:
    """The search for the faces of a photo.

    Args:
        key: the photo, as whoever asked tells photos apart.
        job: where the search is; its `faces` are the outcome.
    """

    key: str
    job: Job

    @property
    def problem(self) -> RelightifyError | None:
        """Why the photo cannot be used; None where that is not known, as where the backend has ended."""
        error = self.job.error
        return error if error is not None and error.code in PHOTO_CODES else None

    @property
    def in_vain(self) -> bool:
        """Whether it has ended and nothing is known of the photo."""
        return self.job.ended and self.job.faces is None and self.problem is None


class FaceSearches:
    """The searches under way, and the newest that have ended, one a photo."""

    def __init__(self) -> None:
        # The last that was asked for.
        self.latest: FaceSearch | None = None
        # A tuple, a new one at each change, so that who draws it sees whether anything has changed.
        self.all: tuple[FaceSearch, ...] = ()

    @property
    def busy(self) -> bool:
        """Whether any is under way."""
        return any(not search.job.ended for search in self.all)

    def of(self, key: str) -> FaceSearch | None:
        """The search in a photo, None where there was none."""
        return next((search for search in self.all if search.key == key), None)

    def begin(self, request: Detect, name: str, key: str, *, beside: bool) -> tuple[str, ...]:
        """Take note of a search.

        Args:
            request: what the backend is asked.
            name: the photo's name without its ending.
            key: see `FaceSearch`.
            beside: whether those that are under way go on.

        Returns:
            The ids of jobs to be cancelled.
        """
        older = [search for search in self.all if search.key != key and (beside or search.job.ended)]
        given_up = [search.job.job_id for search in self.all if not search.job.ended and search not in older]
        self.latest = FaceSearch(key, Job(request.job_id, name))
        self.all = (*older[-MOST_KEPT + 1 :], self.latest)
        return tuple(given_up)

    def take(self, event: Event) -> None:
        """Move all on by an event of the line or of the backend."""
        moved = tuple(self._moved(search, event) for search in self.all)
        if any(now is not before for now, before in zip(moved, self.all, strict=True)):
            self.all = moved
            if self.latest is not None:
                self.latest = self.of(self.latest.key)

    @staticmethod
    def _moved(search: FaceSearch, event: Event) -> FaceSearch:
        job = jobs.advance(search.job, event)
        return search if job is search.job else replace(search, job=job)
