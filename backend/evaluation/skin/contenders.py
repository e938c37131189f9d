"""What the table `reflectance` compares: every prior, with the photo's reflectance and with its own, and the mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from backend.delight.delighting import DelightedTexture
from backend.pipeline import Pipeline
from backend.prior.channels import LINEAR
from backend.prior.interface import CompletedMaps, GuidanceTerm, Prior
from backend.prior.linear.factor_model import CoarsePrior
from backend.prior.linear.prior import unit_normals
from backend.progress import Progress
from shared.errors import RelightifyError
from shared.options import Reflectance

MEAN, FLAT, INFERRED = "mean map", "flat normals", ", inferred"


class MeanMap:
    """The linear prior's mean, whatever the photo shows: what a prior has to beat."""

    draws, infers = False, True

    def __init__(self, coarse: CoarsePrior) -> None:
        self.coarse = coarse

    def complete(
        self,
        delit: DelightedTexture,
        seeds: Sequence[int],
        progress: Progress,
        guidance: Sequence[GuidanceTerm] = (),
        reflectance: Reflectance = "prior",
    ) -> Iterator[CompletedMaps]:
        """See `backend.prior.interface.Prior.complete`."""
        mean = np.ascontiguousarray(self.coarse.mean_maps(delit.skin.working.resolution), np.float32)
        colour, albedo = (np.ascontiguousarray(mean[..., c]) for c in (LINEAR.texture, LINEAR.diffuse))
        normal = unit_normals(mean[..., LINEAR.normal])
        progress.report(1.0)
        for _ in seeds:
            yield CompletedMaps(colour, albedo, albedo, mean[..., LINEAR.specular.start], normal)


@dataclass(frozen=True)
class Contender:
    """A way to get all maps.

    Args:
        name: in the table.
        prior: completes.
        reflectance: where A_d, A_s and N come from.
    """

    name: str
    prior: Prior
    reflectance: Reflectance


def contenders(pipeline: Pipeline, without: Sequence[str] = ()) -> list[Contender]:
    """Every prior of an installation, and the mean; `high` with its own reflectance is the paper's chain.

    Args:
        without: names of those that are left out.

    Raises:
        RelightifyError: ``quality_unavailable``, one of these names is nobody's.
    """
    found: list[Contender] = []
    for name, prior in pipeline.priors.items():
        found.append(Contender(name, prior, "photo"))
        if prior.infers:
            found.append(Contender(name + INFERRED, prior, "prior"))
    if pipeline.coarse is not None:
        found.append(Contender(MEAN, MeanMap(pipeline.coarse), "prior"))
    names = [contender.name for contender in found]
    if unknown := sorted(set(without) - set(names)):
        raise RelightifyError(
            "quality_unavailable", f"There is no column {', '.join(unknown)}.", f"There are: {'; '.join(names)}."
        )
    return [contender for contender in found if contender.name not in without]
