"""Harmonics, irradiance and environment images agree with numerical integration."""

from __future__ import annotations

import numpy as np
import pytest

from backend.rendering.spherical_harmonics import (
    basis,
    environment_directions,
    environment_map,
    environment_solid_angles,
    irradiance,
    is_realisable,
    project_radiance,
    rotation_matrix,
)


def random_directions(count: int, seed: int = 0) -> np.ndarray:
    d = np.random.default_rng(seed).normal(size=(count, 3))
    return d / np.linalg.norm(d, axis=1, keepdims=True)


def soft_box(directions: np.ndarray, towards: np.ndarray, sharpness: float = 8.0) -> np.ndarray:
    """Radiance [n, 3] of a warm lamp in front of a dim bluish surrounding."""
    lamp = np.exp(sharpness * (directions @ (towards / np.linalg.norm(towards)) - 1))
    return lamp[:, None] * np.array([3.0, 2.5, 2.0]) + np.array([0.1, 0.12, 0.15])


def test_the_basis_is_orthonormal() -> None:
    values = basis(environment_directions(64)).reshape(-1, 9)
    gram = (values * environment_solid_angles(64).reshape(-1, 1)).T @ values
    np.testing.assert_allclose(gram, np.eye(9), atol=2e-3)


def test_irradiance_is_the_cosine_weighted_integral_of_order_2_light() -> None:
    light = np.random.default_rng(1).normal(size=(9, 3))
    directions = environment_directions(96).reshape(-1, 3)
    weight = environment_solid_angles(96).ravel()
    radiance = basis(directions) @ light
    for normal in random_directions(6):
        expected = (np.maximum(directions @ normal, 0) * weight) @ radiance
        np.testing.assert_allclose(irradiance(normal, light), expected, atol=2e-3)


def test_irradiance_of_a_soft_box_is_near_monte_carlo() -> None:
    sampled = random_directions(200_000)
    radiance = soft_box(sampled, np.array([0.5, 0.6, 1.0]))
    light = project_radiance(sampled, radiance, np.full(len(sampled), 4 * np.pi / len(sampled)))
    normals = random_directions(20, seed=3)
    expected = 4 * np.pi * np.stack([(np.maximum(sampled @ n, 0)[:, None] * radiance).mean(0) for n in normals])
    # Nine harmonics keep all but a few per cent of irradiance (Ramamoorthi and Hanrahan 2001).
    assert np.abs(irradiance(normals, light) - expected).max() < 0.05 * expected.max()


def test_a_soft_box_is_a_light_that_there_can_be_and_a_negative_or_harder_one_is_not() -> None:
    sampled = random_directions(20_000)
    radiance = soft_box(sampled, np.array([0.5, 0.6, 1.0]))
    light = project_radiance(sampled, radiance, np.full(len(sampled), 4 * np.pi / len(sampled)))
    assert all(is_realisable(channel) for channel in light.T)
    point = basis(np.array([0.0, 0.0, 1.0]))
    assert not is_realisable(point)
    assert not is_realisable(-point)


def test_uniform_light_lights_every_normal_alike() -> None:
    light = np.zeros((9, 3))
    light[0] = 1 / 0.28209479
    np.testing.assert_allclose(irradiance(random_directions(5), light), np.pi, rtol=1e-6)
    np.testing.assert_allclose(environment_map(light, 64), 1.0, rtol=1e-3)


@pytest.mark.parametrize("towards", [(0.3, 0.5, 1.0), (-1.0, 0.2, 0.1), (0.0, 1.0, 0.0)])
def test_the_environment_is_positive_and_keeps_the_irradiance(towards: tuple[float, float, float]) -> None:
    directions = environment_directions(32).reshape(-1, 3)
    weight = environment_solid_angles(32).ravel()
    light = project_radiance(directions, soft_box(directions, np.array(towards)), weight)
    assert (basis(directions) @ light).min() < 0  # what has to be mended
    image = environment_map(light, 32)
    assert image.dtype == np.float32
    assert image.min() > 0
    back = project_radiance(directions, image.reshape(-1, 3), weight)
    normals = random_directions(50)
    expected = irradiance(normals, light)
    assert np.abs(irradiance(normals, back) - expected).max() < 0.02 * expected.max()


def test_a_light_that_cannot_be_gives_a_finite_positive_environment() -> None:
    light = np.zeros((9, 3))
    light[0], light[2], light[6] = 1.0, 8.0, -4.0
    for wrong in (light, np.zeros((9, 3)), -light):
        image = environment_map(wrong, 16)
        assert np.isfinite(image).all()
        assert image.min() >= 0
        assert image.max() < 500 * max(image.mean(), 1e-6)


def test_the_environment_has_blenders_layout() -> None:
    # Measured in Blender 4.5: a world texture is looked up at u = 1/2 - atan2(y, x) / 2 pi, v = 1/2 + asin(z) / pi.
    height = 32
    for head, blender in (((0, 0, 1), (0, -1, 0)), ((1, 0, 0), (1, 0, 0)), ((0.3, 0.8, -0.5), (0.3, 0.5, 0.8))):
        lamp = np.array(head) / np.linalg.norm(head)
        directions = environment_directions(height).reshape(-1, 3)
        light = project_radiance(directions, soft_box(directions, lamp, 20.0), environment_solid_angles(height).ravel())
        image = environment_map(light, height).sum(-1)
        row, column = np.unravel_index(image.argmax(), image.shape)
        x, y, z = np.array(blender) / np.linalg.norm(blender)
        u, v = 0.5 - np.arctan2(y, x) / (2 * np.pi), 0.5 + np.arcsin(z) / np.pi
        assert abs((column + 0.5) / (2 * height) - u) < 0.03
        assert abs(1 - (row + 0.5) / height - v) < 0.04


def test_solid_angles_cover_the_sphere() -> None:
    assert environment_solid_angles(16).sum() == pytest.approx(4 * np.pi)


def test_environment_of_an_impossibly_directed_light_keeps_the_face_bright() -> None:
    light = np.zeros((9, 3))
    light[0], light[2] = 0.8, 4.0
    image = environment_map(light, 32)
    weight = environment_solid_angles(32)[..., None]
    ahead = np.maximum(environment_directions(32)[..., 2:], 0)
    received = (image * weight * ahead).sum((0, 1))
    np.testing.assert_allclose(received, irradiance(np.array([0.0, 0.0, 1.0]), light), rtol=0.02)


def test_the_rotation_matrix_turns_the_directions() -> None:
    rng = np.random.default_rng(3)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    directions = rng.normal(size=(50, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    np.testing.assert_allclose(basis(directions @ turn.T), basis(directions) @ rotation_matrix(turn), atol=1e-9)
