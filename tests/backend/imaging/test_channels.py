"""Reductions over channels are NumPy's, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest

from backend.imaging.channels import largest, length, smallest, total


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(40, 50, 3), (5000, 2), (30, 20, 1), (3000, 4), (2000, 6)])
def test_they_are_what_numpy_gives(shape: tuple[int, ...], dtype: type) -> None:
    values = np.random.default_rng(0).normal(size=shape).astype(dtype)
    np.testing.assert_array_equal(largest(values), values.max(-1))
    np.testing.assert_array_equal(smallest(values), values.min(-1))
    np.testing.assert_array_equal(total(values), values.sum(-1))
    np.testing.assert_array_equal(length(values), np.linalg.norm(values, axis=-1))
    assert all(result.dtype == dtype for result in (largest(values), smallest(values), total(values), length(values)))
