from __future__ import annotations

import numpy as np
import pytest

from backend.head.shading.lighting import (
    Lighting,
    SkinSamples,
    first_lighting,
    rendered,
    sample_albedo,
    shading_basis,
    shading_gradient,
)
from backend.rendering.spherical_harmonics import irradiance


def unit(points: np.ndarray) -> np.ndarray:
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def face_like(light: np.ndarray, tone: float, seed: int = 0) -> SkinSamples:
    """Front-facing samples of one tone (mode 0) seen under a light."""
    rng = np.random.default_rng(seed)
    normals = unit(rng.normal(size=(600, 3)) * [1, 1, 0.4] + [0, 0, 1])
    basis = np.stack([np.full((600, 3), 0.1), (normals[:, :1] > 0) * np.array([[0.05, 0.0, 0.0]])], axis=-1)
    empty = np.zeros((600, 3))
    samples = SkinSamples(
        empty, np.ones_like(empty), normals, np.tile([0.4, 0.3, 0.25], (600, 1)), basis, np.ones(600), np.ones(600)
    )
    colours = rendered(samples, Lighting(light, np.array([tone, 0.0])))
    return SkinSamples(colours, np.ones_like(empty), normals, samples.albedo_mean, basis, np.ones(600), np.ones(600))


def side_light() -> np.ndarray:
    light = np.zeros((9, 3))
    light[0], light[1], light[2], light[3] = 2.4, 0.3, 0.9, 0.6
    return light


def test_shading_is_irradiance_over_pi() -> None:
    normals = unit(np.random.default_rng(1).normal(size=(20, 3)))
    light = np.random.default_rng(2).normal(size=(9, 3))
    np.testing.assert_allclose(shading_basis(normals) @ light, irradiance(normals, light) / np.pi, rtol=1e-6)


def test_shading_gradient_agrees_with_finite_differences() -> None:
    normals = np.random.default_rng(1).normal(size=(20, 3))
    gradient = shading_gradient(normals)
    for axis in range(3):
        step = np.eye(3)[axis] * 1e-4
        numeric = (shading_basis(normals + step) - shading_basis(normals - step)) / 2e-4
        np.testing.assert_allclose(gradient[..., axis], numeric, atol=1e-6)


def test_light_and_albedo_explain_the_colours_they_made() -> None:
    samples = face_like(side_light(), tone=0.3)
    found = first_lighting(samples, 1, sigma=0.02, scale=0.1, effective=600)
    assert np.abs(rendered(samples, found) - samples.colours).mean() < 0.01
    # The light comes from the subject's left and from above, as it did.
    assert found.light[3].mean() > 0
    assert found.light[1].mean() > 0


def test_darker_skin_gets_a_darker_albedo_under_the_same_light() -> None:
    tones = []
    for tone in (-1.5, 1.5):
        samples = face_like(side_light(), tone)
        found = first_lighting(samples, 1, sigma=0.05, scale=0.1, effective=250)
        tones.append(sample_albedo(samples, found).mean())
    assert tones[0] < 0.75 * tones[1]


def test_a_highlight_does_not_pull_the_light() -> None:
    samples = face_like(side_light(), tone=0.0)
    samples.colours[:30] += 0.5
    clean = first_lighting(face_like(side_light(), 0.0), 1, sigma=0.05, scale=0.06, effective=250)
    found = first_lighting(samples, 1, sigma=0.05, scale=0.06, effective=250)
    assert np.abs(rendered(samples, found) - rendered(samples, clean)).mean() < 0.015


@pytest.mark.parametrize("occlusion", [0.3, 1.0])
def test_occlusion_darkens_in_proportion(occlusion: float) -> None:
    samples = face_like(side_light(), tone=0.0)
    hidden = SkinSamples(**{**samples.__dict__, "occlusion": np.full(600, occlusion)})
    lighting = Lighting(side_light(), np.zeros(2))
    np.testing.assert_allclose(rendered(hidden, lighting), occlusion * rendered(samples, lighting))
