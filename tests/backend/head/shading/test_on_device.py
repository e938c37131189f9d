"""A fit on tensors against NumPy's; tests/test_cuda_paths.py runs it on a stand-in for a GPU."""

from __future__ import annotations

import pytest

from tests.backend.head.shading.device_case import LIMITS, differences, fitted

pytestmark = pytest.mark.slow


def test_a_fit_on_tensors_is_that_of_numpy() -> None:
    found = differences(fitted("cpu"), fitted("cpu:0"))  # the second are tensors of the CPU
    assert found.keys() == LIMITS.keys()
    assert {name: most for name, most in found.items() if most > LIMITS[name]} == {}
    assert max(found.values()) > 0  # it did take another way
