"""A completion on tensors against NumPy's; tests/test_cuda_paths.py runs it on a stand-in for a GPU."""

from __future__ import annotations

import pytest

from tests.backend.prior.linear.device_case import LIMITS, completed, differences

pytestmark = pytest.mark.slow


def test_a_completion_on_tensors_is_that_of_numpy() -> None:
    found = differences(completed("cpu"), completed("cpu:0"))  # the second are tensors of the CPU
    assert found.keys() == LIMITS.keys()
    assert {name: apart for name, apart in found.items() if apart > LIMITS[name]} == {}
    assert max(found.values()) > 0  # it did take another way
