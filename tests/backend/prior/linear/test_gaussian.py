"""The Gaussian with few factors against brute force on a toy."""

from __future__ import annotations

import numpy as np
import pytest

from backend.prior.linear.gaussian import CommonScale, GaussianObservation, condition, tempered

ENTRIES, LATENTS = 40, 5


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(4)


def toy(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean, factors, noise and one draw."""
    mean, factors = rng.normal(size=ENTRIES), rng.normal(size=(ENTRIES, LATENTS))
    noise = rng.uniform(0.05, 0.2, ENTRIES)
    draw = mean + factors @ rng.normal(size=LATENTS) + rng.normal(size=ENTRIES) * np.sqrt(noise)
    return mean, factors, noise, draw


def observed(
    values: np.ndarray,
    mean: np.ndarray,
    factors: np.ndarray,
    noise: np.ndarray,
    nuisance: np.ndarray | None = None,
    variance: float = 1.0,
    robust: bool = False,
) -> GaussianObservation:
    columns = np.zeros((len(values), 0)) if nuisance is None else nuisance
    return GaussianObservation(
        values, mean, factors, noise, np.ones(len(values)), columns, np.full(columns.shape[1], variance), robust
    )


def dense_condition(
    mean: np.ndarray, covariance: np.ndarray, seen: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Textbook conditioning of a dense Gaussian: mean and covariance of the unseen entries."""
    cross = covariance[np.ix_(~seen, seen)] @ np.linalg.inv(covariance[np.ix_(seen, seen)])
    conditional = covariance[np.ix_(~seen, ~seen)] - cross @ covariance[np.ix_(seen, ~seen)]
    return mean[~seen] + cross @ (values - mean[seen]), conditional


def test_conditional_mean_and_variance_are_those_of_the_dense_gaussian(rng: np.random.Generator) -> None:
    mean, factors, noise, draw = toy(rng)
    seen = rng.random(ENTRIES) < 0.4
    dense = factors @ factors.T + np.diag(noise)
    expected, covariance = dense_condition(mean, dense, seen, draw[seen])
    posterior = condition([observed(draw[seen], mean[seen], factors[seen], noise[seen])], LATENTS)
    np.testing.assert_allclose(posterior.predict(mean[~seen], factors[~seen]), expected, atol=1e-9)
    np.testing.assert_allclose(posterior.variance(factors[~seen], noise[~seen]), np.diag(covariance), atol=1e-9)


def test_draws_of_the_posterior_have_its_mean_and_covariance(rng: np.random.Generator) -> None:
    mean, factors, noise, draw = toy(rng)
    posterior = condition([observed(draw, mean, factors, noise)], LATENTS)
    draws = np.stack([posterior.draw(rng) for _ in range(20_000)])
    spread = np.sqrt(np.diag(posterior.covariance))
    np.testing.assert_allclose((draws.mean(0) - posterior.mean) / spread, 0, atol=0.03)
    np.testing.assert_allclose(
        np.cov(draws.T) / np.outer(spread, spread), posterior.covariance / np.outer(spread, spread), atol=0.04
    )


def test_a_nuisance_is_the_same_as_its_covariance_among_what_is_seen(rng: np.random.Generator) -> None:
    mean, factors, noise, draw = toy(rng)
    seen = np.arange(ENTRIES) < 20
    gain = np.zeros((ENTRIES, 2))
    gain[:10, 0], gain[10:20, 1] = 1, 1
    values = draw + gain @ [3.0, -2.0]
    dense = factors @ factors.T + np.diag(noise) + 9.0 * gain @ gain.T
    expected, _ = dense_condition(mean, dense, seen, values[seen])
    view = observed(values[seen], mean[seen], factors[seen], noise[seen], gain[seen], variance=9.0)
    posterior = condition([view], LATENTS)
    np.testing.assert_allclose(posterior.predict(mean[~seen], factors[~seen]), expected, atol=1e-9)
    assert abs(posterior.nuisance[0][0] - 3.0) < 0.7
    assert abs(posterior.nuisance[0][1] + 2.0) < 0.7


def test_entries_without_weight_change_nothing(rng: np.random.Generator) -> None:
    mean, factors, noise, draw = toy(rng)
    full = observed(draw, mean, factors, noise)
    weight = (np.arange(ENTRIES) < 15).astype(float)
    broken = np.where(weight > 0, draw, 1e3)
    masked = GaussianObservation(broken, mean, factors, noise, weight, full.nuisance, full.nuisance_variance, False)
    first = observed(draw[:15], mean[:15], factors[:15], noise[:15])
    np.testing.assert_allclose(condition([masked], LATENTS).mean, condition([first], LATENTS).mean, atol=1e-9)


def test_outliers_hardly_move_a_robust_estimate(rng: np.random.Generator) -> None:
    mean, factors, noise, _ = toy(rng)
    truth = rng.normal(size=LATENTS)
    clean = mean + factors @ truth + rng.normal(size=ENTRIES) * np.sqrt(noise)
    dirty = clean.copy()
    dirty[::10] += 15
    plain = condition([observed(dirty, mean, factors, noise)], LATENTS).mean
    robust = condition([observed(dirty, mean, factors, noise, robust=True)], LATENTS)
    assert np.linalg.norm(robust.mean - truth) < 0.3 * np.linalg.norm(plain - truth)
    assert robust.trust[0][::10].max() < 0.1 < np.median(robust.trust[0])


def test_two_observations_are_the_same_as_both_in_one(rng: np.random.Generator) -> None:
    mean, factors, noise, draw = toy(rng)
    halves = [observed(draw[s], mean[s], factors[s], noise[s]) for s in (slice(0, 20), slice(20, None))]
    together = condition([observed(draw, mean, factors, noise)], LATENTS)
    apart = condition(halves, LATENTS)
    np.testing.assert_allclose(apart.mean, together.mean, atol=1e-9)
    np.testing.assert_allclose(apart.covariance, together.covariance, atol=1e-9)


def test_tempering_leaves_more_uncertainty(rng: np.random.Generator) -> None:
    mean, factors, noise, draw = toy(rng)
    full = observed(draw, mean, factors, noise)
    less = tempered(full, 4.0)
    assert less.weight.sum() == pytest.approx(4.0)
    assert tempered(full, 1e6) is full
    assert np.trace(condition([less], LATENTS).covariance) > np.trace(condition([full], LATENTS).covariance)


@pytest.mark.parametrize(("size", "least", "most"), [(1.0, 0.5, 2.0), (6.0, 20.0, 60.0)])
def test_the_common_scale_of_latents_is_found(rng: np.random.Generator, size: float, least: float, most: float) -> None:
    count, many = 400, 20
    factors, noise = rng.normal(size=(count, many)), np.full(count, 0.1)
    chosen = np.arange(many) < 16
    truth = np.where(chosen, size, 1.0) * rng.normal(size=many)
    values = factors @ truth + rng.normal(size=count) * np.sqrt(noise)
    seen = observed(values, np.zeros(count), factors, noise)
    scale = CommonScale(chosen, degrees=2.0, most=100.0)
    posterior = condition([seen], many, scale)
    assert least < scale.variance(posterior.mean, posterior.covariance) < most
    np.testing.assert_allclose(posterior.mean, truth, atol=0.1)


def test_larger_latents_are_shrunk_less_with_a_common_scale(rng: np.random.Generator) -> None:
    # Few and noisy entries of latents six times as large as usual.
    errors = []
    for _ in range(40):
        factors, noise = rng.normal(size=(12, LATENTS)), np.full(12, 40.0)
        truth = 6 * rng.normal(size=LATENTS)
        values = factors @ truth + rng.normal(size=12) * np.sqrt(noise)
        seen = observed(values, np.zeros(12), factors, noise)
        scale = CommonScale(np.ones(LATENTS, bool), degrees=2.0, most=100.0)
        errors.append([np.square(condition([seen], LATENTS, s).mean - truth).sum() for s in (None, scale)])
    usual, scaled = np.mean(errors, axis=0)
    assert scaled < 0.8 * usual


def test_a_common_scale_has_a_limit_and_nothing_seen_leaves_it_as_it_is(rng: np.random.Generator) -> None:
    mean, factors, noise, draw = toy(rng)
    everything = np.ones(LATENTS, bool)
    far = observed(mean + 100 * (draw - mean), mean, factors, noise)
    limited = CommonScale(everything, degrees=2.0, most=9.0)
    posterior = condition([far], LATENTS, limited)
    assert limited.variance(posterior.mean, posterior.covariance) == 9.0
    unseen = observed(draw[:0], mean[:0], factors[:0], noise[:0])
    posterior = condition([unseen], LATENTS, limited)
    np.testing.assert_allclose(posterior.covariance, np.eye(LATENTS), atol=1e-9)


def test_factors_of_another_model_are_refused(rng: np.random.Generator) -> None:
    mean, factors, noise, draw = toy(rng)
    with pytest.raises(ValueError, match="latents"):
        condition([observed(draw, mean, factors, noise)], LATENTS + 1)
