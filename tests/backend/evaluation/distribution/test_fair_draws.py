"""Who is asked for draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np

from backend.delight.delighting import DelightedTexture
from backend.evaluation.distribution.fair_draws import SampleDraws
from backend.prior.interface import CompletedMaps, GuidanceTerm
from backend.progress import Progress
from shared.options import LIKELIEST_SEED, Reflectance


class SeedsAsTexture:
    """A prior whose textures are the seeds that it was asked for."""

    draws, infers = True, False

    def complete(
        self,
        delit: DelightedTexture,
        seeds: Sequence[int],
        progress: Progress,
        guidance: Sequence[GuidanceTerm] = (),
        reflectance: Reflectance = "photo",
    ) -> Iterator[CompletedMaps]:
        for seed in seeds:
            colour = np.full((2, 2, 3), seed, np.float32)
            yield CompletedMaps(colour, colour, colour, colour[..., 0])


def test_samples_of_a_quality_are_all_but_its_likeliest() -> None:
    drawn = SampleDraws(SeedsAsTexture()).completions(cast(DelightedTexture, None), range(3))
    found = [int(texture[0, 0, 0]) for texture in drawn]
    assert len(set(found)) == 3
    assert LIKELIEST_SEED not in found
