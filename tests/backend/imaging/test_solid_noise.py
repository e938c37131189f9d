import numpy as np

from backend.imaging.solid_noise import solid_noise


def test_solid_noise_has_unit_deviation_and_the_wavelength_asked_for() -> None:
    line = np.zeros((40_000, 3), np.float32)
    line[:, 0] = np.arange(40_000) * 0.05
    noise = solid_noise(line, wavelength_mm=2.0, seed=1)
    assert 0.8 < noise.std() < 1.2
    crossings = np.count_nonzero(np.diff(np.sign(noise)))
    assert 0.5 < 2 * 40_000 * 0.05 / crossings / 2.0 < 2.5


def test_solid_noise_is_a_function_of_place_and_seed() -> None:
    points = np.random.default_rng(0).uniform(-90, 90, (500, 3)).astype(np.float32)
    first, again = solid_noise(points, 1.5, 4), solid_noise(points[::-1], 1.5, 4)[::-1]
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - solid_noise(points, 1.5, 5)).max() > 0.5
