"""Patches that are cut out of a signal at a level, and what is measured of them."""

from __future__ import annotations

import numpy as np
import pytest

from backend.delight.patches import Patches, alike, cut_out, depths, opposite, opposite_of_others, rising, square, steps

SIDE = 64


def image_of(*rectangles: tuple[int, int, int, int, float]) -> np.ndarray:
    """Rectangles (first row, end, first column, end, value) on 0, float32 [H, W]."""
    image = np.zeros((SIDE, SIDE), np.float32)
    for top, bottom, left, right, value in rectangles:
        image[top:bottom, left:right] = value
    return image


def patches_of(image: np.ndarray, level: float = 0.1, texels: tuple[float, float] = (3, 1000)) -> Patches:
    patches = cut_out(image, rising(image, 0.05), level, texels)
    assert patches is not None
    return patches


def test_patches_are_cut_out_by_level_and_size() -> None:
    image = image_of((5, 15, 5, 9, 0.3), (30, 36, 40, 50, 0.2), (50, 51, 50, 52, 0.9))
    patches = patches_of(image)
    assert sorted(patches.sizes) == [40, 60]
    assert patches_of(image, 0.25).sizes.tolist() == [40]
    assert cut_out(image, rising(image, 0.05), 1.0, (3, 1000)) is None
    rows, columns = patches.extent()
    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == [(6, 10), (10, 4)]


def test_what_is_measured_of_a_patch_is_as_by_a_loop_over_its_texels() -> None:
    rng = np.random.default_rng(0)
    image = np.where(rng.random((SIDE, SIDE)) < 0.55, rng.random((SIDE, SIDE)) + 0.2, 0).astype(np.float32)
    other = rng.random((SIDE, SIDE)).astype(np.float32)
    patches = patches_of(image)
    assert len(patches.sizes) > 20
    by_value, by_other = (
        patches.quantile(patches.of(image), 0.7, ordered=True),
        patches.quantile(patches.of(other), 0.7),
    )
    for number, label in enumerate(patches.numbers):
        texels = patches.labels == label
        assert texels.sum() == patches.sizes[number]
        assert patches.mean(patches.of(other))[number] == pytest.approx(other[texels].mean(), rel=1e-5)
        assert patches.largest(patches.of(other))[number] == other[texels].max()
        assert by_value[number] == np.quantile(image[texels], 0.7, method="lower")
        assert by_other[number] == np.quantile(other[texels], 0.7, method="lower")


def test_what_is_measured_of_some_patches_is_as_among_all() -> None:
    rng = np.random.default_rng(1)
    image = np.where(rng.random((SIDE, SIDE)) < 0.55, rng.random((SIDE, SIDE)) + 0.2, 0).astype(np.float32)
    patches = patches_of(image)
    near = square(2)
    grown = np.maximum.reduce([np.roll(np.pad(image, 2), (y, x), (0, 1)) for y in range(-2, 3) for x in range(-2, 3)])
    grown = np.ascontiguousarray(grown[2:-2, 2:-2])
    kept = np.arange(len(patches.sizes)) % 5 == 0
    some = patches.only(kept)
    np.testing.assert_array_equal(depths(some), depths(patches)[kept])
    for part, whole in zip(steps(some, (image,), 2), steps(patches, (image,), 2), strict=True):
        np.testing.assert_allclose(part, whole[kept])
    strength = np.full(len(patches.sizes), 0.5)
    beside = alike(patches, opposite_of_others(patches, near, grown), strength)
    np.testing.assert_allclose(alike(some, opposite_of_others(some, near, grown), strength[kept]), beside[kept])


def test_a_step_is_what_is_within_less_what_is_without() -> None:
    patches = patches_of(image_of((20, 30, 20, 30, 0.3)))
    (found,) = steps(patches, (image_of((0, SIDE, 0, SIDE, 0.1), (20, 30, 20, 30, 0.7)),), 2)
    assert found == pytest.approx([0.6])


def test_a_patch_is_alike_what_lies_opposite_but_not_itself() -> None:
    image = image_of((10, 20, 8, 12, 0.4), (10, 20, SIDE - 12, SIDE - 8, 0.4), (40, 44, 20, SIDE - 20, 0.4))
    patches = patches_of(image)
    strength = np.full(3, 0.4)
    assert alike(patches, opposite(patches, image), strength) == pytest.approx([1, 1, 1])
    middle = patches.sizes == 4 * 24
    beside = alike(patches, opposite_of_others(patches, square(1), image), strength)
    assert beside[~middle] == pytest.approx([1, 1])
    assert beside[middle] == pytest.approx([0])
