"""Octaves of detail."""

from __future__ import annotations

import numpy as np
import pytest

from backend.imaging.octaves import COARSEST_OCTAVE, finest_octave, join, reduce_to, split, wavelength_mm


def test_bands_and_rest_make_the_image_again() -> None:
    image = np.random.default_rng(0).normal(size=(512, 512)).astype(np.float32)
    bands, rest = split(image)
    np.testing.assert_allclose(join(bands, rest), image, atol=1e-5)


@pytest.mark.parametrize("side", [512, 1024])
def test_the_same_wave_lies_in_the_same_octave_at_every_size(side: int) -> None:
    texels_per_mm = side / 320
    place = (np.arange(side) + 0.5) / texels_per_mm
    wave = np.sin(2 * np.pi * place / 3.0).astype(np.float32)  # 3 mm
    bands, _ = split(np.tile(wave, (side, 1)))
    energy = {o: float(b[8:-8, 8:-8].std()) for o, b in bands.items()}
    strongest = max(energy, key=lambda o: energy[o])
    assert abs(np.log2(wavelength_mm(strongest, texels_per_mm, side) / 3.0)) <= 0.7
    assert min(bands) == finest_octave(side)
    assert max(bands) == COARSEST_OCTAVE


def test_reducing_keeps_the_mean() -> None:
    image = np.random.default_rng(0).uniform(size=(64, 64)).astype(np.float32)
    np.testing.assert_allclose(reduce_to(image, 16).mean(), image.mean(), rtol=1e-5)
    assert reduce_to(image, 128).shape == (128, 128)
