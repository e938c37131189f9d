"""Whitening and the linear denoiser, against dense linear algebra."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from backend.prior.diffusion.denoiser import DenoiserConfig, LatentDenoiser, untrained_network
from backend.prior.diffusion.latent_space import LatentStatistics, LinearDenoiser, cosine_matrix
from backend.prior.diffusion.local_network import LocalNetwork
from backend.prior.diffusion.schedule import NoiseSchedule

CHANNELS, SIZE, LOW, FACTORS = 6, 8, 3, 4


@pytest.fixture
def statistics() -> LatentStatistics:
    torch.manual_seed(1)
    rotation = torch.linalg.qr(torch.randn(CHANNELS // 3, 3, 3))[0]
    factors = torch.randn(FACTORS, CHANNELS, LOW, LOW)
    factors[:, 3:, :, 2:] = 0  # which no factor reaches
    return LatentStatistics(
        rotation,
        torch.randn(CHANNELS, SIZE, SIZE),
        torch.rand(CHANNELS, SIZE, SIZE) + 0.5,
        factors,
        torch.rand(CHANNELS, SIZE, SIZE) + 0.1,
    )


def covariance(statistics: LatentStatistics) -> torch.Tensor:
    """Of the whitened latents, dense, float64."""
    spectral = torch.diag(statistics.variance.flatten().double())
    factors = torch.zeros(FACTORS, CHANNELS, SIZE, SIZE)
    factors[..., :LOW, :LOW] = statistics.factors
    spectral += factors.flatten(1).double().T @ factors.flatten(1).double()
    rows = cosine_matrix(SIZE).double()
    inverse = torch.kron(torch.eye(CHANNELS).double(), torch.kron(rows.T.contiguous(), rows.T.contiguous()))
    return inverse @ spectral @ inverse.T


def test_whitening_has_an_inverse(statistics: LatentStatistics) -> None:
    latents = torch.randn(2, CHANNELS, SIZE, SIZE)
    assert torch.allclose(statistics.coloured(statistics.whitened(latents)), latents, atol=1e-5)


@pytest.mark.parametrize("t", [1, 300, 950])
def test_the_linear_denoiser_is_the_gaussian_expectation(statistics: LatentStatistics, t: int) -> None:
    schedule = NoiseSchedule.cosine()
    noisy = torch.randn(3, CHANNELS, SIZE, SIZE)
    power = float(schedule.alpha_bar[t])
    dense = covariance(statistics)
    exact = noisy.flatten(1).double() @ torch.linalg.inv(power * dense + (1 - power) * torch.eye(len(dense)))
    exact = (power**0.5 * exact @ dense).reshape(noisy.shape)
    expected = LinearDenoiser(statistics, schedule)(noisy, torch.full((3,), t))
    assert torch.allclose(expected.double(), exact, atol=1e-3)


def test_what_is_left_is_the_expected_error(statistics: LatentStatistics) -> None:
    schedule = NoiseSchedule.cosine()
    dense = covariance(statistics)
    for t in (1, 500, 1000):
        power = float(schedule.alpha_bar[t])
        posterior = (
            dense - power * dense @ torch.linalg.inv(power * dense + (1 - power) * torch.eye(len(dense))) @ dense
        )
        expected = (posterior.trace() / len(dense)).sqrt()
        left = LinearDenoiser(statistics, schedule).left(torch.tensor([t]))
        assert float(left[0]) == pytest.approx(float(expected), rel=1e-3)


def test_statistics_survive_the_disk(statistics: LatentStatistics, tmp_path: Path) -> None:
    statistics.save(tmp_path / "s.safetensors")
    loaded = LatentStatistics.load(tmp_path / "s.safetensors")
    assert torch.allclose(loaded.mean, statistics.mean, atol=1e-2)
    largest = statistics.factors.abs().amax((2, 3), keepdim=True)
    assert float(((loaded.factors - statistics.factors).abs() / largest.clamp_min(1e-6)).max()) < 0.01


def test_untrained_the_denoiser_is_the_linear_one(statistics: LatentStatistics) -> None:
    schedule = NoiseSchedule.cosine()
    torch.manual_seed(2)
    network = untrained_network(CHANNELS, SIZE, DenoiserConfig((16, 16), 1, 4)).eval()
    model = LatentDenoiser(network, statistics, schedule)
    noisy, t = torch.randn(2, CHANNELS, SIZE, SIZE), torch.tensor([40, 700])
    with torch.no_grad():
        clean = LinearDenoiser(statistics, schedule)(noisy, t)
        assert torch.allclose(model.clean(noisy, t), clean, atol=1e-5)
        epsilon = model(noisy, t)
    power = schedule.alpha_bar[t].float().reshape(-1, 1, 1, 1)
    assert torch.allclose(power.sqrt() * clean + (1 - power).sqrt() * epsilon, noisy, atol=1e-4)


def test_the_denoiser_can_be_differentiated_by_its_input(statistics: LatentStatistics) -> None:
    network = untrained_network(CHANNELS, SIZE, DenoiserConfig((16, 16), 1, 4)).eval().requires_grad_(False)
    model = LatentDenoiser(network, statistics, NoiseSchedule.cosine())
    noisy = torch.randn(1, CHANNELS, SIZE, SIZE, requires_grad=True)
    (gradient,) = torch.autograd.grad(model(noisy, torch.tensor([500])).sum(), noisy)
    assert float(gradient.abs().sum()) > 0


def test_the_local_part_corrects_what_the_network_answers_and_survives_the_disk(
    statistics: LatentStatistics, tmp_path: Path
) -> None:
    torch.manual_seed(3)
    network = untrained_network(CHANNELS, SIZE, DenoiserConfig((16, 16), 1, 4)).eval().requires_grad_(False)
    model = LatentDenoiser(network, statistics, NoiseSchedule.cosine())
    noisy, t = torch.randn(2, CHANNELS, SIZE, SIZE), torch.tensor([40, 700])
    assert float(model.parts(noisy, t)[1].abs().max()) == 0
    torch.nn.init.normal_(network.local.last.weight, std=0.1)
    answer = model.parts(noisy, t)[1]
    assert float(answer.abs().max()) > 0.1
    network.local.save(tmp_path / "local.safetensors")
    network.local = LocalNetwork.load(tmp_path / "local.safetensors")
    torch.testing.assert_close(model.parts(noisy, t)[1], answer, atol=0.05, rtol=0.05)
