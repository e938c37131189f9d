"""Auto-encoders of the four maps: 512 x 512 to 64 x 64 x 3 each (paper, section 3.2, eq. 7).

`diffusers.AutoencoderKL` between a pixel-unshuffle and a pixel-shuffle by 4, which keeps full resolution cheap on a
CPU, plus shortcuts without parameters around both halves as in DC-AE (Chen et al., "Deep compression autoencoder for
efficient high-resolution diffusion models", 2025, section 3.2): the encoder adds to the area-downsampled map, the
decoder to the enlarged latent. An untrained auto-encoder is thus a thumbnail, and what is learnt is what it lacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from backend.prior.diffusion.lean_diffusers import AutoencoderKL

DOWN = 8  # texels of a map by cell of its latent, along a side
STEM = 4
LATENT_CHANNELS = 3
FIRST_LOG_VARIANCE = -9.0


@dataclass(frozen=True)
class AutoencoderConfig:
    """Size of one auto-encoder.

    Args:
        channels: of the map.
        widths: feature channels at a quarter and at an eighth of the map's resolution.
        layers: residual blocks by level.
        groups: of group normalisation; divides the widths.
    """

    channels: int
    widths: tuple[int, int]
    layers: int = 1
    groups: int = 16


class MapAutoencoder(nn.Module):
    """One map [B, C, R, R] in [-1, 1] to latents [B, 3, R/8, R/8] and back; R is any multiple of 8."""

    def __init__(self, network: AutoencoderKL) -> None:
        super().__init__()
        self.network = network
        self.channels = network.config["out_channels"] // STEM**2
        self._shared = min(self.channels, LATENT_CHANNELS)

    @classmethod
    def untrained(cls, config: AutoencoderConfig) -> MapAutoencoder:
        """With random weights and outputs that begin at 0, so that it begins as its shortcuts."""
        stacked = config.channels * STEM**2
        shape: dict[str, Any] = {
            "in_channels": stacked,
            "out_channels": stacked,
            "down_block_types": ("DownEncoderBlock2D",) * 2,
            "up_block_types": ("UpDecoderBlock2D",) * 2,
            "block_out_channels": config.widths,
            "layers_per_block": config.layers,
            "latent_channels": LATENT_CHANNELS,
            "norm_num_groups": config.groups,
            "mid_block_add_attention": False,
            "use_quant_conv": False,
            "use_post_quant_conv": False,
            "scaling_factor": 1.0,
        }
        network = AutoencoderKL(**shape)
        with torch.no_grad():
            for last in (network.encoder.conv_out, network.decoder.conv_out):
                for values in last.parameters():
                    values.zero_()
            dict(network.encoder.conv_out.named_parameters())["bias"][LATENT_CHANNELS:] = FIRST_LOG_VARIANCE
        return cls(network)

    def encode(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance [B, 3, R/8, R/8] of the latent."""
        features = self.network.encoder(functional.pixel_unshuffle(maps, STEM))
        mean, log_variance = features.chunk(2, dim=1)
        small = functional.avg_pool2d(maps, DOWN)
        return mean + self._padded(small), log_variance.clamp(-20, 4)

    def decode(self, latent: Tensor) -> Tensor:
        """Maps [B, C, R, R] of latents [B, 3, R/8, R/8]."""
        detail = functional.pixel_shuffle(self.network.decoder(latent), STEM)
        large = functional.interpolate(latent[:, : self._shared], scale_factor=DOWN, mode="bicubic")
        return large + detail

    def _padded(self, small: Tensor) -> Tensor:
        missing = LATENT_CHANNELS - self._shared
        return functional.pad(small, (0, 0, 0, 0, 0, missing)) if missing else small


def sampled(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """A latent drawn from its posterior (Kingma and Welling, "Auto-encoding variational Bayes", 2014, eq. 10)."""
    return mean + torch.exp(0.5 * log_variance) * noise


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence of N(mean, variance) from N(0, I), averaged over all entries (ibid., appendix B)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
