"""Enlarging photos that are smaller than the maps."""

from __future__ import annotations

import cv2
import numpy as np

from backend.texture.enlarging import doubled, enlarged, fitted_kernel


def picture(seed: int, side: int = 256) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(side, side))
    image = cv2.GaussianBlur(noise, (0, 0), 1.0) + 2 * cv2.GaussianBlur(noise, (0, 0), 3.0)
    return 0.5 + 0.1 * image / image.std()


def halved(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def test_a_fitted_kernel_is_nearer_to_the_truth_than_bicubic() -> None:
    pairs = [(halved(picture(seed)), picture(seed)) for seed in range(3)]
    kernel = fitted_kernel(pairs, 0.002, 4000, np.random.default_rng(0), even=False)
    truth = picture(9)
    small = halved(truth).astype(np.float32)
    inside = (slice(16, -16), slice(16, -16))
    bicubic = cv2.resize(small, truth.shape, interpolation=cv2.INTER_CUBIC)
    own, other = (np.square(image - truth)[inside].mean() for image in (doubled(small, kernel), bicubic))
    assert own < 0.8 * other


def test_even_colours_stay_and_large_photos_are_left_alone() -> None:
    kernels = np.zeros((2, 4, 9, 9), np.float32)
    kernels[:, :, 4, 4] = 0.9
    even = np.full((20, 30, 3), 0.25, np.float32)
    image, factor = enlarged(even, kernels, pixels_per_texel=0.2)
    assert factor == 4
    assert image.shape == (80, 120, 3)
    np.testing.assert_allclose(image, 0.25, atol=1e-3)
    assert enlarged(even, kernels, pixels_per_texel=1.0)[1] == 1
