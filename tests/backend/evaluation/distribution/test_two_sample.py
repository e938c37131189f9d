"""The two-sample test: next to nothing for equal distributions, much for others."""

from __future__ import annotations

import numpy as np
import pytest

from backend.evaluation.distribution.two_sample import discrepancy, squared_discrepancy


def normal(count: int, seed: int, shift: float = 0.0, deviation: float = 1.0) -> np.ndarray:
    return shift + deviation * np.random.default_rng(seed).standard_normal((count, 6))


def test_equal_distributions_are_no_distance_apart() -> None:
    found = [discrepancy(normal(30, k), normal(30, 100 + k), 100, np.random.default_rng(0)) for k in range(8)]
    values = np.array([f.value for f in found])
    assert abs(values.mean()) < 3 * values.std(ddof=1) / np.sqrt(len(values)) + 1e-3
    assert np.median([f.p for f in found]) > 0.1


@pytest.mark.parametrize(("shift", "deviation"), [(1.0, 1.0), (0.0, 0.3), (0.0, 2.5)])
def test_other_means_and_other_spreads_are_found(shift: float, deviation: float) -> None:
    found = discrepancy(normal(30, 0), normal(30, 1, shift, deviation), 200, np.random.default_rng(0))
    assert found.p < 0.01
    assert found.value > 3 * found.error > 0


def test_farther_is_more() -> None:
    near, far = (discrepancy(normal(30, 0), normal(30, 1, s), 20, np.random.default_rng(0)).value for s in (0.5, 1.5))
    assert far > 3 * near > 0


def test_the_scale_of_a_feature_does_not_matter() -> None:
    stretch = np.array([1e3, 1, 1, 1e-3, 1, 1])
    plain = discrepancy(normal(20, 0), normal(20, 1, 1), 20, np.random.default_rng(0))
    stretched = discrepancy(normal(20, 0) * stretch, normal(20, 1, 1) * stretch, 20, np.random.default_rng(0))
    # The least scale of a feature that hardly varies is the one thing that is not free of units.
    assert stretched.value == pytest.approx(plain.value, rel=0.5)


def test_sets_that_never_meet_are_two_apart() -> None:
    kernel = np.kron(np.eye(2), np.ones((3, 3)))
    first, second = np.array([1, 1, 1, 0, 0, 0]), np.array([0, 0, 0, 1, 1, 1])
    assert squared_discrepancy(kernel, first, second) == pytest.approx(2.0)


def test_a_single_one_is_refused() -> None:
    with pytest.raises(ValueError, match="two samples"):
        discrepancy(normal(1, 0), normal(5, 1), 10, np.random.default_rng(0))
