"""Light from the texture, and what a head shadows of it."""

from __future__ import annotations

import numpy as np
import pytest

from backend.delight.light import estimate_light, match_light
from backend.head.model import load_head_model
from backend.rendering.light_transfer import shading
from backend.rendering.normals import vertex_normals
from backend.rendering.skin_model import SKIN
from backend.rendering.spherical_harmonics import environment_map, irradiance, is_realisable

LIGHT = np.zeros((9, 3))
LIGHT[0] = (3.0, 2.8, 2.5)
LIGHT[1], LIGHT[2], LIGHT[3] = 0.5, 0.9, 0.6  # from above, the front and the subject's left


@pytest.fixture(scope="module")
def facing_transfer() -> np.ndarray:
    """Unshadowed transfer [n, 9] of normals that a camera in front sees."""
    rng = np.random.default_rng(5)
    normals = rng.normal(size=(4000, 3))
    normals[:, 2] = np.abs(normals[:, 2]) + 0.3
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    unit = np.eye(9)
    return np.stack([irradiance(normals, np.repeat(unit[k][:, None], 3, 1))[:, 0] / np.pi for k in range(9)], axis=1)


def test_light_is_found_despite_brows_and_highlights(facing_transfer: np.ndarray) -> None:
    rng = np.random.default_rng(6)
    albedo = np.array([0.45, 0.28, 0.2])
    truth = facing_transfer @ LIGHT
    colour = (truth * albedo * rng.normal(1, 0.03, (len(truth), 1))).astype(np.float32)
    colour[:200] *= 0.3  # brows
    colour[200:500] += 0.4  # highlights
    found = estimate_light(colour, facing_transfer.astype(np.float32), np.ones(len(colour), np.float32))
    np.testing.assert_allclose((facing_transfer @ found)[500:], (truth * albedo)[500:], rtol=0.06)


def test_light_of_no_texel_is_an_error(facing_transfer: np.ndarray) -> None:
    with pytest.raises(ValueError, match="no texel"):
        estimate_light(np.ones((10, 3), np.float32), facing_transfer[:10], np.zeros(10, np.float32))


def test_matched_light_turns_the_albedo_into_the_texture(facing_transfer: np.ndarray) -> None:
    rng = np.random.default_rng(7)
    albedo = rng.uniform(0.1, 0.6, (len(facing_transfer), 3)).astype(np.float32)
    texture = albedo * (facing_transfer @ LIGHT)
    uniform = np.zeros((9, 3))
    uniform[0] = 1.0
    found = match_light(texture.astype(np.float32), albedo, facing_transfer, np.ones(len(albedo), np.float32), uniform)
    lit = albedo * (facing_transfer @ found)
    assert np.quantile(np.abs(lit / texture - 1), 0.95) < 0.04


def test_the_light_of_a_flash_is_one_that_there_can_be_and_of_its_colour(facing_transfer: np.ndarray) -> None:
    ahead = facing_transfer[:, 2] / facing_transfer[:, 2].max()
    albedo = np.full((len(ahead), 3), (0.4, 0.25, 0.15), np.float32)
    # Falls off faster than even light from a point; blue, scattered least by skin, fastest.
    flash = np.stack([np.maximum(ahead, 0) ** power for power in (1.2, 1.5, 1.9)], axis=1)
    uniform = np.zeros((9, 3))
    uniform[0] = 1.0
    texture = (albedo * flash).astype(np.float32)
    found = match_light(texture, albedo, facing_transfer, np.ones(len(ahead), np.float32), uniform)
    assert all(is_realisable(channel * (1 - 1e-6 * (np.arange(9) > 0))) for channel in found.T)
    mean = environment_map(found, 32).mean((0, 1))
    assert mean.min() > 0.6 * mean.max()
    np.testing.assert_allclose((facing_transfer @ found).mean(0), flash.mean(0), rtol=0.1)


def test_shading_stays_positive_where_the_harmonics_do_not(facing_transfer: np.ndarray) -> None:
    hard = LIGHT.copy()
    hard[1:4] *= 6
    behind = facing_transfer * np.array([1, -1, -1, -1, 1, 1, 1, 1, 1])
    assert (behind @ hard).min() < 0
    assert shading(behind.astype(np.float32), hard).min() > 0
    bright = facing_transfer @ LIGHT > 1.2 * 0.2820948 * LIGHT[0]
    both = bright.all(axis=1)
    shown = shading(facing_transfer.astype(np.float32), LIGHT)
    np.testing.assert_allclose(shown[both], (facing_transfer @ LIGHT)[both], rtol=0.05)


def test_open_skin_gets_all_the_light_and_hidden_skin_little() -> None:
    model = load_head_model()
    transfer = model.radiance_transfer(model.mean, rays=64)
    skin = np.unique(model.triangles("skin"))
    openness = transfer[skin, 0] / (0.2820948)
    assert openness.max() <= 1.001
    assert openness.min() >= SKIN.bounce.of_hidden - 0.01
    top = skin[np.argmax(model.mean[skin, 1])]
    normals = vertex_normals(model.mean, model.triangles())
    np.testing.assert_allclose(transfer[top] @ LIGHT, irradiance(normals[top], LIGHT) / np.pi, rtol=0.05)
    nose_tip = skin[np.argmax(model.mean[skin, 2])]
    # A vertex behind the ear or in the nostril is among the most hidden; all the nose's tip sees is the sky.
    assert openness[np.searchsorted(skin, nose_tip)] > 0.9
    assert np.quantile(openness, 0.01) < 0.75
