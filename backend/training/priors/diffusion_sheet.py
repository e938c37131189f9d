"""Pictures of what the diffusion prior draws."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from backend.prior.diffusion.observation import Observation
from backend.prior.diffusion.sampler_options import SamplerOptions
from backend.prior.diffusion.samplers import sample
from backend.prior.diffusion.sampling import NoiseSource, Problem
from backend.prior.diffusion.schedule import NoiseSchedule
from backend.prior.diffusion.weights import MAPS, DiffusionWeights

SIDE = 256


def sample_sheet(
    weights: DiffusionWeights,
    schedule: NoiseSchedule,
    observation: Observation,
    options: SamplerOptions,
    noise: NoiseSource,
) -> np.ndarray:
    """Samples, one a row: T, A_d, A_s, N; uint8 [256 B, 1024, 3]."""
    drawn = sample(Problem(weights.epsilon, schedule, observation), options, noise)
    with torch.inference_mode():
        maps = weights.decode(drawn)
    tiles = []
    for name in MAPS:
        small = functional.interpolate(maps[name], (SIDE, SIDE), mode="area")
        tiles.append(small.expand(-1, 3, -1, -1))
    rows = torch.cat(tiles, dim=-1).permute(0, 2, 3, 1).flatten(0, 1)
    return ((rows.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu().numpy()
