"""Cosine transforms of blocks, and back."""

from __future__ import annotations

import numpy as np
import pytest

from backend.photo.blocks import BLOCK, block_means, block_transforms, cosine_basis, picture_of


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(45, 70)).astype(np.float32)


def test_a_block_is_transformed_by_itself(picture: np.ndarray) -> None:
    transforms, basis = block_transforms(picture), cosine_basis()
    assert transforms.shape == (5, 8, BLOCK, BLOCK)
    block = picture[2 * BLOCK : 3 * BLOCK, 5 * BLOCK : 6 * BLOCK]
    np.testing.assert_allclose(transforms[2, 5], basis @ block @ basis.T, atol=1e-5)


def test_the_picture_comes_back(picture: np.ndarray) -> None:
    np.testing.assert_allclose(picture_of(block_transforms(picture)), picture[:40, :64], atol=1e-5)


def test_means_are_the_lowest_coefficients(picture: np.ndarray) -> None:
    np.testing.assert_allclose(block_means(picture), block_transforms(picture)[..., 0, 0] / BLOCK, atol=1e-5)
