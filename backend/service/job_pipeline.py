"""The real pipeline as the worker sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.device import available_devices
from backend.head.corrections import CorrectableFit
from backend.head.fit_exchange import fit_from, refitted, same_fit
from backend.output import describe
from backend.photo.face_choice import FoundFaces, found_faces
from backend.photo.reading import read_photo
from backend.photo.viewer_copy import viewer_copy
from backend.pipeline import Pipeline
from backend.progress import Progress
from backend.reconstruction import FurtherSample
from backend.texture.maps import SkinMaps
from shared.corrections import Corrections
from shared.head_mesh import HeadMesh
from shared.maps import sample_key
from shared.options import JobOptions
from shared.refit_messages import Refit, Refitted


@dataclass(frozen=True)
class Files:
    """The encoded maps, and under `photo` a copy of the photo where a client may not show the file itself upright.

    Args:
        maps: of the first sample.
        further: maps of samples 2, 3, ...
        photo: the copy, or None.
    """

    maps: SkinMaps
    further: tuple[FurtherSample, ...]
    photo: bytes | None

    def encode(self) -> Mapping[str, bytes]:
        files = dict(self.maps.encode())
        for number, sample in enumerate(self.further, 2):
            files.update({sample_key(number, name): file for name, file in sample.files.items()})
        return files if self.photo is None else {**files, "photo": self.photo}


@dataclass(frozen=True)
class JobOutcome:
    """What goes back to the client, see `shared.messages.Result`."""

    mesh: HeadMesh
    maps: Files
    info: Mapping[str, Any]
    warnings: tuple[str, ...]


class ServicePipeline:
    """A warm `Pipeline` that describes its results as `reconstruction.json` does."""

    def __init__(self, device: str) -> None:
        self._pipeline = Pipeline(device)
        self.device = self._pipeline.device
        self.devices = available_devices()
        self.qualities = tuple(self._pipeline.priors)
        self._begun: CorrectableFit | None = None

    def reconstruct(
        self,
        photos: Sequence[bytes],
        options: JobOptions,
        progress: Progress,
        further_faces: Sequence[int | None] = (),
        corrections: Corrections = Corrections(),
    ) -> JobOutcome:
        """See `Pipeline.reconstruct`."""
        done = self._pipeline.reconstruct(
            photos, options, progress, further_faces=further_faces, corrections=corrections
        )
        files = Files(done.maps, done.further, viewer_copy(photos[done.fit.numbers[0]]))
        return JobOutcome(done.mesh, files, describe(done, self._pipeline.model), done.warnings)

    def detect(self, data: bytes, progress: Progress) -> FoundFaces:
        """The faces of a photo, for the user to choose from.

        Raises:
            RelightifyError: the photo cannot be read, or has no face.
        """
        progress = progress.named("photo")
        progress.report(0.0)
        photo = read_photo(data)
        progress.report(0.3)
        return found_faces(photo, self._pipeline.detector.detect(photo, thorough=True))

    def refit(self, request: Refit) -> Refitted:
        """The head that goes through corrected points. What the last fit needed is kept for the next of it.

        Raises:
            RelightifyError: ``bad_corrections``, also where the fit is of another head model.
        """
        if self._begun is None or not same_fit(self._begun.fit, request.fit):
            self._begun = self._pipeline.corrector.begin(fit_from(request.fit, self._pipeline.model))
        return refitted(request.job_id, self._begun, request.corrections)


def create(device: str) -> ServicePipeline:
    """The factory that `WorkerSettings` names by default."""
    return ServicePipeline(device)
