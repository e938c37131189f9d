"""The diffusion prior's weights on disk: folders as diffusers has them, half-precision safetensors in `byte_planes`.

```
<folder>/relightify.json              how it was trained, layout of the texture space
<folder>/<map>_autoencoder/           config.json, diffusion_pytorch_model.safetensors, for each of the four maps
<folder>/denoiser/                    config.json, diffusion_pytorch_model.safetensors, local.safetensors
<folder>/latent_statistics.safetensors
```
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import torch
from torch import Tensor, nn

from backend.asset_files import verified
from backend.prior.channels import LATENT
from backend.prior.diffusion.autoencoder import MapAutoencoder
from backend.prior.diffusion.byte_planes import load_planes, save_planes
from backend.prior.diffusion.denoiser import DenoiserNetwork, LatentDenoiser
from backend.prior.diffusion.facts import add_facts
from backend.prior.diffusion.latent_space import LatentStatistics
from backend.prior.diffusion.lean_diffusers import AutoencoderKL, UNet2DModel
from backend.prior.diffusion.local_network import LocalNetwork
from backend.prior.diffusion.precision import network_as_stored
from backend.prior.diffusion.schedule import NoiseSchedule

# In the order in which their latents are stacked, eq. 7.
MAPS: tuple[str, ...] = ("texture", "diffuse_albedo", "specular_albedo", "normal")
SLICES: dict[str, slice] = dict(zip(MAPS, LATENT, strict=True))
M = TypeVar("M", bound=nn.Module)
STATISTICS = "latent_statistics.safetensors"
LOCAL = "local.safetensors"
CONFIG, WEIGHTS = "config.json", "diffusion_pytorch_model.safetensors"


@dataclass(frozen=True)
class DiffusionWeights:
    """All networks of the prior; what it diffuses are whitened latents [B, 12, h, h] of maps [B, C, 8 h, 8 h]."""

    autoencoders: dict[str, MapAutoencoder]
    denoiser: LatentDenoiser
    statistics: LatentStatistics

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.statistics.mean.device

    def to(self, device: str) -> DiffusionWeights:
        """The same networks, moved to another device."""
        for network in self.autoencoders.values():
            network.to(device)
        statistics = self.statistics.to(device)
        network = quick(self.denoiser.network, device)
        return DiffusionWeights(
            self.autoencoders, LatentDenoiser(network, statistics, self.denoiser.schedule), statistics
        )

    def autocast(self) -> torch.autocast:
        """Half precision where the device is quicker at it."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")

    def epsilon(self, z_t: Tensor, t: Tensor) -> Tensor:
        """The denoiser as the samplers call it."""
        with self.autocast():
            return self.denoiser(z_t, t)

    def encode(self, maps: dict[str, Tensor]) -> Tensor:
        """Whitened latents of the maps given, in [-1, 1]; those of maps that are left out are 0, their mean."""
        first = next(iter(maps.values()))
        size = self.statistics.mean.shape[-1]
        latents = torch.zeros(len(first), 3 * len(MAPS), size, size, device=first.device)
        for name, values in maps.items():
            latents[:, SLICES[name]] = self.autoencoders[name].encode(values)[0].float()
        whitened = self.statistics.whitened(latents)
        for name in MAPS:
            if name not in maps:
                whitened[:, SLICES[name]] = 0
        return whitened

    def decode(self, whitened: Tensor, names: tuple[str, ...] = MAPS) -> dict[str, Tensor]:
        """Maps in [-1, 1] of whitened latents."""
        latents = self.statistics.coloured(whitened)
        return {name: self.autoencoders[name].decode(latents[:, SLICES[name]]).float() for name in names}


def load_weights(folder: Path, device: str = "cpu") -> DiffusionWeights:
    """The prior in a folder, ready for use.

    Raises:
        OSError: a file is missing.
        RelightifyError: ``asset_missing``, ``asset_corrupt``, where it is the one that ships.
    """
    autoencoders = {name: quick(load_autoencoder(folder, name), device) for name in MAPS}
    broad = cast(UNet2DModel, _load(UNet2DModel, folder / "denoiser"))
    network = DenoiserNetwork(broad, LocalNetwork.load(folder / "denoiser" / LOCAL))
    network = quick(network, device).eval().requires_grad_(False)
    statistics = LatentStatistics.load(folder / STATISTICS).to(device)
    return DiffusionWeights(autoencoders, LatentDenoiser(network, statistics, NoiseSchedule.cosine()), statistics)


def save_denoiser(network: DenoiserNetwork, statistics: LatentStatistics, folder: Path) -> None:
    """Write the denoiser's network in half precision, and the statistics it goes with."""
    # A copy, on the CPU: the network goes on training where and as it is.
    _save(network_as_stored(copy.deepcopy(network.broad).cpu()), folder / "denoiser")
    network.local.save(folder / "denoiser" / LOCAL)
    statistics.to("cpu").save(folder / STATISTICS)


def save_autoencoder(model: MapAutoencoder, folder: Path, name: str, training: str) -> None:
    """Write one map's auto-encoder in half precision; `training` (JSON) says how it was made."""
    # A copy: the model itself stays in single precision.
    _save(network_as_stored(copy.deepcopy(model.network)), folder / f"{name}_autoencoder")
    add_facts(folder, {f"{name}_autoencoder": json.loads(training)})


def load_autoencoder(folder: Path, name: str) -> MapAutoencoder:
    """What `save_autoencoder` wrote, in single precision, ready for use; nothing is looked for online.

    Raises:
        OSError: a file is missing.
    """
    network = _load(AutoencoderKL, folder / f"{name}_autoencoder")
    return MapAutoencoder(cast(AutoencoderKL, network)).eval().requires_grad_(False)


def _save(network: AutoencoderKL | UNet2DModel, folder: Path) -> None:
    """Write a network of half precision on the CPU, its configuration as diffusers does."""
    network.save_config(folder)
    save_planes(network.state_dict(), folder / WEIGHTS)


def _load(kind: type[AutoencoderKL] | type[UNet2DModel], folder: Path) -> nn.Module:
    """What `_save` wrote, in single precision."""
    config = json.loads((verified(folder) / CONFIG).read_text())
    network = cast(nn.Module, kind.from_config(config))
    network.load_state_dict(load_planes(folder / WEIGHTS))
    return network


def quick(network: M, device: torch.device | str) -> M:
    """A network on a device in the memory layout in which its convolutions are quickest."""
    return network.to(device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
