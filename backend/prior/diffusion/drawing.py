"""The network's part of a completion: coarse maps into latents, eq. 9, latents into maps."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from backend.imaging.arrays import Array
from backend.imaging.preview import map_preview
from backend.prior.diffusion.observation import Observation, latent_mask
from backend.prior.diffusion.presets import SamplingPreset
from backend.prior.diffusion.samplers import sample
from backend.prior.diffusion.sampling import NoiseSource, Problem, Start, Watch
from backend.prior.diffusion.weights import DiffusionWeights
from backend.prior.interface import GuidanceTerm
from backend.progress import Progress

_log = logging.getLogger(__name__)
PREVIEWS = 6  # pictures sent while sampling, at most
STEPS_BETWEEN_PREVIEWS = 3  # at least


def drawn_maps(
    weights: DiffusionWeights,
    images: Mapping[int, Mapping[str, Array]],
    trusted: Array,
    preset: SamplingPreset,
    names: tuple[str, ...],
    progress: Progress,
    guidance: tuple[GuidanceTerm, ...] = (),
) -> list[dict[str, Array]]:
    """The network's maps of these names for each seed, float32 [B, B, C] in [-1, 1], where the images are.

    Args:
        weights: the networks.
        images: by seed, coarse maps float32 [B, B, C] in [-1, 1] by name.
        trusted: float32 [B, B], 1 where the texture is known.
        preset: how to sample.
        names: of the maps that are decoded.
        progress: told about each step; raises when the user cancels.
        guidance: what else completions should agree with.
    """
    seen, seeds = as_tensor(trusted[..., None]), list(images)

    def draw(weights: DiffusionWeights, chosen: Sequence[int]) -> list[dict[str, Array]]:
        device, draws = weights.device, preset.draws
        stacked = {
            name: torch.cat([as_tensor(images[seed][name]) for seed in chosen]).to(device) for name in images[chosen[0]]
        }
        with torch.inference_mode(), weights.autocast():
            encoded = weights.encode(stacked)
        mask = latent_mask(seen.to(device), encoded.shape[-1]).repeat(len(chosen), 1, 1, 1)
        # A clone: tensors of inference mode take no part in the gradient of eq. 9d.
        observation = Observation(encoded.clone(), mask).repeated(draws)
        options, schedule = preset.options, weights.denoiser.schedule
        start = None
        if preset.start_noise is not None:
            start = Start(observation.latent, schedule.step_of_noise(preset.start_noise))
        watch = Watch(progress, _preview(weights, options.steps, draws))
        noise = NoiseSource.of_seeds(*chosen)
        drawn = sample(Problem(weights.epsilon, schedule, observation, guidance), options, noise, start, watch)
        with torch.inference_mode(), weights.autocast():
            maps = weights.decode(drawn.unflatten(0, (len(chosen), draws)).mean(1), names)
        return [{name: as_image(maps[name][k], trusted) for name in maps} for k in range(len(chosen))]

    return with_fallback(weights, draw, seeds)


def with_fallback(
    weights: DiffusionWeights,
    draw: Callable[[DiffusionWeights, Sequence[int]], list[dict[str, Array]]],
    seeds: Sequence[int],
) -> list[dict[str, Array]]:
    """Draw all samples at once; where the GPU's memory does not suffice one by one, and then on the CPU.

    On the CPU, which gains nothing from batches, each is drawn alone, so that a seed gives the same bytes whatever else
    is asked for; on a GPU batches of other sizes round differently.
    """
    home = weights.device
    if home.type != "cuda":
        return [one for seed in seeds for one in draw(weights, [seed])]
    sizes = [len(seeds), 1] if len(seeds) > 1 else [1]
    for size in sizes:
        try:
            return [one for first in range(0, len(seeds), size) for one in draw(weights, seeds[first : first + size])]
        except torch.OutOfMemoryError:
            _log.warning("The GPU has too little free memory for %d samples at once.", size)
            torch.cuda.empty_cache()
    _log.warning("The prior runs on the CPU for this job, which takes longer.")
    try:
        return with_fallback(weights.to("cpu"), draw, seeds)
    finally:
        weights.to(str(home))


def as_tensor(image: Array) -> Tensor:
    """An image [R, R, C] as a tensor [1, C, R, R], where it is."""
    if isinstance(image, Tensor):
        return image.movedim(-1, 0)[None].contiguous()
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, -1, 0), np.float32))[None]


def as_image(values: Tensor, kind: Array = None) -> Array:
    """A tensor [C, R, R] as an image [R, R, C] of the host, or where `kind` is if that is a tensor."""
    if isinstance(kind, Tensor):
        return values.float().movedim(0, -1).contiguous().to(kind.device)
    return np.ascontiguousarray(np.moveaxis(values.float().cpu().numpy(), 0, -1))


def _preview(weights: DiffusionWeights, steps: int, draws: int) -> Callable[[float, Tensor], np.ndarray | None]:
    """Decodes the texture of the first sample now and then: a picture costs about as much as a step."""
    every = max(STEPS_BETWEEN_PREVIEWS, steps // PREVIEWS)

    def preview(fraction: float, z_0: Tensor) -> np.ndarray | None:
        if round(fraction * steps) % every:
            return None
        with torch.inference_mode(), weights.autocast():
            texture = weights.decode(z_0[:draws].mean(0, keepdim=True), ("texture",))["texture"][0]
        return map_preview(np.clip((as_image(texture) + 1) / 2, 0, 1))

    return preview
