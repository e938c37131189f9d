"""How each quality samples, by the configuration that the denoiser was trained in."""

from __future__ import annotations

from dataclasses import dataclass

from backend.prior.diffusion.sampler_options import SamplerOptions
from shared.options import LIKELIEST_SEED, Reflectance


@dataclass(frozen=True)
class SamplingPreset:
    """How a quality samples.

    Args:
        options: sampler and number of steps.
        start_noise: deviation of the noise from which the coarse estimate is refined (CCDF), None to begin from noise.
        draws: whose latents' mean is one completion: the more, the nearer to the expectation, and the smoother.
        broad: share of that mean in the broad tone of what was not seen, the rest being the coarse estimate.
        fine: its share in all colour that is finer than `broad_mm`. The mean of two estimates that err in different
            ways is nearer to the truth than either.
        seen: trust from which a texel of the photo is taken as known.
        pores_mm: blur of drawn maps, in which pores would not lie in those of the photo, 0 for none; assumed.
        broad_mm: blur that parts the broad tone from the rest; assumed.
        further: how all other seeds than the likeliest's sample, None for the same way.
    """

    options: SamplerOptions
    start_noise: float | None
    draws: int = 1
    broad: float = 1.0
    fine: float = 1.0
    seen: float = 0.5
    pores_mm: float = 1.5
    broad_mm: float = 30.0
    further: SamplingPreset | None = None

    def of_seed(self, seed: int) -> SamplingPreset:
        """How the completion of a seed is sampled."""
        return self if self.further is None or seed == LIKELIEST_SEED else self.further


def _small(steps: int, further_steps: int, solves: int) -> SamplingPreset:
    """The small network's: the likeliest skin, and fair draws beside it.

    At temperature 0 a chain goes to the expectation, as the coarse estimate does: the mean of two that err in different
    ways is nearer to the truth than either. The broad tone, which is mostly light, is the coarse estimate's, which
    knows as much of it. A further sample is a skin of its own, so it is drawn fairly, all the network's, about a draw
    of the coarse prior. Chosen on photos of people in no prior and of training people: docs/research/draws.md.
    """
    further = SamplingPreset(
        SamplerOptions("mcg_ddim", steps=further_steps, solves=solves, eta=1.0),
        start_noise=0.5,
        broad=0.0,
    )
    likeliest = SamplerOptions("mcg_ddim", steps=steps, solves=solves, eta=1.0, temperature=0.0)
    return SamplingPreset(likeliest, start_noise=0.3, broad=0.0, fine=0.5, further=further)


# By the configuration that the denoiser was trained in.
PRESETS: dict[str, dict[str, SamplingPreset]] = {
    "tiny": {"standard": _small(5, 8, 1), "high": _small(10, 16, 2)},
    "base": {
        "standard": SamplingPreset(SamplerOptions("mcg_ddim", steps=12), 0.7),
        "high": SamplingPreset(SamplerOptions("mcg_ddim", steps=200), None),
    },
}

# The paper's chain: N = 200 DDIM steps from pure noise, the normalised gradient step of MCG, one fair
# draw, nothing of the coarse estimate mixed in.
PAPER = SamplingPreset(SamplerOptions("mcg_ddim", steps=200, step_size="residual", zeta=1.0), None, pores_mm=0.0)


def preset_of(configuration: str, quality: str, reflectance: Reflectance) -> SamplingPreset:
    """How a quality samples; `high` with the prior's own reflectance is the paper's chain."""
    return PAPER if (quality, reflectance) == ("high", "prior") else PRESETS[configuration][quality]
