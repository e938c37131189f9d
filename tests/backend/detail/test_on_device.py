"""The detail stage on tensors of the CPU beside NumPy's; tests/test_cuda_paths.py runs it on a stand-in for a GPU."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.detail.synthesis import Sample, bring_to_unit_variance, good_places, patchwork
from backend.imaging.arrays import is_tensor, to_device, to_host
from tests.backend.detail.device_case import AS_THEY_ARE, NAMES, STRENGTH, differences, made, strengths

ON_TENSORS = "cpu:0"


def test_without_made_detail_the_maps_are_the_same() -> None:
    found = differences(made("cpu", 0), made(ON_TENSORS, 0))
    assert {name: apart for name, apart in found.items() if apart > AS_THEY_ARE[name]} == {}


def test_made_detail_is_as_strong() -> None:
    here, there = made("cpu", 1), made(ON_TENSORS, 1)
    assert not any(is_tensor(getattr(there, name)) for name in NAMES)
    wanted = strengths(here)
    for name, found in strengths(there).items():
        assert found == pytest.approx(wanted[name], rel=STRENGTH), name
    assert here.detail is not None
    assert there.detail is not None
    assert (there.detail.seen, there.detail.continued, there.detail.made) == pytest.approx(
        (here.detail.seen, here.detail.continued, here.detail.made), abs=1e-3
    )


def test_patches_are_chosen_and_painted_alike() -> None:
    rng = np.random.default_rng(0)
    image = rng.normal(size=(128, 128)).astype(np.float32)
    allowed, density = np.zeros((128, 128), bool), (1 + rng.random((128, 128))).astype(np.float32)
    allowed[20:100, 20:100] = True
    needed, sort = np.zeros((256, 256), bool), np.zeros((128, 128), int)
    needed[:200, 60:] = True
    places = good_places(allowed, 10, np.random.default_rng(1))
    given = needed, sort, density, 1.5
    here = patchwork(Sample(image, density, (places,)), *given, np.random.default_rng(2))
    sample = Sample(to_device(image, ON_TENSORS), to_device(density, ON_TENSORS), (places,))
    needed, sort, density = (to_device(array, ON_TENSORS) for array in given[:3])
    there = patchwork(sample, needed, sort, density, 1.5, np.random.default_rng(2))
    assert len(there.patches) == len(here.patches) > 50
    for (*corner, matrix), (*wanted, reference) in zip(there.patches, here.patches, strict=True):
        assert corner == wanted
        np.testing.assert_allclose(matrix, reference, rtol=1e-6)
    texture = here.painted()
    np.testing.assert_allclose(to_host(there.painted()), texture, atol=0.05)  # OpenCV may know 32 places between texels
    # The same sample over its border, as a tile.
    tiled = to_host(replace(there, sample=replace(sample, periodic=True)).painted())
    reference = replace(here, sample=replace(here.sample, periodic=True)).painted()
    np.testing.assert_allclose(tiled, reference, atol=0.05)

    whole, weight = np.ascontiguousarray(texture), np.ones((256, 256), np.float32)
    there_too = to_device(whole.copy(), ON_TENSORS)
    bring_to_unit_variance(whole, weight, 1.5)
    bring_to_unit_variance(there_too, to_device(weight, ON_TENSORS), 1.5)
    np.testing.assert_allclose(to_host(there_too), whole, atol=1e-4)
