"""Albedos described by PCA, with and without the detail stage."""

from __future__ import annotations

import numpy as np
import pytest

from backend.evaluation.parameters import AlbedoModelSettings
from backend.evaluation.skin import albedo_model
from backend.evaluation.skin.albedo_model import KnownAlbedo
from backend.evaluation.tables import Row
from backend.head.model import HeadModel, load_head_model
from backend.imaging.colour import linear_to_srgb
from backend.prior.linear import cosine
from backend.prior.linear.factor_model import AlbedoPca
from backend.texture.uv_space import uv_space
from backend.training.priors.linear import albedo_pca

SIDE = 128
SETTINGS = AlbedoModelSettings(components=(2, 4), side=SIDE)


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


def cosines(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return cosine.analyse(np.moveaxis(maps, -1, -3))


@pytest.fixture(scope="module")
def pca() -> AlbedoPca:
    """Four directions of broad waves about a grey."""
    rng = np.random.default_rng(0)
    even = np.zeros((40, 3, cosine.count(0)), np.float32)
    odd = np.zeros((40, 3, cosine.count(1)), np.float32)
    even[..., :2], odd[..., :2] = rng.normal(0, 0.03, (40, 3, 2)), rng.normal(0, 0.02, (40, 3, 2))
    even[..., 0] += 0.4
    return albedo_pca(even, odd, 4, seed=0)


def albedo_of(pca: AlbedoPca, weights: np.ndarray) -> KnownAlbedo:
    linear = pca.mean_map(SIDE).copy()
    for channel in range(3):
        linear[..., channel] += np.tensordot(weights, pca.component_maps(channel, SIDE), 1)
    known = np.zeros((SIDE, SIDE), bool)
    known[20:100, 10:118] = True
    return KnownAlbedo("test", "somebody", linear_to_srgb(linear).astype(np.float32), known)


def test_an_albedo_of_the_model_is_found_again_from_its_known_texels(pca: AlbedoPca) -> None:
    albedo = albedo_of(pca, np.array([1.0, -0.5, 0.8, 0.3]))
    whole = albedo_model.map_of(albedo_model.described(pca, [4], albedo, SETTINGS)[4], SIDE)
    np.testing.assert_allclose(whole, albedo.albedo_srgb, atol=0.004)


def test_more_components_describe_better(pca: AlbedoPca) -> None:
    albedo = albedo_of(pca, np.array([1.0, -0.5, 1.5, -1.2]))
    found = albedo_model.described(pca, [1, 2, 4], albedo, SETTINGS)
    errors = [np.abs(albedo_model.map_of(coarse, SIDE) - albedo.albedo_srgb).mean() for coarse in found.values()]
    assert errors[0] > errors[1] > errors[2]


def test_a_smaller_coarse_map_holds_the_broad_and_loses_the_fine(pca: AlbedoPca) -> None:
    broad = albedo_model.described(pca, [4], albedo_of(pca, np.ones(4)), SETTINGS)[4]
    whole, small = albedo_model.map_of(broad, 512), albedo_model.map_of(broad, 512, 64)
    np.testing.assert_allclose(small[16:-16, 16:-16], whole[16:-16, 16:-16], atol=0.002)
    fine = broad.copy()
    fine[:, 0, (cosine.places(0)[0] == 0) & (cosine.places(0)[1] == 100)] = 0.02
    assert np.abs(albedo_model.map_of(fine, 512) - whole).max() > 0.01
    np.testing.assert_array_equal(albedo_model.map_of(fine, 512, 64), small)


def test_models_are_named_by_components_and_by_the_side_of_the_coarse_map() -> None:
    names = [name for name, _, _ in albedo_model.contenders(AlbedoModelSettings())]
    assert names == ["64", "128", "256", "100 at 64", "100 at 128"]


@pytest.mark.slow
def test_the_detail_stage_brings_back_what_the_band_cannot_hold(model: HeadModel, pca: AlbedoPca) -> None:
    space = uv_space(model, 512)
    smooth = np.full((512, 512, 3), 0.7, np.float32)
    grain = np.random.default_rng(1).normal(0, 0.03, (512, 512, 1)).astype(np.float32)
    known = space.mask.copy()
    albedo = KnownAlbedo("test", "somebody", np.clip(smooth + grain, 0, 1), known)
    coarse = albedo_model.described(pca, [4], albedo, AlbedoModelSettings(side=256))[4]
    detailed = albedo_model.with_detail(coarse, albedo, model, space)
    plain = albedo_model.map_of(coarse, 512)
    face = known & (np.abs(np.arange(512) - 256) < 60)[None] & (np.abs(np.arange(512) - 256) < 60)[:, None]

    def error(image: np.ndarray) -> float:
        return float(np.square(image - albedo.albedo_srgb)[face].mean())

    assert error(detailed.texture_srgb) < 0.3 * error(plain)
    # Half of what looks like relief leaves the albedo for the normals.
    assert error(detailed.texture_srgb) < error(detailed.diffuse_albedo_srgb) < error(plain)


def test_a_gain_below_two_decibels_is_missed() -> None:
    rows = []
    for person, extra in (("a", 1.0), ("b", 2.0)):
        rows.append(Row("256", "heads", person, {"PSNR": 30.0}))
        rows += [Row(f"256 + detail, {kind}", "heads", person, {"PSNR": 30.0 + extra}) for kind in ("A_d", "T")]
    assert [s.split(":")[0] for s in albedo_model.verdicts(rows, 256)] == ["MISSED", "MISSED"]
