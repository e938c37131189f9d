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
from backend.training.priors.autoencoders import CHANNELS, mirrored
from backend.training.priors.parameters import LatentSettings
from backend.training.stream.quadruples import Quadruples, as_float

_log = logging.getLogger(__name__)


@torch.inference_mode()
def encode_all(
    autoencoders: dict[str, MapAutoencoder], quadruples: Quadruples, file: Path, device: torch.device, batch: int = 4
) -> Tensor:
    """Latents float16 [2 N, 12, h, h] of all quadruples that are there, in the order in which they were found.

    Each is followed by that of the mirrored face. They are kept in `file`; those that were made since it was written
    are added to it.
    """
    numbers = quadruples.numbers()
    kept = torch.load(file, weights_only=True) if file.is_file() else {"numbers": [], "latents": torch.zeros(0)}
    known = set(kept["numbers"])
    missing = [int(n) for n in numbers if int(n) not in known]
    networks = {name: quick(model, device) for name, model in autoencoders.items()}
    parts, started = [kept["latents"]] if known else [], time.perf_counter()
    for first in range(0, len(missing), batch):
        maps = as_float(np.stack([quadruples.values[n] for n in missing[first : first + batch]]), device)
        both = []
        with torch.autocast(device.type, torch.bfloat16):
            for turned in (False, True):
                channels = {name: maps[:, CHANNELS[name]] for name in MAPS}
                if turned:
                    channels = {name: mirrored(values, CHANNELS[name]) for name, values in channels.items()}
                both.append(torch.cat([networks[name].encode(channels[name])[0] for name in MAPS], dim=1))
        parts.append(torch.stack(both, dim=1).flatten(0, 1).half().cpu())
        if first // batch % 50 == 49:
            _log.info("%d of %d encoded, %.0f s", first + batch, len(missing), time.perf_counter() - started)
    result = torch.cat(parts)
    if missing:
        torch.save({"numbers": [*kept["numbers"], *missing], "latents": result}, file)
    return result


def statistics_of(
    latents: Tensor, settings: LatentSettings = LatentSettings(), rotation: Tensor | None = None
) -> LatentStatistics:
    """Statistics of latents [N, 12, h, h]: rotation of each map's channels, mean, spread, and the factor model.

    Args:
        latents: float16 or float32.
        settings: see there.
        rotation: of the channels, float32 [4, 3, 3], as `LatentStatistics` has it; their principal directions where
            none is given.
    """
    count, channels, size = len(latents), latents.shape[1], latents.shape[-1]
    values = latents.float()
    if rotation is None:
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
    side = min(max(settings.low), size)
    low = coefficients[..., :side, :side].flatten(1)
    reached = _reached(settings, side).flatten().nonzero()[:, 0]
    rank = min(settings.factors + settings.oversampling, count, len(reached))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        _, singular, directions = torch.svd_lowrank(low[:, reached], rank, settings.power_iterations)
    kept = min(settings.factors, rank)
    spread = singular[:kept].square() / (count - 1)
    # What the left-out directions hold on average is noise in the kept ones too (Tipping and Bishop 1999, eq. 8).
    whole = low[:, reached].square().sum() / (count - 1)
    left = (whole - spread.sum()) / max(len(reached) - kept, 1)
    factors = torch.zeros(kept, low.shape[1])
    factors[:, reached] = (spread - left).clamp_min(0).sqrt()[:, None] * directions[:, :kept].T
    factors = factors.reshape(kept, channels, side, side)
    variance[:, :side, :side] -= factors.square().sum(0)
    return LatentStatistics(rotation, mean, scale, factors, variance.clamp_min(settings.least_variance))


def _reached(settings: LatentSettings, side: int) -> Tensor:
    """Which cosine coefficients the factors reach, bool [12, side, side]."""
    frequency = torch.arange(side)
    highest = torch.maximum(frequency[:, None], frequency[None])
    return torch.stack([highest < low for low in settings.low]).repeat_interleave(3, dim=0)


def _directions(values: Tensor) -> Tensor:
    """Principal directions [3, 3], as rows, of three channels [N, 3, h, h] about each cell's mean."""
    centred = (values - values.mean(0)).transpose(0, 1).flatten(1)
    return torch.linalg.eigh(centred @ centred.T / centred.shape[1])[1].T.flip(0).contiguous()
