"""The primitives on tensors against their references in NumPy; tests/test_cuda_paths.py runs them on a stand-in."""

from __future__ import annotations

import json

import pytest

from tests.backend.imaging.device_cases import LIMITS, differences


@pytest.fixture(scope="module")
def found() -> dict[str, float]:
    return json.loads(json.dumps(differences("cpu")))


@pytest.mark.parametrize("name", LIMITS)
def test_a_primitive_is_as_its_reference(found: dict[str, float], name: str) -> None:
    assert found[name] <= LIMITS[name]


def test_every_primitive_has_its_case(found: dict[str, float]) -> None:
    assert found.keys() == LIMITS.keys()
