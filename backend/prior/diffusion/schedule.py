"""How much noise each diffusion step holds (paper, section 3.1), and what follows from it in closed form.

Steps are counted as in the paper: t = 1 ... T are noisy, t = 0 is clean, alpha_bar[0] = 1. (diffusers counts its T
noisy steps from 0: its timestep is t - 1.)
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

STEPS = 1000
# Nichol and Dhariwal, "Improved denoising diffusion probabilistic models", 2021, section 3.2.
COSINE_OFFSET, MOST_BETA = 0.008, 0.999
# Below this share of signal eq. 9c divides the network's rounding errors by next to nothing, and z_t is noise to
# within a hundredth anyway: sampling from noise starts at the last step above it.
LEAST_SIGNAL = 0.01


@dataclass(frozen=True)
class Normal:
    """A Gaussian with independent entries: mean [...] and standard deviation, one number for all entries."""

    mean: Tensor
    deviation: float


@dataclass(frozen=True)
class NoiseSchedule:
    """q(z_t | z_0) = N(sqrt(alpha_bar[t]) z_0, (1 - alpha_bar[t]) I).

    Args:
        alpha_bar: float64 [T + 1] on the CPU, falls from alpha_bar[0] = 1 to nearly 0.

    Raises:
        ValueError: alpha_bar is not such a sequence.
    """

    alpha_bar: Tensor

    def __post_init__(self) -> None:
        falls = bool((self.alpha_bar.diff() < 0).all()) and bool((self.alpha_bar > 0).all())
        if self.alpha_bar.dtype != torch.float64 or self.alpha_bar.ndim != 1 or self.alpha_bar[0] != 1 or not falls:
            raise ValueError("alpha_bar must be float64 [T + 1] and fall from 1 towards 0")

    @staticmethod
    def cosine(steps: int = STEPS) -> NoiseSchedule:
        """The cosine schedule of Nichol and Dhariwal 2021, eq. 17, with betas of at most 0.999."""

        def level(t: int) -> float:
            return math.cos((t / steps + COSINE_OFFSET) / (1 + COSINE_OFFSET) * math.pi / 2) ** 2

        return NoiseSchedule.of_betas([min(1 - level(t) / level(t - 1), MOST_BETA) for t in range(1, steps + 1)])

    @staticmethod
    def linear(steps: int = STEPS, first: float = 1e-4, last: float = 0.02) -> NoiseSchedule:
        """Betas that rise linearly, as Ho et al. 2020, section 4; `first` and `last` are for 1000 steps."""
        betas = torch.linspace(first, last, steps, dtype=torch.float64) * (STEPS / steps)
        return NoiseSchedule.of_betas(betas.clamp(max=MOST_BETA).tolist())

    @staticmethod
    def of_betas(betas: list[float]) -> NoiseSchedule:
        """The schedule with these T variances of the single forward steps."""
        kept = 1 - torch.tensor(betas, dtype=torch.float64)
        return NoiseSchedule(torch.cat([torch.ones(1, dtype=torch.float64), kept.cumprod(0)]))

    @property
    def steps(self) -> int:
        """T."""
        return len(self.alpha_bar) - 1

    @property
    def noise_step(self) -> int:
        """Where sampling from pure noise starts: the last step that holds any signal to speak of."""
        return int((self.alpha_bar.sqrt() >= LEAST_SIGNAL).nonzero().max())

    def signal(self, t: int) -> float:
        """sqrt(alpha_bar[t])."""
        return math.sqrt(float(self.alpha_bar[t]))

    def noise(self, t: int) -> float:
        """sqrt(1 - alpha_bar[t])."""
        return math.sqrt(1 - float(self.alpha_bar[t]))

    def step_of_noise(self, deviation: float) -> int:
        """The step whose sqrt(1 - alpha_bar) is nearest to `deviation`; for starts from an estimate."""
        return int(((1 - self.alpha_bar).sqrt() - deviation).abs().argmin())

    def pairs(self, count: int, start: int | None = None) -> tuple[tuple[int, int], ...]:
        """At most `count` evenly spaced jumps (t, s), t > s, from `start` (default `noise_step`) down to 0.

        Raises:
            ValueError: count or start is out of range.
        """
        first = self.noise_step if start is None else start
        if count < 1 or not 1 <= first <= self.steps:
            raise ValueError(f"cannot go from step {first} to 0 in {count} jumps")
        stops = torch.linspace(first, 0, min(count, first) + 1, dtype=torch.float64).round().int().tolist()
        return tuple(itertools.pairwise(stops))

    def noised(self, z_0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """A draw from q(z_t | z_0) for training: z_0 and standard normal noise [B, C, h, w], t int64 [B]."""
        level = self.alpha_bar.to(t.device)[t].reshape(-1, *[1] * (z_0.ndim - 1))
        return level.sqrt().to(z_0.dtype) * z_0 + (1 - level).sqrt().to(z_0.dtype) * noise

    def forward(self, z_0: Tensor, t: int) -> Normal:
        """q(z_t | z_0); its sample is eq. 9b where z_0 is what was observed."""
        return Normal(self.signal(t) * z_0, self.noise(t))

    def forward_from(self, z_s: Tensor, s: int, t: int) -> Normal:
        """q(z_t | z_s) for t > s: noise put back, as RePaint's resampling does."""
        kept = float(self.alpha_bar[t] / self.alpha_bar[s])
        return Normal(math.sqrt(kept) * z_s, math.sqrt(1 - kept))

    def clean_estimate(self, z_t: Tensor, epsilon: Tensor, t: int) -> Tensor:
        """z_0 estimated from z_t and the noise in it, eq. 9c."""
        return (z_t - self.noise(t) * epsilon) / self.signal(t)

    def posterior(self, z_t: Tensor, z_0: Tensor, t: int, s: int) -> Normal:
        """q(z_s | z_t, z_0) for t > s; with the estimate of eq. 9c for z_0 it is eq. 9a (and eq. 5 where s = t - 1).

        Source: Ho et al. 2020, eq. 6-7, for any two steps.
        """
        at_t, at_s = float(self.alpha_bar[t]), float(self.alpha_bar[s])
        kept = at_t / at_s
        mean = math.sqrt(at_s) * (1 - kept) / (1 - at_t) * z_0 + math.sqrt(kept) * (1 - at_s) / (1 - at_t) * z_t
        return Normal(mean, math.sqrt((1 - kept) * (1 - at_s) / (1 - at_t)))

    def ddim(self, z_0: Tensor, epsilon: Tensor, t: int, s: int, eta: float) -> Normal:
        """DDIM's step from t to s < t: eta = 0 takes no fresh noise, eta = 1 is `posterior`.

        Source: Song, Meng and Ermon 2021, eq. 12 and 16.
        """
        kept_noise, deviation = self._ddim_noise(t, s, eta)
        return Normal(self.signal(s) * z_0 + kept_noise * epsilon, deviation)

    def gain(self, t: int, s: int, eta: float) -> float:
        """How far the mean of `ddim`, or with eta = 1 of `posterior`, moves as z_0 moves by 1 and z_t stays."""
        kept_noise, _ = self._ddim_noise(t, s, eta)
        return self.signal(s) - kept_noise * self.signal(t) / self.noise(t)

    def _ddim_noise(self, t: int, s: int, eta: float) -> tuple[float, float]:
        """The weight of the old noise in DDIM's step, and the deviation of the fresh noise."""
        at_t, at_s = float(self.alpha_bar[t]), float(self.alpha_bar[s])
        variance = eta**2 * (1 - at_t / at_s) * (1 - at_s) / (1 - at_t)
        return math.sqrt(max(1 - at_s - variance, 0.0)), math.sqrt(variance)
