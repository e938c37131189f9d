"""Who is asked for draws, at temperature 1: the linear prior, networks in folders, the training's own stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from backend.delight.delighting import DelightedTexture
from backend.head.model import HeadModel
from backend.imaging.colour import linear_to_srgb
from backend.prior.channels import LINEAR
from backend.prior.diffusion.drawing import as_image
from backend.prior.diffusion.observation import Observation
from backend.prior.diffusion.presets import SamplingPreset
from backend.prior.diffusion.prior import DiffusionPrior
from backend.prior.diffusion.sampler_options import SamplerOptions
from backend.prior.diffusion.samplers import sample
from backend.prior.diffusion.sampling import NoiseSource, Problem
from backend.prior.interface import Prior
from backend.prior.linear.estimate import coarse_estimate
from backend.prior.linear.factor_model import CoarsePrior
from backend.prior.linear.prior import joined, unit_normals
from backend.prior.parameters import PriorParameters
from backend.progress import Progress
from backend.texture.fitted_skin import WORKING_RESOLUTION
from backend.texture.maps import SkinMaps
from backend.training.priors.linear_command import as_maps
from backend.training.skin.pack import PACK, load_pack
from backend.training.stream.skin_stream import SkinStream
from shared.options import LIKELIEST_SEED, REFLECTANCES

if TYPE_CHECKING:
    from backend.prior.diffusion.weights import DiffusionWeights


class DrawsSkins(Protocol):
    """Draws whole skins with nothing known."""

    def from_noise(self, seeds: Sequence[int]) -> Iterator[SkinMaps]:
        """A skin for each seed, 512 x 512 texels."""
        ...


class DrawsCompletions(Protocol):
    """Draws what a photo does not show."""

    def completions(self, delit: DelightedTexture, seeds: Sequence[int]) -> Iterator[np.ndarray]:
        """Completed log textures float32 [B, B, 3], joined to what was seen, one for each seed."""
        ...


@dataclass(frozen=True)
class LinearDraws:
    """The joint Gaussian: factors and noise at random, from the prior or from its posterior."""

    coarse: CoarsePrior
    parameters: PriorParameters = PriorParameters()

    def from_noise(self, seeds: Sequence[int]) -> Iterator[SkinMaps]:
        """See `DrawsSkins`."""
        for seed in seeds:
            rng = np.random.default_rng(seed)
            factors = self.coarse.maps_of(rng.standard_normal(self.coarse.latents), WORKING_RESOLUTION)
            values = factors + self.coarse.drawn_noise(WORKING_RESOLUTION, rng)
            yield SkinMaps(
                encoded(values[..., LINEAR.texture]),
                encoded(values[..., LINEAR.diffuse]),
                np.clip(values[..., LINEAR.specular.start], 0, 1),
                unit_normals(values[..., LINEAR.normal]),
                np.ones((WORKING_RESOLUTION, WORKING_RESOLUTION), np.float32),
            )

    def completions(self, delit: DelightedTexture, seeds: Sequence[int]) -> Iterator[np.ndarray]:
        """See `DrawsCompletions`."""
        estimate = coarse_estimate(self.coarse, delit, self.parameters.estimate)
        side = len(delit.weight)
        for seed in seeds:
            rng = np.random.default_rng(seed)
            drawn = estimate.drawn(side, rng)[..., LINEAR.texture]
            noise = self.coarse.drawn_noise(side, rng)[..., LINEAR.texture]
            whole = joined(delit.log_seen, drawn, delit, self.parameters.joining).colour
            yield whole + (1 - delit.weight[..., None]) * noise


@dataclass(frozen=True)
class NetworkDraws:
    """A diffusion prior: from pure noise, one draw a completion, nothing of the coarse estimate mixed in."""

    coarse: CoarsePrior
    load: Callable[[], DiffusionWeights]
    steps: int

    @property
    def options(self) -> SamplerOptions:
        """The sampler: DDIM's steps with the posterior's gradient, fair."""
        return SamplerOptions("mcg_ddim", steps=self.steps, solves=1, eta=0.0, temperature=1.0)

    def from_noise(self, seeds: Sequence[int]) -> Iterator[SkinMaps]:
        """See `DrawsSkins`."""
        weights = self.load()
        nothing = Observation.nothing(1, size=weights.statistics.mean.shape[-1]).to(weights.device)
        problem = Problem(weights.epsilon, weights.denoiser.schedule, nothing)
        for seed in seeds:
            drawn = sample(problem, self.options, NoiseSource.of_seeds(seed))
            with torch.inference_mode(), weights.autocast():
                maps = {name: as_image(image[0]) for name, image in weights.decode(drawn).items()}
            colours = [np.clip((maps[n] + 1) / 2, 0, 1) for n in ("texture", "diffuse_albedo", "specular_albedo")]
            normal = maps["normal"] / np.maximum(np.linalg.norm(maps["normal"], axis=-1, keepdims=True), 1e-6)
            yield SkinMaps(colours[0], colours[1], colours[2][..., 0], normal, np.ones(normal.shape[:2], np.float32))

    def completions(self, delit: DelightedTexture, seeds: Sequence[int]) -> Iterator[np.ndarray]:
        """See `DrawsCompletions`."""
        fair = SamplingPreset(self.options, None, draws=1, broad=1.0, fine=1.0, pores_mm=0.0)
        prior = DiffusionPrior(self.coarse, self.load, dict.fromkeys(REFLECTANCES, fair))
        for maps in prior.complete(delit, seeds, Progress()):
            yield maps.log_texture


@dataclass(frozen=True)
class SampleDraws:
    """What a quality makes as samples 2, 3, ...: all but the likeliest, before detail is made."""

    prior: Prior

    def completions(self, delit: DelightedTexture, seeds: Sequence[int]) -> Iterator[np.ndarray]:
        """See `DrawsCompletions`."""
        drawn = [seed if seed < LIKELIEST_SEED else seed + 1 for seed in seeds]
        for maps in self.prior.complete(delit, drawn, Progress()):
            yield maps.log_texture


class StreamDraws:
    """The training's own samples: what a prior that has learnt all of them would draw."""

    def __init__(self, model: HeadModel, heads: int = 24, first: int = 10**6) -> None:
        """
        Args:
            model: the head model.
            heads: random heads to light.
            first: number of the first sample; trainings count from 0.
        """
        self._stream = SkinStream(load_pack(PACK), model, resolution=WORKING_RESOLUTION, heads=heads)
        self._first = first

    def from_noise(self, seeds: Sequence[int]) -> Iterator[SkinMaps]:
        """See `DrawsSkins`."""
        for seed in seeds:
            with torch.inference_mode():
                yield as_maps(self._stream.batch([self._first + seed])[0])


def network_in(folder: Path, coarse: CoarsePrior, device: str, steps: int) -> NetworkDraws:
    """The network in a folder; its weights are read at first use."""

    @cache
    def load() -> DiffusionWeights:
        from backend.prior.diffusion.weights import load_weights

        return load_weights(folder, device)

    return NetworkDraws(coarse, load, steps)


def encoded(log_colour: np.ndarray) -> np.ndarray:
    """sRGB-encoded float32 of the logarithm of linear colour."""
    return linear_to_srgb(np.clip(np.exp(log_colour), 0, 1)).astype(np.float32)
