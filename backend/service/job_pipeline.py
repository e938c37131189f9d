"""The real pipeline as the worker sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.device import available_devices
from backend.head.correction.corrections import CorrectableFit
from backend.head.correction.fit_exchange import fit_from, refitted, same_fit
from backend.head.exchange import ENVIRONMENT_HEIGHT
from backend.output import describe
from backend.photo.face_choice import FoundFaces, found_faces
from backend.photo.profile_outline import find_profile, in_profile
from backend.photo.reading import read_photo
from backend.photo.viewer_copy import viewer_copy
from backend.pipeline import Pipeline
from backend.progress import Progress
from backend.reconstruction import FurtherSample
from backend.rendering.spherical_harmonics import environment_map
from backend.texture.maps import SkinMaps
from shared.corrections import Corrections
from shared.head_mesh import HeadMesh
from shared.maps import sample_key
from shared.options import JobOptions
from shared.photos import copy_key
from shared.refit_messages import Refit, Refitted


@dataclass(frozen=True)
class Files:
    """The encoded maps, and copies of photos where a client may not show the file itself upright.

    Args:
        maps: of the first sample.
        further: maps of samples 2, 3, ...
        photos: the copies that there are, by `shared.photos.copy_key`.
    """

    maps: SkinMaps
    further: tuple[FurtherSample, ...]
    photos: Mapping[str, bytes]

    def encode(self) -> Mapping[str, bytes]:
        files = dict(self.maps.encode())
        for number, sample in enumerate(self.further, 2):
            files.update({sample_key(number, name): file for name, file in sample.files.items()})
        return {**files, **self.photos}


@dataclass(frozen=True)
class JobOutcome:
    """What goes back to the client, see `shared.messages.Result`."""

    mesh: HeadMesh
    maps: Files
    info: Mapping[str, Any]
    warnings: tuple[str, ...]
    further_lights: Mapping[str, np.ndarray]


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
        fit = done.fit
        copies = {copy_key(n + 1, fit.numbers[0] + 1): viewer_copy(photos[n]) for n in fit.numbers}
        files = Files(done.maps, done.further, {key: copy for key, copy in copies.items() if copy is not None})
        further = zip(fit.numbers[1:], fit.views[1:], strict=True)
        lights = {str(n + 1): environment_map(view.light, ENVIRONMENT_HEIGHT) for n, view in further}
        return JobOutcome(done.mesh, files, describe(done, self._pipeline.model), done.warnings, lights)

    def detect(self, data: bytes, progress: Progress) -> FoundFaces:
        """The faces of a photo, for the user to choose from.

        Raises:
            RelightifyError: the photo cannot be read, or has no face: ``face_in_profile`` where a head is seen that can
                be used beside a photo of its face, ``no_face`` elsewhere.
        """
        progress = progress.named("photo")
        progress.report(0.0)
        photo = read_photo(data)
        progress.report(0.3)
        faces = self._pipeline.detector.detect(photo, thorough=True)
        segmenter = self._pipeline.segmenter
        if not faces and segmenter is not None and find_profile(photo, segmenter) is not None:
            raise in_profile()
        return found_faces(photo, faces)

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
