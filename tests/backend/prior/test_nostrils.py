"""Nostrils are where the head hides the sky from its nose, and dark where no photo shows them."""

from __future__ import annotations

import numpy as np
import pytest

from backend.head.model import HeadModel, load_head_model
from backend.prior.interface import CompletedMaps
from backend.prior.nostrils import nostrils, with_dark_nostrils
from backend.texture.regions import face_regions
from backend.texture.uv_space import UVSpace, mirror, uv_space

SIDE = 256


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


@pytest.fixture(scope="module")
def space(model: HeadModel) -> UVSpace:
    return uv_space(model, SIDE)


@pytest.fixture(scope="module")
def inside(model: HeadModel, space: UVSpace) -> np.ndarray:
    return nostrils(model.radiance_transfer(model.mean, 64), space, face_regions(model, space))


def test_there_are_two_alike_of_the_size_of_nostrils(model: HeadModel, space: UVSpace, inside: np.ndarray) -> None:
    deep = inside > 0.5
    place = space.positions(model.mean)[deep]
    half_width, height = np.abs(place[:, 0]), np.ptp(place[:, 1])
    assert half_width.min() > 0.001
    assert half_width.max() < 0.02
    assert 0.003 < height < 0.02
    left = int(deep[:, SIDE // 2 :].sum())
    assert deep.sum() > 100
    assert abs(2 * left - deep.sum()) < 0.1 * deep.sum()
    assert np.abs(inside - mirror(inside)).mean() < 1e-3


def test_they_are_dark_where_no_photo_shows_them_and_nothing_else_changes(
    model: HeadModel, space: UVSpace, inside: np.ndarray
) -> None:
    weight = np.zeros((SIDE, SIDE), np.float32)
    weight[:, SIDE // 2 :] = 1
    plain = np.zeros((SIDE, SIDE, 3), np.float32) - 1.0
    working = CompletedMaps(plain, plain, plain, weight)
    darker = with_dark_nostrils(working, weight, inside, face_regions(model, space))
    deep = inside > 0.95
    unseen = deep & (weight < 0.5)
    assert unseen.any()
    assert darker.log_albedo[unseen].max() < -2.8
    np.testing.assert_array_equal(darker.log_albedo[(weight > 0.5) | (inside == 0)], -1.0)
    assert darker.log_texture is working.log_texture
    assert darker.log_relief is working.log_relief
    # Red is what is left of the light in them.
    assert (darker.log_albedo[unseen][:, 0] > darker.log_albedo[unseen][:, 2]).all()
