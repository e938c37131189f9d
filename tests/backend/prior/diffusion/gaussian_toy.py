"""A prior whose posterior is known: Gaussian latents, correlated in space and between texture and reflectance.

`python -m tests.backend.prior.diffusion.gaussian_toy` prints the table of docs/research/samplers.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.prior.diffusion.observation import Observation
from backend.prior.diffusion.sampler_options import SamplerOptions
from backend.prior.diffusion.samplers import sample
from backend.prior.diffusion.sampling import NoiseSource, Problem, Start
from backend.prior.diffusion.schedule import NoiseSchedule


@dataclass(frozen=True)
class GaussianToy:
    """z ~ N(mean, covariance) for latents [channels, side, side], and what was seen of one draw of it.

    Args:
        channels, side: shape of the latents.
        mean: float64 [D], D = channels * side * side.
        covariance: float64 [D, D]; every entry has unit variance.
        truth: float64 [D], a draw.
        mask: float32 [1, 1, side, side], 1 where its texture is seen.
    """

    channels: int
    side: int
    mean: Tensor
    covariance: Tensor
    truth: Tensor
    mask: Tensor

    @staticmethod
    def make(channels: int = 4, side: int = 4, length: float = 1.5, shared: float = 0.8, seed: int = 0) -> GaussianToy:
        """Smooth over `length` cells, half seen; `shared` of the channels' variance comes from two common causes."""
        random = torch.Generator().manual_seed(seed)
        cells = torch.cartesian_prod(torch.arange(side), torch.arange(side)).double()
        space = 0.95 * torch.exp(-(torch.cdist(cells, cells) ** 2) / (2 * length**2)) + 0.05 * torch.eye(side**2)
        causes = torch.randn(channels, 2, generator=random, dtype=torch.float64)
        causes = causes / causes.norm(dim=1, keepdim=True)
        between = shared * causes @ causes.T + (1 - shared) * torch.eye(channels)
        covariance = torch.kron(between, space)
        mean = 0.5 * torch.randn(len(covariance), generator=random, dtype=torch.float64)
        draw = torch.randn(len(covariance), generator=random, dtype=torch.float64)
        mask = torch.zeros(1, 1, side, side)
        mask[..., : side // 2, :] = 1
        truth = mean + torch.linalg.cholesky(covariance) @ draw
        return GaussianToy(channels, side, mean, covariance, truth, mask)

    def observation(self, batch: int) -> Observation:
        """The seen texture for a batch; what was not seen holds nonsense, which no sampler may look at."""
        latent = self.truth.float().reshape(1, self.channels, self.side, self.side)
        nonsense = torch.full_like(latent, 77.0)
        seen = Observation(latent, self.mask).known
        return Observation(torch.where(seen > 0, latent, nonsense), self.mask).repeated(batch)

    def model(self, schedule: NoiseSchedule) -> ExactModel:
        """The denoiser of this prior."""
        eigenvalues, vectors = torch.linalg.eigh(self.covariance)
        return ExactModel(self.mean.float(), eigenvalues, vectors.float(), schedule)

    def posterior(self) -> tuple[Tensor, Tensor, Tensor]:
        """Which entries are not known, bool [D], and their mean [U] and covariance [U, U] given those that are."""
        known = self.observation(1).known.reshape(-1) > 0
        ours, theirs = self.covariance[~known][:, known], self.covariance[known][:, known]
        regression = torch.linalg.solve(theirs, ours.T).T
        mean = self.mean[~known] + regression @ (self.truth[known] - self.mean[known])
        return ~known, mean, self.covariance[~known][:, ~known] - regression @ ours.T


@dataclass(frozen=True)
class ExactModel:
    """eps = -sqrt(1 - a) times the score of N(sqrt(a) mean, a covariance + (1 - a) I), a = alpha_bar."""

    mean: Tensor
    eigenvalues: Tensor
    vectors: Tensor
    schedule: NoiseSchedule

    def __call__(self, z_t: Tensor, t: Tensor) -> Tensor:
        assert t.dtype == torch.int64
        assert t.shape == z_t.shape[:1]
        power = float(self.schedule.alpha_bar[int(t[0])])
        weight = (math.sqrt(1 - power) / (power * self.eigenvalues + 1 - power)).float()
        centred = z_t.flatten(1) - math.sqrt(power) * self.mean
        return ((centred @ self.vectors) * weight @ self.vectors.T).reshape(z_t.shape)


@dataclass(frozen=True)
class Deviation:
    """How far samples are from the posterior.

    Args:
        bias: root mean square error of the mean, in posterior standard deviations.
        variance: mean ratio of the samples' variance to the posterior's.
        least, most: the extremes of that ratio.
    """

    bias: float
    variance: float
    least: float
    most: float


def deviations(toy: GaussianToy, z_0: Tensor) -> tuple[Deviation, Deviation]:
    """Of the texture that was not seen, and of the reflectance, for samples z_0 [B, C, h, w]."""
    unknown, mean, covariance = toy.posterior()
    drawn = z_0.flatten(1).double()[:, unknown]
    texture = torch.arange(len(unknown))[unknown] < 3 * toy.side**2
    bias = (drawn.mean(0) - mean) / covariance.diag().sqrt()
    ratio = drawn.var(0) / covariance.diag()
    both = [(bias[part], ratio[part]) for part in (texture, ~texture)]
    texture, reflectance = (
        Deviation(float(b.square().mean().sqrt()), float(r.mean()), float(r.min()), float(r.max())) for b, r in both
    )
    return texture, reflectance


def run(
    toy: GaussianToy, options: SamplerOptions, batch: int = 400, seed: int = 0, start: Start | None = None
) -> Tensor:
    """Samples z_0 [batch, C, h, w] with the cosine schedule; one generator serves all, for speed."""
    schedule = NoiseSchedule.cosine()
    noise = NoiseSource.of_seeds(0)
    return sample(Problem(toy.model(schedule), schedule, toy.observation(batch)), options, noise, start)


def table(batch: int = 600) -> None:
    """Print the deviations of all samplers, averaged over two toys, as Markdown."""
    toys = [GaussianToy.make(seed=seed) for seed in range(2)]
    print("| sampler | N | settings | bias of T | bias of A, N | variance of T | variance of A, N |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for text, options in ROWS:
        pairs = [deviations(toy, run(toy, options, batch)) for toy in toys]
        bias = [math.sqrt(sum(pair[part].bias ** 2 for pair in pairs) / len(pairs)) for part in (0, 1)]
        variance = [sum(pair[part].variance for pair in pairs) / len(pairs) for part in (0, 1)]
        numbers = " | ".join(f"{value:.2f}" for value in (*bias, *variance))
        print(f"| `{options.name}` | {options.steps} | {text} | {numbers} |", flush=True)


ROWS = (
    *(("", SamplerOptions("score_sde", n)) for n in (50, 200, 993)),
    *((f"n = {r}", SamplerOptions("repaint", n, resamplings=r)) for n, r in ((50, 10), (200, 10), (50, 40))),
    *(
        (f"residual, zeta = {z:g}", SamplerOptions("mcg", n, "residual", zeta=z))
        for n, z in ((993, 1.0), (993, 0.03), (200, 1.0), (200, 0.1))
    ),
    *(
        (f"posterior, {k} solves", SamplerOptions("mcg", n, solves=k))
        for n, k in ((200, 1), (200, 2), (200, 3), (200, 5), (993, 3))
    ),
    *(
        (f"residual, zeta = {z:g}", SamplerOptions("mcg_ddim", n, "residual", zeta=z))
        for n, z in ((200, 0.1), (50, 1.0), (50, 0.3))
    ),
    *(
        (f"posterior, {k} solves, eta = {eta:g}", SamplerOptions("mcg_ddim", n, solves=k, eta=eta))
        for n, k, eta in (
            *((200, 1, 0), (200, 2, 0), (200, 3, 0), (200, 3, 1)),
            *((50, 1, 0), (50, 2, 0), (50, 3, 0), (50, 3, 1)),
            *((12, 2, 0), (12, 3, 0), (12, 3, 1)),
        )
    ),
)


if __name__ == "__main__":
    table()
