"""Scores of draws: a proper one, and whose skin a sample is."""

from __future__ import annotations

import numpy as np
import pytest

from backend.evaluation.distribution.scores import energy_score, expected_nearest, mean_distance, nearest_ratio


def mean_score(deviation: float, offset: float = 0.0, truths: int = 400) -> float:
    """Mean energy score of eight draws from N(offset, deviation^2) in 20 dimensions for truths from N(0, 1)."""
    rng = np.random.default_rng(3)
    scores = [
        energy_score(offset + deviation * rng.standard_normal((8, 20)), rng.standard_normal(20)) for _ in range(truths)
    ]
    return float(np.mean(scores))


def test_the_true_distribution_scores_best() -> None:
    true = mean_score(1.0)
    assert true < mean_score(0.5) - 0.02
    assert true < mean_score(1.6) - 0.02
    assert true < mean_score(1.0, offset=0.5) - 0.02


def test_a_certain_draw_scores_its_distance() -> None:
    truth = np.zeros((2, 2))
    assert energy_score(np.full((1, 2, 2), 3.0), truth) == pytest.approx(3.0)
    assert energy_score(np.full((5, 2, 2), 3.0), truth) == pytest.approx(3.0)


def test_two_draws_score_less_half_of_what_they_differ_by() -> None:
    draws = np.array([[1.0, 1.0], [-1.0, -1.0]])
    assert mean_distance(draws) == pytest.approx(2.0)
    assert energy_score(draws, np.zeros(2)) == pytest.approx(1.0 - 2.0 / 2)


def test_the_nearest_of_a_random_few_is_counted_in_closed_form() -> None:
    assert expected_nearest(np.array([3.0, 1.0, 2.0]), 3) == 1.0
    assert expected_nearest(np.array([3.0, 1.0, 2.0]), 1) == pytest.approx(2.0)
    assert expected_nearest(np.array([3.0, 1.0, 2.0]), 2) == pytest.approx((1 + 1 + 2) / 3)
    with pytest.raises(ValueError, match="4 of 3"):
        expected_nearest(np.array([3.0, 1.0, 2.0]), 4)


def test_a_copy_is_seen_to_be_one_and_a_stranger_is_not() -> None:
    others = np.array([1.0, 1.2])
    assert nearest_ratio(np.array([0.0, 1.5]), others) < 1
    copied = np.concatenate([[0.0], np.full(9, 1.0)])
    assert nearest_ratio(copied, others) == pytest.approx(0.8)
    assert nearest_ratio(np.linspace(1.0, 1.2, 10), np.linspace(1.0, 1.2, 10)) == pytest.approx(1.0)
