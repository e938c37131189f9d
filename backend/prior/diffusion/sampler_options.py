"""Which sampler, and how it samples: what a preset says, without loading PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

SamplerName = Literal["score_sde", "repaint", "mcg", "mcg_ddim"]
SAMPLER_NAMES: tuple[SamplerName, ...] = get_args(SamplerName)
StepSize = Literal["posterior", "residual"]


@dataclass(frozen=True)
class SamplerOptions:
    """Which sampler, and its settings.

    Args:
        name: one of `SAMPLER_NAMES`.
        steps: N, jumps from the start to the clean latents; the schedule's T or more is every step.
        step_size: how long the gradient step of eq. 9e-9f is (see `guidance`); `mcg` and `mcg_ddim`. `posterior`: as
            the conditional mean of a Gaussian wants it; `residual`: zeta / |residual|, as MCG.
        zeta: strength of the gradient step. 1 is right for `posterior`; `residual` wants less the more steps there are.
        solves: backward passes a step, for `posterior`. One costs as much as `residual`, two or three do better.
        eta: fresh noise of DDIM's steps, 0 none, 1 as much as DDPM; `mcg_ddim`.
        resamplings: n, how often each step is drawn; `repaint`.
        temperature: how far samples stray, in [0, 1]: scales the noise of what is not known. 1 draws fairly; less draws
            nearer to the expectation, for a Gaussian at that share of the way, and smoother; 0 is the expectation.

    Raises:
        ValueError: a value is out of range.
    """

    name: SamplerName = "mcg_ddim"
    steps: int = 200
    step_size: StepSize = "posterior"
    zeta: float = 1.0
    solves: int = 2
    eta: float = 0.0
    resamplings: int = 10
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in SAMPLER_NAMES:
            raise ValueError(f"there is no sampler {self.name!r}")
        if self.step_size not in get_args(StepSize):
            raise ValueError(f"there is no step size {self.step_size!r}")
        if min(self.steps, self.resamplings, self.solves) < 1 or self.zeta < 0 or not 0 <= self.eta <= 1:
            raise ValueError("a sampler's options are out of range")
        if not 0 <= self.temperature <= 1:
            raise ValueError("a sampler's options are out of range")
