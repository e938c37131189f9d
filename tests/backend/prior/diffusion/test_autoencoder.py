"""Auto-encoders of the maps."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from backend.prior.diffusion.autoencoder import AutoencoderConfig, MapAutoencoder, divergence
from backend.prior.diffusion.facts import read_facts
from backend.prior.diffusion.weights import load_autoencoder, save_autoencoder


def small(channels: int) -> MapAutoencoder:
    torch.manual_seed(0)
    return MapAutoencoder.untrained(AutoencoderConfig(channels, (16, 16))).eval()


@pytest.mark.parametrize("channels", [1, 3])
def test_untrained_it_keeps_a_thumbnail(channels: int) -> None:
    maps = torch.rand(2, channels, 64, 64)
    mean, log_variance = small(channels).encode(maps)
    assert mean.shape == log_variance.shape == (2, 3, 8, 8)
    thumbnail = functional.avg_pool2d(maps, 8)
    assert torch.allclose(mean[:, :channels], thumbnail, atol=1e-6)
    rebuilt = small(channels).decode(mean)
    assert torch.allclose(rebuilt, functional.interpolate(thumbnail, scale_factor=8, mode="bicubic"), atol=1e-5)


def test_the_divergence_of_the_standard_normal_is_zero() -> None:
    assert float(divergence(torch.zeros(4), torch.zeros(4))) == 0
    assert float(divergence(torch.ones(4), torch.zeros(4))) == pytest.approx(0.5)


def test_weights_survive_the_disk_in_the_precision_that_is_stored(tmp_path: Path) -> None:
    model = small(3)
    with torch.no_grad():
        for values in model.parameters():
            values.add_(torch.randn_like(values) * 0.05)
    save_autoencoder(model, tmp_path, "normal", '{"steps": 3}')
    assert read_facts(tmp_path) == {"normal_autoencoder": {"steps": 3}}
    files = {path.suffix for path in (tmp_path / "normal_autoencoder").iterdir()}
    assert files == {".json", ".safetensors"}
    loaded, maps = load_autoencoder(tmp_path, "normal"), torch.rand(1, 3, 64, 64)
    for (name, read), written in zip(loaded.network.named_parameters(), model.network.parameters(), strict=True):
        # Eight significant bits.
        assert torch.all((read - written).abs() <= 2.0**-8 * written.abs() + 2.0**-24), name
    assert torch.allclose(loaded.encode(maps)[0], model.encode(maps)[0], atol=1e-2)
    assert next(model.parameters()).dtype == torch.float32
