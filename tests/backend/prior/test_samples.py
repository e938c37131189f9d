"""Several samples of one photo: who can make them, in which order, and under which names they travel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pytest

from backend.pipeline import FurtherSample
from backend.prior.classical.prior import BaselinePrior
from backend.prior.interface import PriorContext
from backend.prior.samples import completions, require_samples
from backend.progress import Progress
from backend.service.job_pipeline import Files
from backend.texture.maps import PartialTexture, SkinMaps
from shared.errors import RelightifyError
from shared.maps import MAPS, maps_of_sample, sample_count
from shared.options import JobOptions

SIDE = 4


def grey(level: float) -> SkinMaps:
    colour, plane = np.full((SIDE, SIDE, 3), level, np.float32), np.full((SIDE, SIDE), level, np.float32)
    up = np.tile(np.array([0, 0, 1], np.float32), (SIDE, SIDE, 1))
    return SkinMaps(colour, colour, plane, up, plane)


PARTIAL = PartialTexture(np.zeros((SIDE, SIDE, 3), np.float32), np.ones((SIDE, SIDE), np.float32))
CONTEXT = cast(PriorContext, None)  # the prior below does not look at it


class GreyByChance:
    """A prior whose completion is a grey that the seed chooses."""

    def complete(self, partial: PartialTexture, context: PriorContext, seed: int, progress: Progress) -> SkinMaps:
        return next(self.samples(partial, context, (seed,), progress))

    def samples(
        self, partial: PartialTexture, context: PriorContext, seeds: tuple[int, ...], progress: Progress
    ) -> Iterator[SkinMaps]:
        for seed in seeds:
            yield grey(float(np.random.default_rng(seed).random()))


def test_sample_k_is_what_a_job_of_one_sample_makes_with_the_seed_plus_k() -> None:
    options = JobOptions(quality="standard", seed=5, samples=3)
    several = list(completions(GreyByChance(), PARTIAL, CONTEXT, options, Progress()))
    alone = [
        next(completions(GreyByChance(), PARTIAL, CONTEXT, JobOptions(quality="standard", seed=seed), Progress()))
        for seed in (5, 6, 7)
    ]
    assert [s.specular_albedo[0, 0] for s in several] == [s.specular_albedo[0, 0] for s in alone]
    assert len({float(s.specular_albedo[0, 0]) for s in several}) == 3


def test_several_samples_of_a_prior_without_chance_are_an_error_that_says_what_to_do() -> None:
    with pytest.raises(RelightifyError) as raised:
        require_samples(BaselinePrior(), JobOptions(quality="baseline", samples=2))
    assert raised.value.code == "bad_option"
    assert "standard" in raised.value.hint
    require_samples(BaselinePrior(), JobOptions(quality="baseline"))
    require_samples(GreyByChance(), JobOptions(quality="standard", samples=8))


@pytest.mark.parametrize("options", [{"samples": 0}, {"samples": 9}, {"samples": 5, "resolution": 4096}])
def test_numbers_of_samples_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(RelightifyError) as raised:
        JobOptions(quality="standard", **options)
    assert raised.value.code == "bad_option"


def test_a_result_holds_the_maps_of_every_sample_and_gives_them_back() -> None:
    further = tuple(FurtherSample(seed, grey(seed / 4).encode(), np.zeros((9, 3))) for seed in (1, 2))
    files = Files(grey(0.0), further, b"jpeg").encode()
    assert sample_count(files) == 3
    assert {spec.name for spec in MAPS} <= set(files)
    for number, level in ((1, 0.0), (2, 0.25), (3, 0.5)):
        maps = maps_of_sample(files, number)
        assert maps["photo"] == b"jpeg"
        assert set(maps) == {*(spec.name for spec in MAPS), "photo"}
        np.testing.assert_allclose(SkinMaps.decode(maps).specular_albedo, level, atol=1e-4)
    for missing in (0, 4):
        with pytest.raises(KeyError):
            maps_of_sample(files, missing)
