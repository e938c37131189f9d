"""The qualities `standard` and `high`: inpainting with the latent diffusion model (paper, section 3.3, eq. 9)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from backend import previews
from backend.delight.residual_shading import without_left_light
from backend.detail.stage import add_detail
from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.imaging.filters import masked_blur
from backend.prior.diffusion.observation import Observation, latent_mask
from backend.prior.diffusion.samplers import sample
from backend.prior.diffusion.sampling import NoiseSource, SamplerOptions, Start, Watch
from backend.prior.interface import PriorContext, WorkingMaps
from backend.prior.linear.factor_model import CoarsePrior
from backend.prior.linear.prior import CoarseCompletion, coarse_completion, joined, without_rings
from backend.prior.nostrils import with_dark_nostrils
from backend.progress import Progress
from backend.texture.maps import PartialTexture, SkinMaps

if TYPE_CHECKING:
    from backend.prior.diffusion.weights import DiffusionWeights

_log = logging.getLogger(__name__)
SEEN = 0.5  # trust from which a texel of the photo is taken as known
SMALLEST_LINEAR = 1.5e-3
PORES_MM = 1.5
BROAD_MM = 30.0
PREVIEWS = 6  # pictures sent while sampling
# Normals are read from the relief of the finished albedo: drawn ones made them worse (docs/diffusion_prior.md).
DECODED = ("texture", "diffuse_albedo", "specular_albedo")


@dataclass(frozen=True)
class Preset:
    """How a quality samples.

    Args:
        options: sampler and number of steps.
        start_noise: deviation of the noise from which the coarse estimate is refined (CCDF), None to begin from noise.
        draws: whose latents' mean is one completion: the more, the nearer to the expectation, and the smoother.
        broad: share of that mean in the broad tone of what was not seen, the rest being the coarse estimate.
        fine: its share in all colour that is finer than `BROAD_MM`. The mean of two estimates that err in different
            ways is nearer to the truth than either.
    """

    options: SamplerOptions
    start_noise: float | None
    draws: int = 1
    broad: float = 1.0
    fine: float = 1.0


# By the configuration that the denoiser was trained in. A single fair draw of the small one has blotches; the mean of
# several draws at a low temperature and the coarse estimate has none. Of the broad tone, which is mostly light, it
# knows no more than that estimate. Shares were chosen on photos of people in no prior (docs/diffusion_prior.md).
_TINY = Preset(
    SamplerOptions("mcg_ddim", steps=8, solves=1, eta=1.0, temperature=0.4),
    start_noise=0.5,
    draws=3,
    broad=0.0,
    fine=0.5,
)
PRESETS = {
    "tiny": {"standard": _TINY, "high": replace(_TINY, options=replace(_TINY.options, steps=12), draws=8)},
    "base": {
        "standard": Preset(SamplerOptions("mcg_ddim", steps=12), 0.7),
        "high": Preset(SamplerOptions("mcg_ddim", steps=200), None),
    },
}


class DiffusionPrior:
    """Draws texture and reflectance from the joint prior given what was seen.

    Args:
        coarse: the linear prior, for the estimate that fills holes and that sampling may start from.
        load: gives the networks; called by each job, so it keeps what it has loaded.
        preset: how to sample.
    """

    def __init__(self, coarse: CoarsePrior, load: Callable[[], DiffusionWeights], preset: Preset) -> None:
        self.coarse, self.load, self.preset = coarse, load, preset

    def complete(self, partial: PartialTexture, context: PriorContext, seed: int, progress: Progress) -> SkinMaps:
        """See `backend.prior.interface.Prior.complete`."""
        return next(self.samples(partial, context, (seed,), progress))

    def samples(
        self, partial: PartialTexture, context: PriorContext, seeds: Sequence[int], progress: Progress
    ) -> Iterator[SkinMaps]:
        """See `backend.prior.samples.SamplingPrior.samples`."""
        coarse = coarse_completion(self.coarse, partial, context, progress.part(0.0, 0.3))
        drawn = self._drawn(coarse, context, seeds, progress.part(0.3, 0.8))
        for index, maps in enumerate(drawn):
            progress.report("detail", 0.8 + 0.2 * index / len(seeds))
            working = working_maps(coarse, maps, self.preset.broad, self.preset.fine)
            working = with_dark_nostrils(working, coarse.nostrils, coarse.regions)
            yield add_detail(working, partial, context.place, seeds[index], context.detail)
        progress.report("detail", 1.0)

    def _drawn(
        self, coarse: CoarseCompletion, context: PriorContext, seeds: Sequence[int], progress: Progress
    ) -> list[dict[str, np.ndarray]]:
        """The network's maps for each seed, float32 [B, B, C] as `working_maps` takes them."""
        estimate = coarse_maps(coarse)

        def draw(weights: DiffusionWeights, chosen: Sequence[int]) -> list[dict[str, np.ndarray]]:
            device = weights.device
            with torch.inference_mode(), weights.autocast():
                latent = weights.encode({name: as_tensor(image).to(device) for name, image in estimate.items()})
            seen = torch.from_numpy((coarse.shaded.weight > SEEN).astype(np.float32))[None, None]
            # Clones: tensors of inference mode take no part in the gradient of eq. 9d.
            observation = Observation(latent.clone(), latent_mask(seen, latent.shape[-1]).to(device))
            options, schedule = self.preset.options, weights.denoiser.schedule
            draws = self.preset.draws
            observation = observation.repeated(draws * len(chosen))
            start = None
            if self.preset.start_noise is not None:
                estimates = latent.clone().repeat(draws * len(chosen), 1, 1, 1)
                start = Start(estimates, schedule.step_of_noise(self.preset.start_noise))
            watch = Watch(progress, _preview(weights, options.steps, draws))
            noise = NoiseSource.of_seeds(*chosen)
            drawn = sample(weights.epsilon, observation, schedule, options, noise, start, watch)
            with torch.inference_mode(), weights.autocast():
                maps = weights.decode(drawn.unflatten(0, (len(chosen), draws)).mean(1), DECODED)
            return [{name: as_image(maps[name][k]) for name in maps} for k in range(len(chosen))]

        return with_fallback(self.load(), draw, seeds)


def working_maps(coarse: CoarseCompletion, maps: dict[str, np.ndarray], broad: float, fine: float) -> WorkingMaps:
    """The network's maps, joined to what was seen in the gradient domain; of colour a share in the coarse estimate.

    Args:
        coarse: the coarse estimate.
        maps: float32 [B, B, C] in [-1, 1] by name.
        broad: share of the maps in the tone of what was not seen.
        fine: share in all colour that is finer than `BROAD_MM`.
    """
    estimate = coarse.working
    shaded, place = coarse.shaded, (coarse.uv_space, coarse.vertices, coarse.regions)
    island = coarse.uv_space.mask.astype(np.float32)
    unseen = island * (1 - shaded.weight)
    scale = coarse.regions.texels_per_mm

    def poreless(image: np.ndarray) -> np.ndarray:
        # Pores drawn at random would not lie in those of the photo; the detail stage makes them, the same in all maps.
        return masked_blur(image, island, PORES_MM * scale)

    def colour(image: np.ndarray) -> np.ndarray:
        return without_rings(poreless(log_colour(image)), coarse.regions, coarse.uv_space.mask)

    def shared(estimated: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        difference = drawn - estimated
        tone = masked_blur(difference, unseen, BROAD_MM * scale) * unseen[..., None]
        return estimated + fine * difference + (broad - fine) * tone

    drawn_albedo = colour(maps["diffuse_albedo"])
    log_texture = joined(shaded.log_seen, colour(maps["texture"]), shaded.weight, *place).colour
    albedo = joined(shaded.log_albedo - coarse.gain, drawn_albedo, shaded.weight, *place)
    log_albedo = without_left_light(
        albedo.colour, drawn_albedo, shaded.weight, coarse.nostrils, coarse.uv_space.mask, coarse.regions
    )
    specular = poreless(np.clip((maps["specular_albedo"][..., 0] + 1) / 2, 0.0, 1.0))
    return replace(
        estimate,
        log_texture=shared(estimate.log_texture, log_texture),
        log_albedo=shared(estimate.log_albedo, log_albedo),
        log_relief=shared(estimate.log_relief, albedo.relief),
        specular_albedo=specular,
    )


def coarse_maps(coarse: CoarseCompletion) -> dict[str, np.ndarray]:
    """The coarse completion as the auto-encoders take it: float32 [B, B, C] in [-1, 1] by map.

    It has no holes: outside the island it repeats its border, as the training's maps do. It has no normals, which are
    then begun at their mean: those read from a photo are rougher than what training saw.
    """
    working = coarse.working.dilated(coarse.uv_space.mask)
    return {
        "texture": 2 * np.clip(linear_to_srgb(np.exp(working.log_texture)), 0, 1) - 1,
        "diffuse_albedo": 2 * np.clip(linear_to_srgb(np.exp(working.log_albedo)), 0, 1) - 1,
        "specular_albedo": 2 * np.clip(working.specular_albedo, 0, 1)[..., None] - 1,
    }


def with_fallback(
    weights: DiffusionWeights,
    draw: Callable[[DiffusionWeights, Sequence[int]], list[dict[str, np.ndarray]]],
    seeds: Sequence[int],
) -> list[dict[str, np.ndarray]]:
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


def as_tensor(image: np.ndarray) -> Tensor:
    """An image [R, R, C] as a tensor [1, C, R, R]."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, -1, 0), np.float32))[None]


def as_image(values: Tensor) -> np.ndarray:
    """A tensor [C, R, R] as an image [R, R, C]."""
    return np.ascontiguousarray(np.moveaxis(values.float().cpu().numpy(), 0, -1))


def log_colour(encoded: np.ndarray) -> np.ndarray:
    """sRGB-encoded colour in [-1, 1] as the logarithm of linear colour."""
    linear = srgb_to_linear(np.clip((encoded + 1) / 2, 0, 1))
    return np.log(np.maximum(linear, SMALLEST_LINEAR)).astype(np.float32)


def _preview(weights: DiffusionWeights, steps: int, draws: int) -> Callable[[float, Tensor], np.ndarray | None]:
    """Decodes the texture of the first sample now and then."""
    every = max(1, steps // PREVIEWS)

    def preview(fraction: float, z_0: Tensor) -> np.ndarray | None:
        if round(fraction * steps) % every:
            return None
        with torch.inference_mode(), weights.autocast():
            texture = weights.decode(z_0[:draws].mean(0, keepdim=True), ("texture",))["texture"][0]
        return previews.map_preview(np.clip((as_image(texture) + 1) / 2, 0, 1))

    return preview
