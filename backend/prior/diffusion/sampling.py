"""What all samplers share: the model they call, their options, their noise, where they start and whom they tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from backend.prior.diffusion.observation import Observation
from backend.prior.diffusion.sampler_options import SamplerOptions
from backend.prior.diffusion.schedule import NoiseSchedule, Normal
from backend.prior.interface import GuidanceTerm
from backend.progress import Progress


class EpsilonModel(Protocol):
    """The denoiser eps_theta(z_t, t) of eq. 4."""

    def __call__(self, z_t: Tensor, t: Tensor) -> Tensor:
        """The noise in z_t.

        Args:
            z_t: float32 [B, C, h, w]; the result is differentiable with respect to it.
            t: int64 [B], 1 ... T (see `NoiseSchedule` on counting).
        """
        ...


@dataclass(frozen=True)
class Problem:
    """What is to be drawn: from which model, given what.

    Args:
        model: eps_theta; samplers with a gradient differentiate it with respect to z_t, the others run without.
        schedule: the noise that the model was trained with.
        observation: what is known of the texture, one row a sample (eq. 9b, 9d).
        terms: what else guides the gradient samplers, each by its gradient on the clean estimate.
    """

    model: EpsilonModel
    schedule: NoiseSchedule
    observation: Observation
    terms: tuple[GuidanceTerm, ...] = ()


@dataclass(frozen=True)
class Start:
    """Come closer, diffuse faster (CCDF): begin from q(z_t | estimate) instead of noise (Chung et al. 2022).

    Args:
        latent: float [B, C, h, w], an estimate of z_0.
        step: t, 1 ... T.
    """

    latent: Tensor
    step: int


@dataclass(frozen=True)
class NoiseSource:
    """Standard normal numbers for a batch, each sample from a generator of its own.

    They are drawn on the CPU and moved, so a seed gives the same numbers on every device and in every batch. Drawing
    moves the generators on: one source serves one run.

    Args:
        generators: one a sample; fewer, and each serves as many neighbouring samples, faster but no longer apart.
    """

    generators: tuple[torch.Generator, ...]

    @staticmethod
    def of_seeds(*seeds: int) -> NoiseSource:
        """A source for as many samples as seeds; sample k of a job of several has seed + k."""
        # PyTorch takes seeds from -2^63 to 2^64 - 1.
        return NoiseSource(tuple(torch.Generator("cpu").manual_seed(seed % 2**64) for seed in seeds))

    def like(self, tensor: Tensor) -> Tensor:
        """Numbers in the shape [B, ...], on the device and of the type of a tensor.

        Raises:
            ValueError: B is not a multiple of the number of generators.
        """
        rows, left = divmod(len(tensor), len(self.generators))
        if left:
            raise ValueError(f"{len(self.generators)} generators cannot serve {len(tensor)} samples")
        shape = (rows, *tensor.shape[1:])
        drawn = [torch.randn(shape, generator=g, dtype=torch.float32) for g in self.generators]
        return torch.cat(drawn).to(tensor.device, tensor.dtype)

    def draw(self, normal: Normal, temperature: Tensor | float = 1.0) -> Tensor:
        """A sample of a Gaussian, its deviation times a temperature; no numbers are used up where it has no spread."""
        if normal.deviation == 0:
            return normal.mean
        return normal.mean + temperature * normal.deviation * self.like(normal.mean)


@dataclass(frozen=True)
class Watch:
    """Who is told after each step.

    Args:
        progress: gets the fraction done; raises when the user cancels.
        preview: given the fraction done and the current estimate of z_0 [B, C, h, w], an image to show, uint8
            [H, W, 3] sRGB, or None to show nothing this time.
    """

    progress: Progress = field(default_factory=Progress)
    preview: Callable[[float, Tensor], np.ndarray | None] | None = None

    def step(self, done: int, of: int, z_0: Tensor) -> None:
        """Report that `done` of `of` steps are done.

        Raises:
            JobCancelled: the user asked to stop.
        """
        fraction = done / of
        self.progress.report(fraction, self.preview(fraction, z_0) if self.preview else None)


class Sampler(Protocol):
    """Draws latents from the prior given what was observed."""

    def __call__(
        self, problem: Problem, options: SamplerOptions, noise: NoiseSource, start: Start | None, watch: Watch
    ) -> Tensor:
        """z_0 [B, C, h, w], float32, on the observation's device; known latents (mask 1) equal the observation exactly.

        Args:
            problem: the model, its schedule, what is known and what guides.
            options: settings; the name is not looked at.
            noise: one generator a sample.
            start: an estimate to begin from, None for noise.
            watch: told after every step.

        Raises:
            JobCancelled: the user asked to stop; takes effect between steps.
        """
        ...


def first_latents(
    problem: Problem, options: SamplerOptions, noise: NoiseSource, start: Start | None
) -> tuple[Tensor, int]:
    """z_t to begin with and its t: noise, or the noised estimate of `start`, and eq. 9b where something is known."""
    observation, schedule = problem.observation, problem.schedule
    t = schedule.noise_step if start is None else start.step
    estimate = torch.zeros_like(observation.latent) if start is None else start.latent.to(observation.latent)
    unknown = noise.draw(schedule.forward(estimate, t), options.temperature)
    known = noise.draw(schedule.forward(observation.latent, t))  # eq. 9b
    return torch.where(observation.held(t, schedule.steps), known, unknown), t


def step_tensor(t: int, z_t: Tensor) -> Tensor:
    """The step as the model takes it, int64 [B]."""
    return torch.full((len(z_t),), t, dtype=torch.int64, device=z_t.device)
