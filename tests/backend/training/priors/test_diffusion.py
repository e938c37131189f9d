"""Training of auto-encoders and denoiser, for a few steps at a small size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.prior.diffusion.denoiser import DenoiserConfig
from backend.prior.diffusion.facts import read_facts
from backend.prior.diffusion.weights import MAPS, load_weights
from backend.training.priors import autoencoders, diffusion
from backend.training.priors.latents import statistics_of
from backend.training.stream.quadruples import Quadruples
from shared.errors import RelightifyError

pytestmark = pytest.mark.slow

SIDE, COUNT = 64, 40
AUTOENCODER = autoencoders.AutoencoderTraining(widths=(16, 16), steps=4, batch=2, crop=32)
DENOISER = diffusion.DenoiserTraining(DenoiserConfig((16, 16), 1, 4), steps=4, batch=2, sheet_every=4)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return random_quadruples(tmp_path / "quadruples")


def random_quadruples(folder: Path) -> Path:
    """Smooth random maps, made in a folder."""
    kept = Quadruples.create(folder, COUNT, SIDE)
    rng = np.random.default_rng(0)
    for number in range(COUNT):
        coarse = torch.from_numpy(rng.standard_normal((1, 10, 4, 4)).astype(np.float32) * 0.4)
        kept.put(number, torch.nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bicubic")[0])
    return folder


def test_quadruples_come_back_as_they_were_put(data: Path) -> None:
    kept = Quadruples.open(data)
    assert len(kept.numbers()) == COUNT
    again = Quadruples.create(data, COUNT, SIDE)
    assert again.made.all()
    with pytest.raises(RelightifyError, match="has room for 40"):
        Quadruples.create(data, COUNT + 1, SIDE)


def test_training_without_what_it_needs_says_what_makes_it(data: Path, tmp_path: Path) -> None:
    with pytest.raises(RelightifyError) as raised:
        autoencoders.run_training("tiny", ["texture"], None, tmp_path / "none", tmp_path, tmp_path, seed=0)
    assert "backend.training quadruples" in raised.value.hint
    with pytest.raises(RelightifyError) as raised:
        diffusion.train(DENOISER, "tiny", data, tmp_path / "work", tmp_path / "none", 0, None)
    assert "backend.training autoencoders" in raised.value.hint


def test_training_runs_resumes_and_exports(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work, out = tmp_path / "work", tmp_path / "prior"
    monkeypatch.setitem(autoencoders.CONFIGURATIONS, "tiny", AUTOENCODER)
    reached = autoencoders.run_training("tiny", list(MAPS), None, data, work, out, seed=0)
    assert set(reached) == set(MAPS)
    assert all(np.isfinite(value) for value in reached.values())
    checkpoint = torch.load(work / "texture.pt", weights_only=True)
    assert checkpoint["step"] == 4
    longer = autoencoders.run_training("tiny", ["texture"], 6, data, work, out, seed=0)
    assert torch.load(work / "texture.pt", weights_only=True)["step"] == 6
    assert np.isfinite(longer["texture"])

    diffusion.train(DENOISER, "tiny", data, work, out, 0, None)
    assert (work / "samples_000004.png").is_file()
    diffusion.train(replace(DENOISER, steps=7), "tiny", data, work, out, 0, None)
    facts = read_facts(out)["denoiser"]
    assert (facts["steps"], facts["configuration"], facts["quadruples"]) == (
        7,
        "tiny",
        COUNT - autoencoders.HELD_BACK // 2,
    )
    weights = load_weights(out)
    decoded = weights.decode(torch.zeros(1, 12, SIDE // 8, SIDE // 8))
    assert {name: tuple(maps.shape) for name, maps in decoded.items()} == {
        name: (1, 1 if name == "specular_albedo" else 3, SIDE, SIDE) for name in MAPS
    }


def test_whitened_latents_have_no_mean_and_unit_variance() -> None:
    torch.manual_seed(0)
    broad = torch.nn.functional.interpolate(torch.randn(300, 12, 4, 4), (16, 16), mode="bicubic")
    latents = broad * 3 + 1 + 0.2 * torch.randn(300, 12, 16, 16)
    statistics = statistics_of(latents)
    whitened = statistics.whitened(latents)
    assert float(whitened.mean(0).abs().max()) < 1e-3
    assert float((whitened.std(0) - 1).abs().max()) < 1e-2
    total = statistics.variance.clone()
    total += statistics.factors.square().sum(0)
    assert float(statistics.factors[:, 6:, 12:].abs().max()) == 0, "fine gloss and normals have factors"
    assert float(statistics.factors[:, :6, 12:].abs().max()) > 0
    assert float(total.sum()) == pytest.approx(whitened.var(0).sum().item(), rel=0.02)


def test_factors_explain_what_moves_together_however_fine() -> None:
    generator = torch.Generator().manual_seed(0)
    fine = torch.randn(1, 12, 32, 32, generator=generator)
    latents = torch.randn(200, 1, 1, 1, generator=generator) * fine
    latents = latents + 0.1 * torch.randn(200, 12, 32, 32, generator=generator)
    statistics = statistics_of(latents)
    alone = statistics.variance[:6].sum() / (statistics.variance + statistics.factors.square().sum(0))[:6].sum()
    assert float(alone) < 0.1


def test_a_channel_that_is_the_same_everywhere_does_not_spoil_the_statistics() -> None:
    latents = torch.randn(20, 12, 8, 8, generator=torch.Generator().manual_seed(0))
    latents[:, 4] = 0.25
    statistics = statistics_of(latents)
    whitened = statistics.whitened(latents)
    assert torch.isfinite(whitened).all()
    torch.testing.assert_close(statistics.coloured(whitened), latents, atol=1e-4, rtol=0)
