"""Shading in texture space: a patch of sphere under known light, against closed forms and a plain sum."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backend.rendering.occlusion import direction_visibility, sphere_directions
from backend.rendering.skin_shading import (
    Heads,
    Shots,
    TexelMesh,
    evaluate_irradiance,
    gaussian_blur,
    order2_basis,
    shade,
)
from backend.rendering.spherical_harmonics import basis, irradiance

SIDE = 24
DIRECTIONS = torch.from_numpy(sphere_directions(512))


def sphere_patch(visible: float = 1.0) -> tuple[TexelMesh, Heads]:
    """A cap of a unit sphere around +z: every texel is its own vertex."""
    line = torch.linspace(-0.6, 0.6, SIDE)
    y, x = torch.meshgrid(-line, line, indexing="ij")
    normal = torch.stack([x, y, torch.sqrt(1 - x * x - y * y)], -1).reshape(1, -1, 3)
    tangent = torch.stack([normal[..., 2], torch.zeros_like(normal[..., 0]), -normal[..., 0]], -1)
    tangent = tangent / tangent.norm(dim=-1, keepdim=True)
    index = torch.arange(SIDE * SIDE).reshape(SIDE, SIDE, 1).expand(-1, -1, 3)
    weights = torch.tensor([1.0, 0.0, 0.0]).expand(SIDE, SIDE, 3)
    visibility = torch.full((1, SIDE * SIDE, len(DIRECTIONS)), visible)
    return TexelMesh(index, weights, 0.01), Heads(normal * 0.1, normal, tangent, visibility)


def flat_maps(albedo: float, specular: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    normal = torch.zeros(1, 3, SIDE, SIDE)
    normal[:, 2] = 1
    return torch.full((1, 3, SIDE, SIDE), albedo), torch.full((1, 1, SIDE, SIDE), specular), normal


def light(radiance: torch.Tensor) -> Shots:
    return Shots(DIRECTIONS, radiance[None], torch.tensor([[0.0, 0.0, 1.0]]), torch.tensor([0.4]))


def test_uniform_light_shows_a_white_surface_as_one() -> None:
    mesh, heads = sphere_patch()
    shading = shade(mesh, mesh, heads, light(torch.ones(512, 3)), *flat_maps(0.5, 0.0))
    assert shading.diffuse.mean().item() == pytest.approx(1.0, abs=0.02)


def test_smooth_light_is_summed_as_spherical_harmonics_give_it() -> None:
    mesh, heads = sphere_patch()
    coefficients = np.zeros((9, 3))
    coefficients[0], coefficients[2], coefficients[3] = 2.0, 0.5, 0.8
    radiance = torch.from_numpy((basis(DIRECTIONS.numpy()) @ coefficients).astype(np.float32))
    expected = irradiance(heads.normal[0].numpy(), coefficients) / np.pi
    shading = shade(mesh, mesh, heads, light(radiance), *flat_maps(0.5, 0.0))
    got = shading.diffuse[0].permute(1, 2, 0).reshape(-1, 3).numpy()
    np.testing.assert_allclose(got, expected, rtol=0.04)


def test_a_normal_map_turns_the_shading_towards_the_light() -> None:
    mesh, heads = sphere_patch()
    radiance = (DIRECTIONS[:, :1] > 0.5).float().expand(-1, 3) * 4
    albedo, specular, flat = flat_maps(0.5, 0.0)
    tilted = flat.clone()
    tilted[:, 0], tilted[:, 2] = 0.3, (1 - 0.09) ** 0.5
    before = shade(mesh, mesh, heads, light(radiance), albedo, specular, flat).diffuse
    after = shade(mesh, mesh, heads, light(radiance), albedo, specular, tilted).diffuse
    assert (after[..., 8:-8, 8:-8] > before[..., 8:-8, 8:-8] * 1.05).all()


def test_hidden_directions_darken_and_kill_highlights() -> None:
    radiance = (DIRECTIONS[:, 2:] > 0.95).float().expand(-1, 3) * 20
    mesh, lit = sphere_patch(1.0)
    _, hidden = sphere_patch(0.0)
    open_shading = shade(mesh, mesh, lit, light(radiance), *flat_maps(0.5, 0.4))
    dark_shading = shade(mesh, mesh, hidden, light(radiance), *flat_maps(0.5, 0.4))
    assert dark_shading.diffuse.max() < 0.1 * open_shading.diffuse.max()
    assert dark_shading.specular.max() < 0.01 * open_shading.specular.max()


def test_more_specular_albedo_gives_a_brighter_highlight_in_the_same_place() -> None:
    radiance = (DIRECTIONS[:, 2:] > 0.97).float().expand(-1, 3) * 20
    mesh, heads = sphere_patch()
    low = shade(mesh, mesh, heads, light(radiance), *flat_maps(0.5, 0.2)).specular.mean(1)[0]
    high = shade(mesh, mesh, heads, light(radiance), *flat_maps(0.5, 0.6)).specular.mean(1)[0]
    centre = SIDE // 2
    assert high[centre, centre] > 2.5 * low[centre, centre]
    assert high[centre, centre] > 3 * high[0, 0]


def test_gloss_is_gone_where_skin_turns_away_from_the_camera() -> None:
    """Seen from the side, light from behind the edge must not make it wet."""
    mesh, heads = sphere_patch()
    radiance = (DIRECTIONS[:, :1] < -0.8).float().expand(-1, 3) * 20
    shots = Shots(DIRECTIONS, radiance[None], torch.tensor([[1.0, 0.0, 0.02]]), torch.tensor([0.4]))
    gloss = shade(mesh, mesh, heads, shots, *flat_maps(0.5, 0.4)).specular.mean(1)[0]
    towards = torch.tensor([1.0, 0.0, 0.02]) - heads.position[0]
    facing = (heads.normal[0] * towards / towards.norm(dim=-1, keepdim=True)).sum(-1).reshape(SIDE, SIDE)
    assert (facing < 0.1).any()
    assert gloss[facing < 0.1].max() == 0


def test_basis_and_irradiance_agree_with_the_numpy_reference() -> None:
    directions = sphere_directions(40)
    np.testing.assert_allclose(order2_basis(torch.from_numpy(directions)).numpy(), basis(directions), atol=1e-5)
    coefficients = np.random.default_rng(0).normal(size=(9, 3))
    local = torch.from_numpy(coefficients.T.astype(np.float32))[None, :, :, None, None].expand(1, 3, 9, 40, 1)
    normal = torch.from_numpy(directions.T.copy())[None, :, :, None]
    got = evaluate_irradiance(local, normal)[0, :, :, 0].numpy().T
    np.testing.assert_allclose(got, irradiance(directions, coefficients) / np.pi, atol=1e-4)


def test_a_wall_hides_the_directions_behind_it() -> None:
    wall = np.array([[1, -50, -50], [1, 50, -50], [1, 50, 50], [1, -50, 50]], np.float32)
    triangles = np.array([[0, 1, 2], [0, 2, 3]])
    directions = sphere_directions(128)
    normal = np.array([[0, 0, 1]], np.float32)
    seen = direction_visibility(np.zeros((1, 3)), normal, wall, triangles, directions)[0]
    in_front = directions[:, 2] > 0
    assert seen[in_front & (directions[:, 0] < -0.1)].all()
    assert not seen[in_front & (directions[:, 0] > 0.1)].any()


@pytest.mark.parametrize("sigma", [1.0, 3.0, 20.0])
def test_blur_keeps_the_mean_and_spreads_a_point_to_the_right_width(sigma: float) -> None:
    image = torch.zeros(1, 1, 192, 192)
    image[..., 96, 96] = 1
    blurred = gaussian_blur(image, sigma)[0, 0]
    assert blurred.sum().item() == pytest.approx(1, abs=0.03)
    offset = torch.arange(192) - (blurred.sum(0) * torch.arange(192)).sum() / blurred.sum()
    variance = (blurred.sum(0) * offset**2).sum() / blurred.sum()
    assert variance.item() ** 0.5 == pytest.approx(sigma, rel=0.12)
