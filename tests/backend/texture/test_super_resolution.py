"""Enlarging photos that are smaller than the maps."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.imaging.colour import srgb_to_linear
from backend.texture.parameters import EnlargingSettings
from backend.texture.super_resolution import (
    SPREAD,
    TAPS,
    Enlarger,
    block_weights,
    enlarged,
    enlarged_luminance,
    load_enlargers,
    save_enlargers,
)
from backend.training.skin.super_resolution import Portrait, fit_enlarger, reduced

LARGEST_SIDE = round(EnlargingSettings().largest ** 0.5)


def picture(seed: int, side: int = 256) -> np.ndarray:
    """Soft edges and a little grain, sRGB uint8 [side, side, 3]."""
    rng = np.random.default_rng(seed)
    edges = (cv2.GaussianBlur(rng.normal(size=(side, side)), (0, 0), 6.0) > 0).astype(float)
    grain = cv2.GaussianBlur(rng.normal(size=(side, side)), (0, 0), 1.5)
    image = 0.35 + 0.25 * cv2.GaussianBlur(edges, (0, 0), 0.8) + 0.02 * grain / grain.std()
    return np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)[..., None].repeat(3, axis=2)


def linear(image: np.ndarray) -> np.ndarray:
    return srgb_to_linear(image / 255.0).astype(np.float32)


@pytest.fixture(scope="module")
def learnt() -> dict[int, Enlarger]:
    faces = [Portrait(picture(seed), np.ones((256, 256), bool)) for seed in range(3)]
    return {factor: fit_enlarger(faces, factor, np.random.default_rng(0)) for factor in (2, 4)}


@pytest.mark.parametrize("factor", [2, 4])
def test_a_learnt_enlarger_is_nearer_to_the_truth_than_bicubic(learnt: dict[int, Enlarger], factor: int) -> None:
    truth = picture(9)
    small = reduced(truth, factor)[..., 0].astype(np.float32) / 255
    inside = (slice(16, -16), slice(16, -16))
    bicubic = cv2.resize(small, (256, 256), interpolation=cv2.INTER_CUBIC)
    own, other = (
        np.square(image - truth[..., 0] / 255.0)[inside].mean()
        for image in (enlarged_luminance(small, learnt[factor]), bicubic)
    )
    assert own < 0.8 * other


def test_the_enlargers_that_ship_sharpen_an_edge_without_ringing() -> None:
    row = np.where(np.arange(160) < 83, 0.62, 0.42)
    truth = np.round(255 * cv2.GaussianBlur(np.tile(row, (160, 1)), (0, 0), 1.0)).astype(np.uint8)[..., None]
    for enlarger in load_enlargers():
        small = reduced(truth.repeat(3, axis=2), enlarger.factor)[..., 0].astype(np.float32) / 255
        large = enlarged_luminance(small, enlarger)
        bicubic = cv2.resize(small, (160, 160), interpolation=cv2.INTER_CUBIC)
        own, other = (np.square(image - truth[..., 0] / 255.0)[24:-24].mean() for image in (large, bicubic))
        assert own < other
        assert large[24:-24].max() < 0.65
        assert large[24:-24].min() > 0.39


def test_even_colours_and_the_places_of_pixels_stay() -> None:
    even = np.full((20, 30, 3), 0.25, np.float32) * np.array([1.0, 0.8, 0.6], np.float32)
    image, factor = enlarged(even, load_enlargers(), pixels_per_texel=0.2)
    assert factor == 4
    assert image.shape == (80, 120, 3)
    np.testing.assert_allclose(image, np.broadcast_to(even[0, 0], image.shape), atol=2e-3)
    spot = np.full((24, 24), 0.5, np.float32)
    spot[9, 14] = 0.7
    large = enlarged_luminance(spot, load_enlargers()[0])
    weight = np.clip(large - 0.52, 0, None)
    centre = [float((weight * grid).sum() / weight.sum()) for grid in np.indices(large.shape)]
    np.testing.assert_allclose(centre, [18.5, 28.5], atol=0.35)


def test_photos_are_enlarged_only_as_far_as_they_need_and_fit() -> None:
    photo = np.full((16, 16, 3), 0.2, np.float32)
    factors = [enlarged(photo, load_enlargers(), pixels)[1] for pixels in (1.0, 0.5, 0.2)]
    assert factors == [1, 2, 4]
    large = np.broadcast_to(np.float32(0.2), (LARGEST_SIDE, LARGEST_SIDE, 3))
    assert enlarged(large, load_enlargers(), 0.2)[1] == 1
    assert enlarged(photo, (), 0.2)[1] == 1


def test_overlapping_guesses_weigh_one_together() -> None:
    for factor in (2, 4):
        weights = block_weights(factor).reshape(SPREAD, factor, SPREAD, factor).sum((0, 2))
        np.testing.assert_allclose(weights, 1, atol=1e-5)


def test_saved_enlargers_do_the_same(learnt: dict[int, Enlarger], tmp_path: Path) -> None:
    save_enlargers(tuple(learnt.values()), {}, tmp_path / "enlargers.npz")
    loaded = load_enlargers(tmp_path / "enlargers.npz")
    small = reduced(picture(5), 4)[..., 0].astype(np.float32) / 255
    for one, other in zip(learnt.values(), loaded, strict=True):
        assert other.guesses.shape[1:] == (TAPS**2, (SPREAD * one.factor) ** 2)
        np.testing.assert_allclose(enlarged_luminance(small, one), enlarged_luminance(small, other), atol=0.01)
