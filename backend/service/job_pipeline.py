"""The real pipeline as the worker sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.device import available_devices
from backend.output import describe
from backend.photo.face_choice import FoundFaces, found_faces
from backend.photo.reading import read_photo
from backend.photo.viewer_copy import viewer_copy
from backend.pipeline import Pipeline
from backend.progress import Progress
from backend.reconstruction import FurtherSample
from backend.texture.maps import SkinMaps
from shared.head_mesh import HeadMesh
from shared.maps import sample_key
from shared.options import JobOptions


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
class Outcome:
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

    def reconstruct(
        self, photos: Sequence[bytes], options: JobOptions, progress: Progress, further_faces: Sequence[int | None] = ()
    ) -> Outcome:
        """See `Pipeline.reconstruct`."""
        done = self._pipeline.reconstruct(photos, options, progress, further_faces=further_faces)
        files = Files(done.maps, done.further, viewer_copy(photos[done.fit.numbers[0]]))
        return Outcome(done.mesh, files, describe(done, self._pipeline.model), done.warnings)

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


def create(device: str) -> ServicePipeline:
    """The factory that `WorkerSettings` names by default."""
    return ServicePipeline(device)
