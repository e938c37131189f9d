"""The part of the denoiser that works at every cell of the latents and sees no further than its surroundings.

The U-Net beside it has 32 x 32 positions, and at those little more than one number for each that it gives. What is
decided at low noise is finer and of a place: plain skin is calm, strands and the edges of shadows are not. A small
convolutional network at full resolution knows that with a fiftieth of the U-Net's weights; without it, draws have an
even grain on all skin (`docs/research/draws.md`). Dilated convolutions let it see 20 cells; source of the idea that
one network need not serve all noise levels alike: Balaji et al., "eDiff-I", 2022, section 4.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from backend.asset_files import verified
from backend.prior.diffusion.precision import as_stored


@dataclass(frozen=True)
class LocalConfig:
    """Size of the network.

    Args:
        width: feature channels.
        dilations: of its convolutions, one a block.
        groups: that features are normalised in.
        frequencies: of the noise level's sines and cosines.
        hidden: features that those are turned into before they modulate a block.
    """

    width: int = 40
    dilations: tuple[int, ...] = (1, 2, 4, 1)
    groups: int = 5
    frequencies: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0)
    hidden: int = 64


class LocalNetwork(nn.Module):
    """Residual blocks at one resolution, modulated by the noise level; begins at 0.

    Args:
        channels: C of the latents.
        config: its size.
    """

    def __init__(self, channels: int, config: LocalConfig) -> None:
        super().__init__()
        self.config = config
        width, count = config.width, len(config.dilations)
        self.first = nn.Conv2d(4 * channels, width, 3, padding=1)
        self.norms = nn.ModuleList(nn.GroupNorm(config.groups, width) for _ in config.dilations)
        self.blocks = nn.ModuleList(nn.Conv2d(width, width, 3, padding=d, dilation=d) for d in config.dilations)
        self.level = nn.Sequential(
            nn.Linear(2 * len(config.frequencies), config.hidden),
            nn.SiLU(),
            nn.Linear(config.hidden, 2 * width * count),
        )
        self.last = nn.Conv2d(width, channels, 3, padding=1)
        for values in self.last.parameters():
            nn.init.zeros_(values)

    def forward(self, known: Tensor, log_signal: Tensor) -> Tensor:
        """What to add to the U-Net's answer, [B, C, h, h].

        Args:
            known: float32 [B, 4 C, h, h]: estimated noise, linear estimate, the U-Net's answer, the mean.
            log_signal: logarithm of signal over noise, float32 [B].
        """
        phases = log_signal[:, None] * torch.tensor(self.config.frequencies, device=log_signal.device)
        level = self.level(torch.cat([phases.sin(), phases.cos()], dim=1))[:, :, None, None]
        features = self.first(known)
        for norm, block, part in zip(self.norms, self.blocks, level.chunk(len(self.blocks), dim=1), strict=True):
            scale, shift = part.chunk(2, dim=1)
            features = features + block(functional.silu(norm(features) * (1 + scale) + shift))
        return self.last(functional.silu(features))

    def save(self, path: Path) -> None:
        """Write the weights in half precision, with the configuration."""
        tensors = {name: as_stored(value.detach().cpu()).contiguous() for name, value in self.state_dict().items()}
        save_file(tensors, path, {"config": json.dumps(asdict(self.config))})

    @staticmethod
    def load(path: Path) -> LocalNetwork:
        """What `save` wrote, in single precision.

        Raises:
            OSError: there is no such file.
        """
        with safe_open(verified(path), "pt") as file:
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118  (no mapping)
            config = json.loads(file.metadata()["config"])
        lists = {name: tuple(value) for name, value in config.items() if isinstance(value, list)}
        network = LocalNetwork(len(tensors["last.bias"]), LocalConfig(**{**config, **lists}))
        network.load_state_dict(tensors)
        return network
