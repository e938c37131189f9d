"""Large maps a band of rows at a time: the same as the whole at once."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.imaging.filters import enlarge, masked_blur
from backend.imaging.octaves import reduce_to
from backend.imaging.rows import (
    Enlarged,
    at_side,
    bands,
    blurred_in_bands,
    filled_in_bands,
    in_bands,
    reduced_in_bands,
)

SIDE = 1024


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(SIDE, SIDE)).astype(np.float32)


@pytest.mark.parametrize("side", [32, 512, 1024, 4096, 384])
def test_bands_are_all_rows_once(side: int) -> None:
    rows = np.concatenate([np.arange(side)[band] for band in bands(side)])
    np.testing.assert_array_equal(rows, np.arange(side))
    assert all(band.stop <= side for band in bands(side))


@pytest.mark.parametrize("channels", [(), (3,)])
def test_rows_of_an_enlarged_image_are_those_of_the_whole(noise: np.ndarray, channels: tuple[int, ...]) -> None:
    small = np.ascontiguousarray(noise.reshape(-1)[: 128 * 128 * (3 if channels else 1)].reshape(128, 128, *channels))
    whole, in_parts = enlarge(small, SIDE), Enlarged(small, SIDE)
    for rows in (slice(0, 64), slice(37, 41), slice(448, 512), slice(1000, SIDE)):
        np.testing.assert_array_equal(in_parts[rows], whole[rows])
    limited = Enlarged(small, SIDE, (-0.5, 0.5))[slice(64, 128)]
    np.testing.assert_array_equal(limited, np.clip(whole[64:128], -0.5, 0.5))


@pytest.mark.parametrize("side", [64, SIDE, 2 * SIDE])
def test_rows_at_another_size_are_those_of_the_whole(noise: np.ndarray, side: int) -> None:
    rows = slice(side // 2, side // 2 + 32)
    np.testing.assert_array_equal(at_side(noise, side)[rows], reduce_to(noise, side)[rows])


def test_averages_made_in_bands_are_those_of_the_whole(noise: np.ndarray) -> None:
    for small in (64, 512, SIDE):
        np.testing.assert_allclose(
            reduced_in_bands(lambda rows: noise[rows], SIDE, small), reduce_to(noise, small), atol=1e-6
        )


@pytest.mark.parametrize("sigma", [1.5, 40.0])
def test_blurs_made_in_bands_are_those_of_the_whole(noise: np.ndarray, sigma: float) -> None:
    weight = (cv2.GaussianBlur(noise, (0, 0), 20) > 0).astype(np.float32)
    blurred = blurred_in_bands(lambda rows: noise[rows], lambda rows: weight[rows] > 0, SIDE, sigma)
    np.testing.assert_allclose(blurred[slice(0, SIDE)], masked_blur(noise, weight, sigma), atol=1e-5)


def test_every_band_is_worked_on_and_an_error_in_one_is_raised(noise: np.ndarray) -> None:
    np.testing.assert_array_equal(filled_in_bands(lambda rows: 2 * noise[rows], SIDE), 2 * noise)

    def fail(rows: slice) -> None:
        if rows.start > 0:
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        in_bands(fail, SIDE)
