"""The denoiser eps_theta(z_t, t) of equations 4 and 9, on whitened latents.

A `diffusers.UNet2DModel` behind a pixel-unshuffle to 32 x 32 (DESIGN section 6) that learns only what the linear
denoiser misses: z_0 is estimated as the Gaussian's expectation plus the network's output times what the Gaussian is
expected to be off by at that step, so that inputs and targets have unit variance at every step (Karras et al.,
"Elucidating the design space of diffusion-based generative models", 2022, section 5). Untrained, the denoiser is the
best linear one. What the U-Net answers is corrected at full resolution, see `local_network`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from backend.prior.diffusion.latent_space import LatentStatistics, LinearDenoiser
from backend.prior.diffusion.lean_diffusers import UNet2DModel
from backend.prior.diffusion.local_network import LocalConfig, LocalNetwork
from backend.prior.diffusion.schedule import NoiseSchedule

STEM = 2
HEAD_CHANNELS = 32
INPUTS = 3  # noisy latents, their linear estimate, the mean


@dataclass(frozen=True)
class DenoiserConfig:
    """Size of the network: feature channels at 32, 16 and 8 cells a side, residual blocks by level, the local part."""

    widths: tuple[int, ...] = (64, 128, 192)
    layers: int = 2
    groups: int = 16
    local: LocalConfig = field(default_factory=LocalConfig)


class DenoiserNetwork(nn.Module):
    """All that is learnt: the U-Net, and what corrects it at full resolution."""

    def __init__(self, broad: UNet2DModel, local: LocalNetwork) -> None:
        super().__init__()
        self.broad, self.local = broad, local


def untrained_network(channels: int, size: int, config: DenoiserConfig) -> DenoiserNetwork:
    """A network with random weights whose output begins at 0."""
    deeper = len(config.widths) - 1
    network = UNet2DModel(
        sample_size=size // STEM,
        in_channels=INPUTS * channels * STEM**2,
        out_channels=channels * STEM**2,
        down_block_types=("DownBlock2D", *["AttnDownBlock2D"] * deeper),
        up_block_types=(*["AttnUpBlock2D"] * deeper, "UpBlock2D"),
        block_out_channels=config.widths,
        layers_per_block=config.layers,
        norm_num_groups=config.groups,
        attention_head_dim=min(HEAD_CHANNELS, *config.widths),
    )
    nn.init.zeros_(network.conv_out.weight)
    if network.conv_out.bias is not None:
        nn.init.zeros_(network.conv_out.bias)
    return DenoiserNetwork(network, LocalNetwork(channels, config.local))


class LatentDenoiser(nn.Module):
    """The noise in whitened latents; an `EpsilonModel`."""

    def __init__(self, network: DenoiserNetwork, statistics: LatentStatistics, schedule: NoiseSchedule) -> None:
        super().__init__()
        self.network, self.schedule = network, schedule
        self._linear = LinearDenoiser(statistics, schedule)
        mean = statistics.mean - statistics.mean.mean((1, 2), keepdim=True)
        self._mean = (mean / mean.std((1, 2), keepdim=True).clamp_min(1e-6))[None]
        self._alpha_bar = schedule.alpha_bar.float().to(statistics.mean.device)

    def forward(self, z_t: Tensor, t: Tensor) -> Tensor:
        """epsilon [B, C, h, w] of z_t [B, C, h, w] at steps t, int64 [B] in 1 ... T; float32."""
        power = self._alpha_bar[t].reshape(-1, 1, 1, 1)
        return (z_t - power.sqrt() * self.clean(z_t, t)) / (1 - power).sqrt()

    def clean(self, z_t: Tensor, t: Tensor) -> Tensor:
        """The estimate of z_0 (eq. 9c solved for it)."""
        linear, missing = self.parts(z_t, t)
        return linear + self.left(t) * missing

    def parts(self, z_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """The linear estimate of z_0 and the network's answer: what it is off by, in units of `left`."""
        with torch.autocast(z_t.device.type, enabled=False):  # differences of large numbers, and cheap
            linear = self._linear(z_t.float(), t)
        mean = self._mean.expand(len(z_t), -1, -1, -1)
        known = torch.cat([z_t, linear, mean], dim=1)
        answer = self.network.broad(functional.pixel_unshuffle(known, STEM), t).sample
        answer = functional.pixel_shuffle(answer.float(), STEM)
        power = self._alpha_bar[t].reshape(-1, 1, 1, 1)
        noise = (z_t.float() - power.sqrt() * linear) / (1 - power).sqrt()
        # In bfloat16 the gradients of dilated convolutions are not finite on a CPU.
        with torch.autocast(z_t.device.type, enabled=False):
            known = torch.cat([noise, linear, answer, mean], dim=1)
            return linear, answer + self.network.local(known, (power / (1 - power)).log().flatten() / 2)

    def left(self, t: Tensor) -> Tensor:
        """By how much the linear estimate is expected to be off, [B, 1, 1, 1]."""
        return self._linear.left(t).reshape(-1, 1, 1, 1)
