"""Drawing triangles into a layout and sampling maps of another."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.body.resampling import (
    bilinear,
    covered_texels,
    levels_of,
    sampled,
    texels_across,
    with_margin,
)

SQUARE = np.array([[[0.25, 0.25], [0.75, 0.25], [0.75, 0.75]], [[0.25, 0.25], [0.75, 0.75], [0.25, 0.75]]])


def test_triangles_cover_each_texel_once_and_weights_give_its_place() -> None:
    texels = covered_texels(SQUARE, 64)
    place = texels.rows * 64 + texels.columns
    assert len(np.unique(place)) == len(place)
    inside = (texels.rows >= 16) & (texels.rows < 48) & (texels.columns >= 16) & (texels.columns < 48)
    assert inside.sum() == 32 * 32
    assert len(place) <= 34 * 34, "and half a texel beside them"
    uv = texels.values(SQUARE)[inside]
    assert np.allclose(uv[:, 0], (texels.columns[inside] + 0.5) / 64, atol=1e-6)
    assert np.allclose(uv[:, 1], 1 - (texels.rows[inside] + 0.5) / 64, atol=1e-6)


def test_mirrored_and_empty_triangles_and_those_outside() -> None:
    mirrored = covered_texels(SQUARE[:, ::-1], 32)
    assert len(mirrored.rows) == len(covered_texels(SQUARE, 32).rows)
    assert len(covered_texels(SQUARE + 2.0, 32).rows) == 0
    assert len(covered_texels(np.full((3, 3, 2), 0.5), 32).rows) == 0


def test_carried_over_map_is_the_same_picture() -> None:
    y, x = np.mgrid[0:128, 0:128] / 128
    image = np.stack([np.sin(9 * x), np.cos(7 * y), x * y], axis=-1).astype(np.float32)
    whole = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]], float)
    turned = np.stack([1 - whole[..., 1], whole[..., 0]], axis=-1)
    texels = covered_texels(turned, 128)
    found = np.zeros_like(image)
    across = texels_across(whole, turned, 128, 128)
    assert np.allclose(across, 1.0)
    found[texels.rows, texels.columns] = sampled(levels_of(image), texels.values(whole), across[texels.triangles])
    assert np.abs(found - np.rot90(image)).max() < 1e-4


@pytest.mark.parametrize("size", [16, 32])
def test_smaller_map_is_averaged_rather_than_picked(size: int) -> None:
    noise = np.random.default_rng(0).normal(size=(256, 256, 1)).astype(np.float32)
    uv = (np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=-1).reshape(-1, 2) + 0.5) / size
    found = sampled(levels_of(noise), uv, np.full(len(uv), 256 / size))
    assert found.std() == pytest.approx(size / 256, rel=0.25)


def test_image_with_an_odd_side_is_sampled_too() -> None:
    image = np.full((5, 7, 2), 0.3, np.float32)
    assert len(levels_of(image)) == 1
    assert np.allclose(sampled(levels_of(image), np.array([[0.5, 0.5], [-1.0, 2.0]]), np.array([9.0, 1.0])), 0.3)
    assert np.allclose(bilinear(np.full((1, 1, 1), 0.7, np.float32), np.array([[0.2, 0.9]])), 0.7)


def test_margin_continues_what_is_known_and_changes_none_of_it() -> None:
    image, known = np.zeros((20, 20, 1), np.float32), np.zeros((20, 20), bool)
    image[8:12, 8:12], known[8:12, 8:12] = 0.6, True
    image[8:12, 12] = 0.1
    known[8:12, 12] = True
    found = with_margin(image, known, steps=3)
    assert np.allclose(found[known], image[known])
    assert found[9, 5, 0] == pytest.approx(0.6)
    assert found[9, 15, 0] == pytest.approx(0.1)
    assert found[9, 4, 0] == 0.0
