"""Several samples of one photo: who can make them, in which order, and under which names they travel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from backend.delight.delighting import DelightedTexture
from backend.prior.classical.prior import ClassicalPrior
from backend.prior.interface import CompletedMaps, GuidanceTerm, require_able
from backend.progress import Progress
from backend.reconstruction import FurtherSample
from backend.service.job_pipeline import Files
from backend.texture.maps import PartialTexture, SkinMaps
from shared.errors import RelightifyError
from shared.maps import MAPS, maps_of_sample, sample_count
from shared.options import JobOptions, Reflectance
from tests.backend.completing import completed, frontal_skin

SIDE = 4


def grey(level: float) -> SkinMaps:
    colour, plane = np.full((SIDE, SIDE, 3), level, np.float32), np.full((SIDE, SIDE), level, np.float32)
    up = np.tile(np.array([0, 0, 1], np.float32), (SIDE, SIDE, 1))
    return SkinMaps(colour, colour, plane, up, plane)


class GreyByChance:
    """A prior whose completion is a grey that the seed chooses."""

    draws, infers = True, False

    def complete(
        self,
        delit: DelightedTexture,
        seeds: Sequence[int],
        progress: Progress,
        guidance: Sequence[GuidanceTerm] = (),
        reflectance: Reflectance = "photo",
    ) -> Iterator[CompletedMaps]:
        side = delit.skin.working.resolution
        for seed in seeds:
            plane = np.full((side, side), np.random.default_rng(seed).random(), np.float32)
            colour = np.repeat(plane[..., None] - 2, 3, -1)
            yield CompletedMaps(colour, colour, colour, plane)


def test_sample_k_is_what_a_job_of_one_sample_makes_with_the_seed_plus_k() -> None:
    skin = frontal_skin(256)
    partial = PartialTexture(np.full((256, 256, 3), 0.5, np.float32), skin.uv_space.mask.astype(np.float32))
    several = completed(GreyByChance(), partial, skin, 5, 6, 7)
    alone = [completed(GreyByChance(), partial, skin, seed)[0] for seed in (5, 6, 7)]
    for together, single in zip(several, alone, strict=True):
        np.testing.assert_array_equal(together.specular_albedo, single.specular_albedo)
        np.testing.assert_array_equal(together.diffuse_albedo_srgb, single.diffuse_albedo_srgb)
    assert len({float(s.specular_albedo[128, 128]) for s in several}) == 3


def test_several_samples_of_a_prior_without_chance_are_an_error_that_says_what_to_do() -> None:
    with pytest.raises(RelightifyError) as raised:
        require_able(ClassicalPrior(), "baseline", 2, "photo")
    assert raised.value.code == "bad_option"
    assert "draft" in raised.value.hint
    require_able(ClassicalPrior(), "baseline", 1, "photo")
    require_able(GreyByChance(), "standard", 8, "photo")


def test_reflectance_of_a_prior_that_knows_none_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(RelightifyError) as raised:
        require_able(ClassicalPrior(), "baseline", 1, "prior")
    assert raised.value.code == "bad_option"
    assert "draft" in raised.value.hint


@pytest.mark.parametrize("options", [{"samples": 0}, {"samples": 9}, {"samples": 5, "resolution": 4096}])
def test_numbers_of_samples_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(RelightifyError) as raised:
        JobOptions(quality="standard", **options)
    assert raised.value.code == "bad_option"


def test_a_result_holds_the_maps_of_every_sample_and_gives_them_back() -> None:
    further = tuple(FurtherSample(seed, grey(seed / 4).encode(), np.zeros((9, 3))) for seed in (1, 2))
    files = Files(grey(0.0), further, {"photo": b"jpeg"}).encode()
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
