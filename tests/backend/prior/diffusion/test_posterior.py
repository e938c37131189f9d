"""The samplers against a Gaussian prior, whose posterior given the seen texture is known exactly.

400 samples of a toy of 64 latents, of which 24 are seen: chance alone gives a bias of 0.05 posterior standard
deviations (root mean square) and single variances that are 7 % off. What is more is the sampler's own.

Measured, as (bias of the unseen texture, of the reflectance, ratio of variance of texture, of reflectance):
`mcg` 200 steps, 3 solves (0.05, 0.06, 0.96, 1.02), 1 solve (0.26, 0.33, 1.05, 1.01); `mcg_ddim` 50 steps, 3 solves
(0.15, 0.20, 0.95, 1.03); `repaint` 100 steps, 40 resamplings (0.09, 0.14, 0.90, 0.89), 10 resamplings (0.2, 0.2,
0.9, 0.9). `score_sde` (0.67, 0.68, 1.38, 1.33) does not sample the posterior: what it fills in has not seen the clean
texture. `mcg` with steps of zeta / |residual| is off as well, (0.26, 0.31, 0.87, 0.86) for the best zeta
of 0.1, 0.03 and 1; with 993 steps and zeta = 1 far off, (2.6, 1.2, 0.4, 0.5). See docs/research/samplers.md.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from backend.prior.diffusion.observation import Observation
from backend.prior.diffusion.sampler_options import SAMPLER_NAMES, SamplerOptions
from backend.prior.diffusion.samplers import sample
from backend.prior.diffusion.sampling import NoiseSource, Problem, Start
from backend.prior.diffusion.schedule import NoiseSchedule
from tests.backend.prior.diffusion.gaussian_toy import GaussianToy, deviations, run

TOY = GaussianToy.make()


@pytest.mark.parametrize(
    ("options", "bias", "variance"),
    [
        (SamplerOptions("mcg", 200, solves=4), 0.12, 0.1),
        (SamplerOptions("mcg_ddim", 50, solves=3), 0.25, 0.15),
        (SamplerOptions("mcg_ddim", 50, solves=3, eta=1.0), 0.2, 0.2),
        (SamplerOptions("repaint", 50, resamplings=30), 0.25, 0.25),
    ],
    ids=["mcg", "mcg_ddim", "mcg_ddim, eta 1", "repaint"],
)
def test_unseen_texture_and_reflectance_have_the_posterior_mean_and_variance(
    options: SamplerOptions, bias: float, variance: float
) -> None:
    for part in deviations(TOY, run(TOY, options)):
        assert part.bias < bias
        assert abs(part.variance - 1) < variance
        assert part.least > 1 - 2 * variance - 0.1
        assert part.most < 1 + 2 * variance + 0.1


def test_unknowns_vary_together_as_in_the_posterior() -> None:
    """Along the three widest directions of the posterior covariance, which mix texture and reflectance."""
    unknown, mean, covariance = TOY.posterior()
    eigenvalues, directions = torch.linalg.eigh(covariance)
    drawn = run(TOY, SamplerOptions("mcg", 200, solves=4)).flatten(1).double()[:, unknown]
    along = (drawn - mean) @ directions[:, -3:] / eigenvalues[-3:].sqrt()
    torch.testing.assert_close(along.T.cov(), torch.eye(3, dtype=torch.float64), atol=0.2, rtol=0)


@pytest.mark.parametrize("temperature", [0.0, 0.5])
def test_a_temperature_scales_how_far_samples_stray_from_the_posterior_mean(temperature: float) -> None:
    for options in (
        SamplerOptions("mcg", 100, solves=4, temperature=temperature),
        SamplerOptions("mcg_ddim", 50, solves=4, temperature=temperature),
    ):
        for part in deviations(TOY, run(TOY, options)):
            assert part.bias < 0.25
            # Known latents keep their noise, and what of it the solves leave in the unknown ones.
            assert temperature**2 - 0.1 < part.variance < temperature**2 + 0.2


def test_the_gradient_brings_samples_nearer_to_the_posterior_than_imposing_alone() -> None:
    alone = deviations(TOY, run(TOY, SamplerOptions("score_sde", 200)))
    residual = deviations(TOY, run(TOY, SamplerOptions("mcg", 200, "residual", zeta=0.1)))
    one_solve = deviations(TOY, run(TOY, SamplerOptions("mcg", 200, solves=1)))
    for part in (0, 1):
        assert 0.3 < alone[part].bias < 0.9
        assert 1.2 < alone[part].variance < 1.6
        assert residual[part].bias < 0.6 * alone[part].bias
        assert one_solve[part].bias < 0.6 * alone[part].bias


def test_resampling_brings_repaint_nearer_to_the_posterior() -> None:
    few, many = (deviations(TOY, run(TOY, SamplerOptions("repaint", 50, resamplings=n))) for n in (1, 15))
    for part in (0, 1):
        assert many[part].bias < 0.6 * few[part].bias


@pytest.mark.parametrize("name", SAMPLER_NAMES)
def test_with_nothing_seen_the_samples_are_the_priors(name: str) -> None:
    schedule = NoiseSchedule.cosine()
    options = SamplerOptions(name, 100, resamplings=2)  # pyright: ignore[reportArgumentType]
    nothing = Problem(TOY.model(schedule), schedule, Observation.nothing(600, 4, 4))
    drawn = sample(nothing, options, NoiseSource.of_seeds(3)).flatten(1)
    assert float((drawn.double().mean(0) - TOY.mean).square().mean().sqrt()) < 0.1
    assert float((drawn.var(0) / TOY.covariance.diag()).mean()) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("name", SAMPLER_NAMES)
def test_a_start_from_an_estimate_keeps_its_tone_and_takes_only_the_steps_that_are_left(name: str) -> None:
    """CCDF: begun with little noise from an estimate that is 3 too bright, samples stay bright; with much, not."""
    schedule, batch = NoiseSchedule.cosine(), 100
    bright = (TOY.truth.float() + 3).reshape(1, 4, 4, 4).repeat(batch, 1, 1, 1)
    seen: list[int] = []
    exact = TOY.model(schedule)

    def model(z_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        seen.append(int(t[0]))
        return exact(z_t, t)

    levels = []
    for step in (30, 900):
        seen.clear()
        options = SamplerOptions(name, 15, resamplings=1)  # pyright: ignore[reportArgumentType]
        nothing = Problem(model, schedule, Observation.nothing(batch, 4, 4))
        drawn = sample(nothing, options, NoiseSource.of_seeds(1), Start(bright, step))
        levels.append(float((drawn - bright).mean()))
        assert seen[0] == step
        assert len(seen) == 15
    near, far = levels
    assert abs(near) < 0.4
    assert far < -1.5


class TowardsMean:
    """Pulls the mean of all latents to a level: the loss is strength / 2 (mean(z_0) - level)^2 each sample."""

    def __init__(self, level: float, strength: float) -> None:
        self.level, self.strength = level, strength

    def gradient(self, z_0: torch.Tensor, t: int) -> torch.Tensor:
        mean = z_0.flatten(1).mean(1).reshape(-1, 1, 1, 1)
        return self.strength * (mean - self.level) * torch.ones_like(z_0) / z_0[0].numel()


@pytest.mark.parametrize("name", ["mcg", "mcg_ddim"])
def test_a_guidance_term_draws_the_samples_its_way_and_leaves_what_is_known(name: str) -> None:
    schedule, batch = NoiseSchedule.cosine(), 60
    seen = TOY.observation(batch)
    options = SamplerOptions(name, 50)  # pyright: ignore[reportArgumentType]
    plain = Problem(TOY.model(schedule), schedule, seen)
    free = sample(plain, options, NoiseSource.of_seeds(2))
    drawn = [
        sample(replace(plain, terms=(TowardsMean(level, 40.0),)), options, NoiseSource.of_seeds(2))
        for level in (-3.0, 3.0)
    ]
    means = [float(z.mean()) for z in (drawn[0], free, drawn[1])]
    assert means == sorted(means)
    assert means[2] - means[0] > 0.1
    known = seen.known == 1
    assert known.any()
    for z in drawn:
        torch.testing.assert_close(z[known], seen.latent[known])
