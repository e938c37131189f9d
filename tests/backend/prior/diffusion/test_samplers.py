"""The rules of eq. 9 that hold at every step, and of seeds, batches and cancelling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from backend.prior.diffusion.guidance import guide
from backend.prior.diffusion.observation import Observation
from backend.prior.diffusion.sampler_options import SAMPLER_NAMES, SamplerName, SamplerOptions
from backend.prior.diffusion.samplers import SAMPLERS, sample
from backend.prior.diffusion.sampling import NoiseSource, Problem, Watch
from backend.prior.diffusion.schedule import NoiseSchedule
from backend.progress import Progress
from shared.errors import JobCancelled
from tests.backend.prior.diffusion.gaussian_toy import ExactModel, GaussianToy

TOY = GaussianToy.make()
SCHEDULE = NoiseSchedule.cosine()


def options(name: SamplerName, **settings: Any) -> SamplerOptions:
    return SamplerOptions(name, **{"steps": 10, "resamplings": 2, **settings})


class Recorder:
    """The exact model, which keeps what it was asked."""

    def __init__(self) -> None:
        self.model: ExactModel = TOY.model(SCHEDULE)
        self.asked: dict[int, Tensor] = {}

    def __call__(self, z_t: Tensor, t: Tensor) -> Tensor:
        self.asked[int(t[0])] = z_t.detach()
        return self.model(z_t, t)


@pytest.mark.parametrize("name", SAMPLER_NAMES)
def test_seen_latents_equal_the_observation_exactly_in_the_end(name: SamplerName) -> None:
    seen = TOY.observation(3)
    z_0 = sample(Problem(TOY.model(SCHEDULE), SCHEDULE, seen), options(name), NoiseSource.of_seeds(0, 1, 2))
    assert z_0.shape == seen.latent.shape
    known = seen.known > 0
    assert torch.equal(z_0[known], seen.latent[known])
    assert bool((z_0[~known].abs() < 10).all())  # nothing of the nonsense where nothing was seen


@pytest.mark.parametrize("name", SAMPLER_NAMES)
def test_seen_latents_carry_the_noise_of_equation_9b_on_the_way(name: SamplerName) -> None:
    recorder, seen = Recorder(), TOY.observation(500)
    sample(Problem(recorder, SCHEDULE, seen), options(name, steps=5), NoiseSource.of_seeds(0))
    later = sorted(recorder.asked)[:-1]
    assert len(later) == 4
    known = seen.known > 0
    for t in later:
        noise = (recorder.asked[t] - SCHEDULE.signal(t) * seen.latent)[known] / SCHEDULE.noise(t)
        assert abs(float(noise.mean())) < 0.03
        assert float(noise.std()) == pytest.approx(1, abs=0.03)
        rows = noise.reshape(500, -1)
        between = rows.T.corrcoef() - torch.eye(rows.shape[1])
        assert float(between.abs().max()) < 0.25  # independent of each other


@pytest.mark.parametrize("step_size", ["residual", "posterior"])
def test_a_gradient_of_no_strength_leaves_the_steps_of_score_sde(step_size: Any) -> None:
    without, imposed = (
        sample(Problem(TOY.model(SCHEDULE), SCHEDULE, TOY.observation(2)), chosen, NoiseSource.of_seeds(4, 5))
        for chosen in (options("mcg", step_size=step_size, zeta=0.0), options("score_sde"))
    )
    assert torch.equal(without, imposed)


def test_unknown_texture_and_reflectance_descend_along_the_gradient_of_equation_9d() -> None:
    """With alpha = zeta / |residual|: eq. 9e and 9f, against finite differences of eq. 9d in double precision."""
    t, zeta, seen = 400, 0.7, TOY.observation(2)
    model = replace(TOY.model(SCHEDULE))
    z_t = torch.randn(2, 4, 4, 4, generator=torch.Generator().manual_seed(0))
    chosen = options("mcg", step_size="residual", zeta=zeta)
    descent = guide(Problem(model, SCHEDULE, seen), z_t, t, chosen, gain=123.0).descent

    double = ExactModel(model.mean.double(), model.eigenvalues, model.vectors.double(), SCHEDULE)

    def loss(z: Tensor) -> Tensor:  # eq. 9c and 9d, of each sample
        time = torch.full((2,), t)
        power = SCHEDULE.alpha_bar[t]
        weight = (1 - power).sqrt() / (power * double.eigenvalues + 1 - power)
        centred = z.flatten(1) - power.sqrt() * double.mean
        epsilon = ((centred @ double.vectors) * weight @ double.vectors.T).reshape(z.shape)
        z_0 = (z - (1 - power).sqrt() * epsilon) / power.sqrt()
        assert time.shape == z.shape[:1]
        return (seen.known * (seen.latent - z_0)).square().sum(dim=(1, 2, 3))

    z = z_t.double()
    residual = loss(z).sqrt()
    for channel, row, column in ((0, 3, 1), (2, 2, 0), (3, 0, 0), (3, 3, 3)):  # unseen texture, and reflectance
        step = torch.zeros_like(z)
        step[:, channel, row, column] = 1e-4
        slope = (loss(z + step) - loss(z - step)) / 2e-4
        assert bool((slope.abs() > 1e-4).all())
        torch.testing.assert_close(
            descent[:, channel, row, column].double(), zeta * slope / residual, rtol=2e-3, atol=1e-6
        )


def test_the_posterior_step_moves_the_estimate_to_its_conditional_mean() -> None:
    """With enough solves z_0 moves by J m (m J m)^-1 r, here from the toy's own covariances; gain scales it."""
    t, seen = 500, TOY.observation(3)
    z_t = torch.randn(3, 4, 4, 4, generator=torch.Generator().manual_seed(1))
    guided = guide(Problem(TOY.model(SCHEDULE), SCHEDULE, seen), z_t, t, options("mcg", solves=12), gain=0.5)
    power = SCHEDULE.alpha_bar[t]
    whole = power * TOY.covariance + (1 - power) * torch.eye(len(TOY.mean))
    left = TOY.covariance - power * TOY.covariance @ torch.linalg.solve(whole, TOY.covariance)  # Cov(z_0 | z_t)
    known = seen.known[0].flatten() > 0
    residual = (seen.latent - guided.z_0).flatten(1).double()[:, known]
    expected = residual @ torch.linalg.solve(left[known][:, known], left[known])
    moved = (-guided.descent / 0.5).flatten(1).double()
    torch.testing.assert_close(moved[:, ~known], expected[:, ~known], atol=0.03, rtol=0.02)


@pytest.mark.parametrize("name", SAMPLER_NAMES)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(name: SamplerName) -> None:
    first, again, other = (
        sample(Problem(TOY.model(SCHEDULE), SCHEDULE, TOY.observation(1)), options(name), NoiseSource.of_seeds(seed))
        for seed in (7, 7, 8)
    )
    assert first.numpy().tobytes() == again.numpy().tobytes()
    assert not torch.allclose(first, other, atol=0.1)


@pytest.mark.parametrize("name", SAMPLER_NAMES)
def test_a_sample_is_the_same_in_whichever_batch_it_is_drawn(name: SamplerName) -> None:
    """Up to the rounding of matrix products, whose order depends on the batch."""
    together = sample(
        Problem(TOY.model(SCHEDULE), SCHEDULE, TOY.observation(3)), options(name), NoiseSource.of_seeds(5, 6, 7)
    )
    for row, seed in enumerate((5, 6, 7)):
        alone = sample(
            Problem(TOY.model(SCHEDULE), SCHEDULE, TOY.observation(1)), options(name), NoiseSource.of_seeds(seed)
        )
        torch.testing.assert_close(together[row], alone[0], atol=1e-3, rtol=1e-3)


def test_noise_is_the_same_in_every_batch_and_comes_from_the_source_alone() -> None:
    torch.manual_seed(1)
    first = NoiseSource.of_seeds(3, 4).like(torch.zeros(2, 5))
    torch.manual_seed(2)
    assert torch.equal(first[1], NoiseSource.of_seeds(4).like(torch.zeros(1, 5))[0])
    before = torch.get_rng_state()
    sample(Problem(TOY.model(SCHEDULE), SCHEDULE, TOY.observation(1)), options("mcg"), NoiseSource.of_seeds(2**64 - 1))
    assert torch.equal(before, torch.get_rng_state())
    with pytest.raises(ValueError, match="generators"):
        NoiseSource.of_seeds(0, 1).like(torch.zeros(3, 5))


@pytest.mark.parametrize("name", SAMPLER_NAMES)
def test_every_step_is_reported_with_the_current_estimate(name: SamplerName) -> None:
    fractions: list[float] = []
    estimates: list[Tensor] = []

    def preview(fraction: float, z_0: Tensor) -> np.ndarray:
        estimates.append(z_0)
        return np.zeros((1, 1, 3), np.uint8)

    watch = Watch(Progress(lambda stage, fraction, image: fractions.append(fraction)), preview)
    recorder = Recorder()
    sample(Problem(recorder, SCHEDULE, TOY.observation(1)), options(name), NoiseSource.of_seeds(0), None, watch)
    assert len(fractions) == (19 if name == "repaint" else 10)  # its last jump, to clean latents, is not repeated
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    last = min(recorder.asked)
    z_t = recorder.asked[last]
    epsilon = recorder.model(z_t, torch.tensor([last]))
    torch.testing.assert_close(estimates[-1], SCHEDULE.clean_estimate(z_t, epsilon, last))


@pytest.mark.parametrize("name", SAMPLER_NAMES)
def test_a_cancel_stops_before_the_next_step(name: SamplerName) -> None:
    calls = 0
    exact = TOY.model(SCHEDULE)

    def model(z_t: Tensor, t: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return exact(z_t, t)

    watch = Watch(Progress(cancelled=lambda: calls >= 3))
    with pytest.raises(JobCancelled):
        sample(Problem(model, SCHEDULE, TOY.observation(1)), options(name), NoiseSource.of_seeds(0), None, watch)
    assert calls == 3


@pytest.mark.parametrize("name", SAMPLER_NAMES)
def test_only_the_samplers_with_a_gradient_keep_a_graph(name: SamplerName) -> None:
    modes: list[bool] = []
    exact = TOY.model(SCHEDULE)

    def model(z_t: Tensor, t: Tensor) -> Tensor:
        modes.append(torch.is_grad_enabled() and z_t.requires_grad)
        return exact(z_t, t)

    for mode in (torch.enable_grad, torch.inference_mode):
        with mode():
            z_0 = sample(Problem(model, SCHEDULE, TOY.observation(1)), options(name), NoiseSource.of_seeds(0))
        assert not z_0.requires_grad
    assert set(modes) == {name.startswith("mcg")}


@pytest.mark.parametrize("name", SAMPLER_NAMES)
def test_half_known_latents_follow_the_observation_without_being_bound_to_it(name: SamplerName) -> None:
    whole = TOY.observation(200)
    known = whole.known > 0
    spread = []
    for mask in (0.0, 0.7, 0.9):
        seen = Observation(whole.latent, whole.mask * mask)
        z_0 = sample(Problem(TOY.model(SCHEDULE), SCHEDULE, seen), options(name, steps=30), NoiseSource.of_seeds(0))
        spread.append(float((z_0 - whole.latent)[known].square().mean().sqrt()))
    free, half, nearly = spread
    assert 0.03 < nearly < 0.7 * half
    assert half < 0.6 * free


def test_half_known_latents_are_observations_with_noise() -> None:
    """A mask of 0.7 is the noise of step 300; the posterior of a Gaussian given such an observation is known."""
    whole = TOY.observation(400)
    half = Observation(whole.latent, whole.mask * 0.7)
    chosen = options("mcg", steps=100, solves=4)
    z_0 = sample(Problem(TOY.model(SCHEDULE), SCHEDULE, half), chosen, NoiseSource.of_seeds(0)).flatten(1).double()
    known = whole.known[0].flatten() > 0
    noise = SCHEDULE.noise(300) ** 2 / SCHEDULE.signal(300) ** 2
    seen = TOY.covariance[known][:, known] + noise * torch.eye(int(known.sum()))
    regression = torch.linalg.solve(seen, TOY.covariance[known]).T
    mean = TOY.mean + regression @ (TOY.truth - TOY.mean)[known]
    covariance = TOY.covariance - regression @ TOY.covariance[known]
    assert float(((z_0.mean(0) - mean) / covariance.diag().sqrt()).square().mean().sqrt()) < 0.3
    assert float((z_0.var(0) / covariance.diag()).mean()) == pytest.approx(1, abs=0.25)


def test_latents_known_in_one_channel_only_are_imposed_there() -> None:
    mask = torch.zeros(1, 3, 4, 4)
    mask[:, 1] = 1
    seen = Observation(torch.full((1, 4, 4, 4), 0.25), mask)
    z_0 = sample(Problem(TOY.model(SCHEDULE), SCHEDULE, seen), options("mcg_ddim"), NoiseSource.of_seeds(0))
    assert bool((z_0[:, 1] == 0.25).all())
    assert not bool((z_0[:, [0, 2, 3]] == 0.25).any())


def test_a_network_whose_derivative_is_not_a_covariance_is_not_followed_astray() -> None:
    """Its gradient step is left out where the curvature is not positive, so nothing grows without bound."""

    def model(z_t: Tensor, t: Tensor) -> Tensor:
        return 3.0 * z_t  # d z_0 / d z_t is negative

    guided = guide(Problem(model, SCHEDULE, TOY.observation(2)), torch.randn(2, 4, 4, 4), 500, options("mcg"), gain=1.0)
    assert not guided.descent.any()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "ddpm"},
        {"steps": 0},
        {"eta": 1.5},
        {"zeta": -1},
        {"solves": 0},
        {"step_size": "long"},
        {"temperature": 2},
    ],
)
def test_options_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"option|no (sampler|step size)"):
        SamplerOptions(**wrong)


def test_there_is_a_sampler_for_every_name() -> None:
    assert tuple(SAMPLERS) == SAMPLER_NAMES
