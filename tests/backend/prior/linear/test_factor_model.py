"""Cosines, the coarse prior's file, and its training on maps of known structure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.prior.channels import LINEAR
from backend.prior.linear import cosine
from backend.prior.linear.factor_model import (
    NORMAL_X,
    CoarsePrior,
    load_coarse_prior,
    save_coarse_prior,
)
from backend.texture.maps import SkinMaps
from backend.texture.uv_space import mirror, mirror_normals
from backend.training.priors.linear import as_cosines, fit_prior, stacked

pytestmark = pytest.mark.slow

SIDE = 128


def smooth(rng: np.random.Generator, order: int = 6) -> np.ndarray:
    """A random smooth map [S, S], symmetric and antisymmetric parts alike."""
    base = cosine.samples(SIDE, order)
    return base @ (rng.normal(size=(order, order)) / 12) @ base.T


def skins(count: int, seed: int = 0) -> list[SkinMaps]:
    """Skins in one family: a tone, a gain of the light, and a few patterns that all maps share."""
    rng = np.random.default_rng(seed)
    patterns = [smooth(rng) for _ in range(4)]
    result = []
    for _ in range(count):
        amounts = rng.normal(size=4)
        pattern = sum((a * p for a, p in zip(amounts, patterns, strict=True)), np.zeros((SIDE, SIDE)))
        albedo = np.exp(-1.3 + 0.3 * rng.normal() + 0.3 * pattern)[..., None] * np.array([1.0, 0.8, 0.65])
        texture = np.clip(albedo * np.exp(0.2 * rng.normal()), 0, 1)
        slope = np.clip(0.2 * pattern, -0.5, 0.5)
        normal = np.stack([slope, 0 * slope, np.sqrt(1 - slope**2)], -1)
        ones = np.ones((SIDE, SIDE), np.float32)
        encoded = [np.where(v <= 0.0031308, 12.92 * v, 1.055 * v ** (1 / 2.4) - 0.055) for v in (texture, albedo)]
        result.append(SkinMaps(encoded[0], encoded[1], 0.3 + 0.05 * pattern, normal, ones))
    return result


@pytest.fixture(scope="module")
def prior() -> CoarsePrior:
    return fit_prior(as_cosines(skins(40), 40), "layout", {"how": "toy"}, seed=0, factors=14)


def test_analysis_and_synthesis_undo_each_other_on_smooth_maps() -> None:
    image = smooth(np.random.default_rng(1))
    even, odd = cosine.analyse(image)
    rebuilt = cosine.synthesise(even, 0, SIDE) + cosine.synthesise(odd, 1, SIDE)
    np.testing.assert_allclose(rebuilt, image, atol=1e-4)


def test_odd_columns_change_their_sign_in_a_mirror() -> None:
    image = smooth(np.random.default_rng(2))
    even, odd = cosine.analyse(image)
    mirrored_even, mirrored_odd = cosine.analyse(mirror(image))
    np.testing.assert_allclose(mirrored_even, even, atol=1e-5)
    np.testing.assert_allclose(mirrored_odd, -odd, atol=1e-5)


def test_synthesis_at_another_resolution_shows_the_same_map() -> None:
    even, _ = cosine.analyse(smooth(np.random.default_rng(3)))
    fine, coarse = cosine.synthesise(even, 0, 256), cosine.synthesise(even, 0, 64)
    averaged = fine.reshape(64, 4, 64, 4).mean((1, 3))
    assert np.abs(averaged - coarse).max() < 0.02 * np.abs(fine).max()


def test_too_few_pixels_are_refused() -> None:
    with pytest.raises(ValueError, match="frequencies"):
        cosine.analyse(np.zeros((64, 64)))


def test_the_factors_span_the_training_skins(prior: CoarsePrior) -> None:
    held_in = stacked(skins(40)[7])
    mean = prior.mean_maps(SIDE).transpose(2, 0, 1)
    factors = prior.factor_maps(SIDE).transpose(2, 0, 1, 3).reshape(-1, prior.latents)
    difference = (held_in - mean).reshape(-1)
    solution = np.linalg.lstsq(factors, difference, rcond=None)[0]
    left = (difference - factors @ solution).reshape(LINEAR.total, -1)
    assert np.abs(left[LINEAR.diffuse]).max() < 0.05
    assert np.abs(solution).max() < 6


def test_mirrored_skins_are_as_likely_as_their_originals(prior: CoarsePrior) -> None:
    maps = skins(40)[3]
    flipped = SkinMaps(
        mirror(maps.texture_srgb),
        mirror(maps.diffuse_albedo_srgb),
        mirror(maps.specular_albedo),
        mirror_normals(maps.normal),
        maps.visibility,
    )
    mean = prior.mean_maps(SIDE).transpose(2, 0, 1).reshape(-1)
    factors = prior.factor_maps(SIDE).transpose(2, 0, 1, 3).reshape(-1, prior.latents)
    latent, other = (
        np.linalg.solve(factors.T @ factors + np.eye(prior.latents), factors.T @ (stacked(m).reshape(-1) - mean))
        for m in (maps, flipped)
    )
    sign = np.where(prior.parity == 0, 1, -1)
    np.testing.assert_allclose(other, sign * latent, atol=0.02)


def test_the_specular_albedo_is_expected_at_its_mean_and_as_uncertain_as_it_was(prior: CoarsePrior) -> None:
    latent = np.random.default_rng(6).normal(size=prior.latents)
    moved = prior.maps_of(latent, 64) - prior.mean_maps(64)
    assert np.all(moved[..., LINEAR.specular] == 0)
    assert np.abs(moved[..., LINEAR.diffuse]).max() > 0.1
    drawn = np.stack([maps.specular_albedo for maps in skins(40)])
    both = np.concatenate([drawn, drawn[..., ::-1]])
    np.testing.assert_allclose(prior.noise[LINEAR.specular.start].mean(), both.var(0).mean(), rtol=0.05)


def test_one_latent_is_the_mean_plus_its_factors(prior: CoarsePrior) -> None:
    latent = np.random.default_rng(5).normal(size=prior.latents)
    expected = prior.mean_maps(64) + prior.factor_maps(64) @ latent
    np.testing.assert_allclose(prior.maps_of(latent, 64), expected, atol=1e-4)


def test_drawn_noise_has_the_variance_that_was_fitted(prior: CoarsePrior) -> None:
    rng = np.random.default_rng(5)
    drawn = np.stack([prior.drawn_noise(SIDE, rng) for _ in range(40)])
    expected = prior.noise_maps(SIDE)
    np.testing.assert_allclose(drawn.var(0, ddof=1).mean((0, 1)), expected.mean((0, 1)), rtol=0.02)
    enlarged = prior.drawn_noise(4 * cosine.ORDER, rng)
    np.testing.assert_array_equal(enlarged[::2, ::2], enlarged[1::2, 1::2])


def test_symmetric_factors_have_antisymmetric_normals(prior: CoarsePrior) -> None:
    maps = prior.factor_maps(64)[..., prior.parity == 0]
    albedo, across = maps[:, :, LINEAR.diffuse.start], maps[:, :, NORMAL_X]
    np.testing.assert_allclose(albedo, albedo[:, ::-1], atol=1e-4)
    np.testing.assert_allclose(across, -across[:, ::-1], atol=1e-4)


def test_the_file_gives_the_prior_back_nearly_exactly(prior: CoarsePrior, tmp_path: Path) -> None:
    path = tmp_path / "prior.safetensors"
    assert save_coarse_prior(prior, path) == path.stat().st_size
    back = load_coarse_prior(path)
    assert back.layout == "layout"
    assert back.metadata["how"] == "toy"
    latent = np.random.default_rng(6).normal(size=prior.latents)
    np.testing.assert_allclose(back.maps_of(latent, 64), prior.maps_of(latent, 64), atol=0.03)
    deviation = prior.albedo.component_maps(1, 64).std()
    difference = back.albedo.component_maps(1, 64) - prior.albedo.component_maps(1, 64)
    assert np.abs(difference).max() < 0.1 * deviation


def test_the_same_prior_is_always_the_same_file(prior: CoarsePrior, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.safetensors" for number in range(8)]
    for path in paths:
        save_coarse_prior(prior, path)
    assert len({path.read_bytes() for path in paths}) == 1


def test_another_file_is_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"mean": np.zeros(3, np.float32)}, tmp_path / "other.safetensors", metadata={"format": "other"})
    with pytest.raises(ValueError, match="not a relightify coarse prior"):
        load_coarse_prior(tmp_path / "other.safetensors")
    with pytest.raises(FileNotFoundError):
        load_coarse_prior(tmp_path / "missing.safetensors")


def test_a_stream_that_ends_early_is_an_error() -> None:
    with pytest.raises(ValueError, match="gave 2 samples"):
        as_cosines(skins(2), 3)


def test_the_albedo_components_rebuild_each_channel(prior: CoarsePrior) -> None:
    maps = skins(40)[11]
    linear = np.exp(stacked(maps)[LINEAR.diffuse])
    for channel in range(3):
        components = prior.albedo.component_maps(channel, SIDE).reshape(len(prior.albedo.parity[channel]), -1)
        difference = (linear[channel] - prior.albedo.mean_map(SIDE)[..., channel]).reshape(-1)
        solution = np.linalg.lstsq(components.T, difference, rcond=1e-4)[0]
        assert np.abs(difference - components.T @ solution).max() < 0.02
