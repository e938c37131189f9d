"""The four samplers of the paper (section 4.6), each eq. 9 with its own differences.

All run over the same unconditional model. m, the mask of what is known, is 0 in A_d, A_s and N, so that eq. 9f is
eq. 9e there. Jumps go from step t to s < t, which is t - 1 where no step is left out.
"""

from __future__ import annotations

import torch
from torch import Tensor

from backend.prior.diffusion.guidance import guide
from backend.prior.diffusion.sampler_options import SamplerName, SamplerOptions
from backend.prior.diffusion.sampling import NoiseSource, Problem, Sampler, Start, Watch, first_latents, step_tensor


def sample(
    problem: Problem,
    options: SamplerOptions,
    noise: NoiseSource,
    start: Start | None = None,
    watch: Watch | None = None,
) -> Tensor:
    """z_0 [B, C, h, w] by the sampler that the options name; see `Sampler` for the arguments."""
    return SAMPLERS[options.name](problem, options, noise, start, watch or Watch())


@torch.no_grad()
def score_sde(
    problem: Problem, options: SamplerOptions, noise: NoiseSource, start: Start | None, watch: Watch
) -> Tensor:
    """Eq. 9 without the gradient (Song et al., "Score-based generative modeling through SDEs", 2021, appendix I.2)."""
    model, schedule, observation = problem.model, problem.schedule, problem.observation
    z_t, first = first_latents(problem, options, noise, start)
    jumps = schedule.pairs(options.steps, first)
    for done, (t, s) in enumerate(jumps, 1):
        z_0 = schedule.clean_estimate(z_t, model(z_t, step_tensor(t, z_t)), t)  # eq. 9c
        unknown = noise.draw(schedule.posterior(z_t, z_0, t, s), options.temperature)  # eq. 9a
        known = noise.draw(schedule.forward(observation.latent, s))  # eq. 9b
        z_t = torch.where(observation.held(s, schedule.steps), known, unknown)  # eq. 9e, 9f, alpha = 0
        watch.step(done, len(jumps), z_0)
    return z_t


@torch.no_grad()
def repaint(problem: Problem, options: SamplerOptions, noise: NoiseSource, start: Start | None, watch: Watch) -> Tensor:
    """Every step of `score_sde` n times, noise put back in between (Lugmayr et al., "RePaint", 2022, algorithm 1)."""
    model, schedule, observation = problem.model, problem.schedule, problem.observation
    z_t, first = first_latents(problem, options, noise, start)
    jumps = schedule.pairs(options.steps, first)
    rounds = [(t, s, n) for t, s in jumps for n in reversed(range(options.resamplings if s > 0 else 1))]
    for done, (t, s, rounds_left) in enumerate(rounds, 1):
        z_0 = schedule.clean_estimate(z_t, model(z_t, step_tensor(t, z_t)), t)  # eq. 9c
        unknown = noise.draw(schedule.posterior(z_t, z_0, t, s), options.temperature)  # eq. 9a
        known = noise.draw(schedule.forward(observation.latent, s))  # eq. 9b
        z_t = torch.where(observation.held(s, schedule.steps), known, unknown)
        if rounds_left:
            held = observation.held(s, schedule.steps)
            z_t = noise.draw(schedule.forward_from(z_t, s, t), torch.where(held, 1.0, options.temperature))
        watch.step(done, len(rounds), z_0)
    return z_t


def mcg(problem: Problem, options: SamplerOptions, noise: NoiseSource, start: Start | None, watch: Watch) -> Tensor:
    """Eq. 9a-9f (Chung et al., "Improving diffusion models for inverse problems using manifold constraints", 2022)."""
    schedule, observation = problem.schedule, problem.observation
    z_t, first = first_latents(problem, options, noise, start)
    jumps = schedule.pairs(options.steps, first)
    for done, (t, s) in enumerate(jumps, 1):
        seen = guide(problem, z_t, t, options, schedule.gain(t, s, eta=1))  # eq. 9c, 9d
        unknown = noise.draw(schedule.posterior(z_t, seen.z_0, t, s), options.temperature)  # eq. 9a
        known = noise.draw(schedule.forward(observation.latent, s))  # eq. 9b
        z_t = torch.where(observation.held(s, schedule.steps), known, unknown - seen.descent)  # eq. 9e, 9f
        watch.step(done, len(jumps), seen.z_0)
    return z_t


def mcg_ddim(
    problem: Problem, options: SamplerOptions, noise: NoiseSource, start: Start | None, watch: Watch
) -> Tensor:
    """Eq. 9a-9f with DDIM's steps for eq. 9a (Song, Meng and Ermon, "Denoising diffusion implicit models", 2021)."""
    schedule, observation = problem.schedule, problem.observation
    z_t, first = first_latents(problem, options, noise, start)
    jumps = schedule.pairs(options.steps, first)
    for done, (t, s) in enumerate(jumps, 1):
        seen = guide(problem, z_t, t, options, schedule.gain(t, s, options.eta))  # eq. 9c, 9d
        step = schedule.ddim(seen.z_0, seen.epsilon, t, s, options.eta)
        unknown = noise.draw(step, options.temperature)  # in place of eq. 9a
        known = noise.draw(schedule.forward(observation.latent, s))  # eq. 9b
        z_t = torch.where(observation.held(s, schedule.steps), known, unknown - seen.descent)  # eq. 9e, 9f
        watch.step(done, len(jumps), seen.z_0)
    return z_t


SAMPLERS: dict[SamplerName, Sampler] = {"score_sde": score_sde, "repaint": repaint, "mcg": mcg, "mcg_ddim": mcg_ddim}
