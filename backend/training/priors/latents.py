"""Latents of the training quadruples, and their statistics (see `backend.prior.diffusion.latent_space`)."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from backend.prior.diffusion.autoencoder import MapAutoencoder
from backend.prior.diffusion.latent_space import LatentStatistics, cosine_matrix
from backend.prior.diffusion.weights import MAPS, quick
from backend.training.priors.autoencoders import CHANNELS
from backend.training.priors.parameters import LatentSettings
from backend.training.stream.quadruples import Quadruples, as_float

_log = logging.getLogger(__name__)


@torch.inference_mode()
def encode_all(
    autoencoders: dict[str, MapAutoencoder], quadruples: Quadruples, file: Path, device: torch.device, batch: int = 4
) -> Tensor:
    """Latents float16 [N, 12, h, h] of all quadruples that are there, in the order in which they were found.

    They are kept in `file`; those that were made since it was written are added to it.
    """
    numbers = quadruples.numbers()
    kept = torch.load(file, weights_only=True) if file.is_file() else {"numbers": [], "latents": torch.zeros(0)}
    known = set(kept["numbers"])
    missing = [int(n) for n in numbers if int(n) not in known]
    networks = {name: quick(model, device) for name, model in autoencoders.items()}
    parts, started = [kept["latents"]] if known else [], time.perf_counter()
    for first in range(0, len(missing), batch):
        maps = as_float(np.stack([quadruples.values[n] for n in missing[first : first + batch]]), device)
        with torch.autocast(device.type, torch.bfloat16):
            latents = [networks[name].encode(maps[:, CHANNELS[name]])[0] for name in MAPS]
        parts.append(torch.cat(latents, dim=1).half().cpu())
        if first // batch % 50 == 49:
            _log.info("%d of %d encoded, %.0f s", first + batch, len(missing), time.perf_counter() - started)
    result = torch.cat(parts)
    if missing:
        torch.save({"numbers": [*kept["numbers"], *missing], "latents": result}, file)
    return result


def statistics_of(latents: Tensor, settings: LatentSettings = LatentSettings()) -> LatentStatistics:
    """Statistics of latents [N, 12, h, h]: rotation of each map's channels, mean, spread, and the factor model."""
    count, channels, size = len(latents), latents.shape[1], latents.shape[-1]
    values = latents.float()
    rotation = torch.stack([_directions(values[:, k : k + 3]) for k in range(0, channels, 3)])
    plain = LatentStatistics(rotation, torch.zeros(()), torch.ones(()), torch.zeros(1, channels, 1, 1), torch.ones(()))
    rotated = plain.whitened(values)
    mean, scale = rotated.mean(0), rotated.std(0)
    scale = torch.maximum(scale, settings.least_scale * scale.flatten(1).median(1).values[:, None, None]).clamp_min(
        settings.constant
    )
    cosines = cosine_matrix(size)
    coefficients = cosines @ ((rotated - mean) / scale) @ cosines.T
    variance = coefficients.var(0)
    side = min(settings.low, size)
    low = coefficients[..., :side, :side].reshape(count, -1)
    _, singular, directions = torch.linalg.svd(low, full_matrices=False)
    spread = singular[: settings.factors].square() / (count - 1)
    # What the left-out directions hold on average is noise in the kept ones too (Tipping and Bishop 1999, eq. 8).
    left = singular[settings.factors :].square().sum() / (count - 1) / max(low.shape[1] - settings.factors, 1)
    factors = (spread - left).clamp_min(0).sqrt()[:, None] * directions[: settings.factors]
    variance[:, :side, :side] -= factors.square().sum(0).reshape(channels, side, side)
    return LatentStatistics(
        rotation, mean, scale, factors.reshape(-1, channels, side, side), variance.clamp_min(settings.least_variance)
    )


def _directions(values: Tensor) -> Tensor:
    """Principal directions [3, 3], as rows, of three channels [N, 3, h, h] about each cell's mean."""
    centred = (values - values.mean(0)).transpose(0, 1).flatten(1)
    return torch.linalg.eigh(centred @ centred.T / centred.shape[1])[1].T.flip(0).contiguous()
