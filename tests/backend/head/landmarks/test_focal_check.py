"""The focal length of a file is taken where the face's perspective allows it."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from backend.head.landmarks.focal_check import fit_with_focal
from backend.head.model import HeadModel, load_head_model
from backend.photo.landmark_table import interocular_px
from tests.backend.head.landmarks.test_landmark_fit import SIZE, camera_at, person


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


def landmarks(model: HeadModel, seed: int, distance: float, focal: float) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks of somebody as a detector finds them, off by 1 % of the interocular distance, and expression scores."""
    identity, expression = person(model, seed)
    pixels = camera_at(8, 3, distance, focal).project(model.landmarks(model.shape(identity, expression)))
    off = np.random.default_rng(seed).normal(size=pixels.shape) * 0.01 * interocular_px(pixels)
    return pixels + off, expression


@pytest.mark.parametrize(("distance", "focal"), [(0.3, 800.0), (0.6, 1500.0), (1.5, 3500.0)])
def test_true_focal_length_is_taken(model: HeadModel, distance: float, focal: float) -> None:
    for seed in (1, 2):
        pixels, expression = landmarks(model, seed, distance, focal)
        found, _, known = fit_with_focal(model, pixels, expression, SIZE, SIZE, focal)
        assert known
        assert found.depth == pytest.approx(distance, rel=0.15)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_focal_length_of_the_uncropped_photo_is_noticed_and_estimated(
    model: HeadModel, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    pixels, expression = landmarks(model, seed, 1.5, 3500.0)
    with caplog.at_level(logging.INFO):
        found, _, known = fit_with_focal(model, pixels, expression, SIZE, SIZE, 560.0)
    assert not known
    assert found.depth > 0.5
    assert "cropped" in caplog.text


def test_focal_length_that_nothing_gives_is_estimated(model: HeadModel) -> None:
    pixels, expression = landmarks(model, 1, 0.6, 1500.0)
    assert not fit_with_focal(model, pixels, expression, SIZE, SIZE, None)[2]
    assert not fit_with_focal(model, pixels, expression, SIZE, SIZE, 1e5)[2]
