"""The gradient of eq. 9d through the network, and how far to go along it in eq. 9e and 9f.

Let z_0 be the estimate of eq. 9c, J its derivative with respect to z_t, and r = m (z_T0 - z_0) the residual. The
gradient of eq. 9d is -2 J' r. The paper leaves the factor alpha before it open.

`residual`: alpha = zeta / |r|, as MCG and DPS (Chung et al. 2022, 2023); the code of MCG has zeta = 1/2 of this.

`posterior`: z_0 given z_t has the covariance J (1 - alpha_bar) / sqrt(alpha_bar) (Tweedie's formula, see Boys et al.,
"Tweedie moment projected diffusions", 2023; by conjugate gradients as moment-matching posterior sampling, Rozet et al.,
"Learning diffusion priors from observations", 2024). Were it Gaussian, knowing the observation would move its mean by
    d = J m (m J m)^-1 r,
and the mean of eq. 9a by d times the weight that z_0 has in it (`NoiseSchedule.gain`). One step of conjugate gradients
for the inverse leaves d = a J' r with a = r.r / r.Jr: the direction of eq. 9e-9f, its length from the model itself, at
the cost of the gradient alone. Each further step costs one backward pass more and brings d closer to the above. The
known latents are drawn afresh at each step (eq. 9b); given the observation they are independent of the unknown ones,
so with the right d eq. 9 samples the posterior of a Gaussian exactly. Latents that are half known have noise of their
own, which is added to m J m.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from backend.prior.diffusion.sampler_options import SamplerOptions
from backend.prior.diffusion.sampling import Problem, step_tensor

# Added to m J m, as a share of 1 / sqrt(alpha_bar), which J's eigenvalues stay below: what is smaller is lost in the
# network's errors.
RIDGE = 1e-3


@dataclass(frozen=True)
class Guided:
    """What the network says of z_t, and the step that the observation asks for.

    Args:
        epsilon: eps_theta(z_t, t), [B, C, h, w].
        z_0: eq. 9c, [B, C, h, w].
        descent: alpha dL/dz_t of eq. 9e and 9f, [B, C, h, w].
    """

    epsilon: Tensor
    z_0: Tensor
    descent: Tensor


def guide(
    problem: Problem,
    z_t: Tensor,  # [B, C, h, w]
    t: int,
    options: SamplerOptions,
    gain: float,
) -> Guided:
    """Eq. 9c and 9d for z_t, and the descent for a jump in whose mean z_0 has the weight `gain`.

    Further terms add their gradients on z_0, taken back to z_t by the same J' and scaled by the same `gain`. Samples of
    a batch do not affect each other. The graph is dropped before it returns.
    """
    model, schedule, observation = problem.model, problem.schedule, problem.observation
    if (observation.empty or options.zeta == 0) and not problem.terms:
        with torch.no_grad():
            epsilon = model(z_t, step_tensor(t, z_t))
            return Guided(epsilon, schedule.clean_estimate(z_t, epsilon, t), torch.zeros_like(z_t))
    trust = observation.trust(t, schedule)  # m
    with torch.inference_mode(False), torch.enable_grad():
        z_t = z_t.detach().clone().requires_grad_()
        epsilon = model(z_t, step_tensor(t, z_t))
        z_0 = schedule.clean_estimate(z_t, epsilon, t)  # eq. 9c
        residual = torch.where(trust > 0, trust * (observation.latent - z_0.detach()), 0)
        if options.step_size == "residual":
            loss = torch.where(trust > 0, trust * (observation.latent - z_0), 0).square().sum()  # eq. 9d of each sample
            (gradient,) = torch.autograd.grad(loss, z_t, retain_graph=bool(problem.terms))
            descent = options.zeta * _ratio(gradient, _dot(residual, residual).sqrt())
        else:
            noise = (RIDGE + 1 - trust.square()) / schedule.signal(t)
            shift = conditional_shift(z_0, z_t, residual, trust, noise, options.solves, keep=bool(problem.terms))
            descent = -options.zeta * gain * shift
        if problem.terms:
            pull = torch.stack([term.gradient(z_0.detach(), t) for term in problem.terms]).sum(0)
            (gradient,) = torch.autograd.grad(z_0, z_t, pull)
            descent = descent + gain * gradient
    return Guided(epsilon.detach(), z_0.detach(), descent)


def conditional_shift(
    z_0: Tensor,  # [B, C, h, w], with its graph
    z_t: Tensor,  # [B, C, h, w], leaf of the graph
    residual: Tensor,  # [B, C, h, w], r, 0 where nothing is known
    trust: Tensor,  # [B, C, h, w], m
    noise: Tensor,  # [B, C, h, w], the diagonal that is added
    solves: int,
    keep: bool = False,  # whether the graph is needed afterwards
) -> Tensor:
    """J m (m J m + noise)^-1 r by `solves` steps of conjugate gradients (Hestenes and Stiefel 1952), [B, C, h, w].

    J of an exact denoiser is a covariance, so symmetric and positive: backward passes, which give J', will do. Where a
    network's is not positive along a direction, that sample does not move along it.
    """
    shift, rest, direction = torch.zeros_like(residual), residual, residual
    for left in reversed(range(solves)):
        (image,) = torch.autograd.grad(z_0, z_t, trust * direction, retain_graph=keep or left > 0)
        curvature = _dot(trust * direction, image)
        applied = trust * image + noise * direction
        length = torch.where(curvature > 0, _ratio(_dot(rest, rest), _dot(direction, applied)), 0)
        shift = shift + length * image
        rest, before = rest - length * applied, rest
        direction = rest + _ratio(_dot(rest, rest), _dot(before, before)) * direction
    return shift


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Scalar products of the samples, [B, 1, 1, 1]."""
    return (a * b).flatten(1).sum(1).reshape(-1, 1, 1, 1)


def _ratio(a: Tensor, b: Tensor) -> Tensor:
    """a / b, 0 where b is not positive."""
    return torch.where(b > 0, a / b.clamp(min=torch.finfo(b.dtype).tiny), 0)
