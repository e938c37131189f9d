"""The real pipeline as the worker sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.output import describe
from backend.pipeline import Pipeline, choose_device
from backend.progress import Progress
from backend.texture.maps import SkinMaps
from shared.head_mesh import HeadMesh
from shared.options import JobOptions


@dataclass(frozen=True)
class Outcome:
    """What goes back to the client, see `shared.messages.Result`."""

    mesh: HeadMesh
    maps: SkinMaps
    info: Mapping[str, Any]
    warnings: tuple[str, ...]


class ServicePipeline:
    """A warm `Pipeline` that describes its results as `reconstruction.json` does."""

    def __init__(self, device: str) -> None:
        self._pipeline = Pipeline(device)
        self.device = self._pipeline.device
        self.devices = tuple(sorted({"cpu", self.device, choose_device("auto")}))
        self.qualities = tuple(self._pipeline.priors)

    def reconstruct(self, data: bytes, options: JobOptions, progress: Progress) -> Outcome:
        """See `Pipeline.reconstruct`."""
        done = self._pipeline.reconstruct(data, options, progress)
        return Outcome(done.mesh, done.maps, describe(done, self._pipeline.model), done.warnings)


def create(device: str) -> ServicePipeline:
    """The factory that `WorkerSettings` names by default."""
    return ServicePipeline(device)
