from collections.abc import Callable

import numpy as np
import pytest
import torch

from backend.imaging import colour
from backend.imaging.arrays import Array

COLOURS = np.random.default_rng(0).uniform(0.0, 1.0, (200, 3))


def test_lab_round_trip() -> None:
    np.testing.assert_allclose(colour.lab_to_linear(colour.linear_to_lab(COLOURS)), COLOURS, atol=1e-9)


@pytest.mark.parametrize("encode", [colour.linear_to_srgb, colour.srgb_to_linear])
def test_tensors_are_encoded_and_decoded_as_arrays(encode: Callable[[Array], Array]) -> None:
    # Black, white and both sides of either branch's end.
    values = np.concatenate([COLOURS.ravel(), [0, 1, 0.0031308, 0.0031309, 0.04045, 0.04046]])
    np.testing.assert_allclose(encode(torch.from_numpy(values)).numpy(), encode(values), atol=1e-12)


def test_srgb_round_trip() -> None:
    np.testing.assert_allclose(colour.srgb_to_linear(colour.linear_to_srgb(COLOURS)), COLOURS, atol=1e-7)


def test_bytes_are_decoded_as_their_values() -> None:
    encoded = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_allclose(colour.srgb_bytes_to_linear(encoded), colour.srgb_to_linear(encoded / 255), atol=1e-7)


def test_gradients_of_encoding_are_finite_in_black() -> None:
    black = torch.zeros(3, requires_grad=True)
    colour.linear_to_srgb(black).sum().backward()
    assert black.grad is not None
    assert bool(black.grad.isfinite().all())
