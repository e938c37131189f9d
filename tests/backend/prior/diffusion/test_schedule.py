"""The noise schedule's closed forms agree with each other."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from backend.prior.diffusion.schedule import LEAST_SIGNAL, NoiseSchedule

SCHEDULES = [NoiseSchedule.cosine(), NoiseSchedule.linear()]
# Scalars x_0, noise of the first jump, noise of the second.
Z_0 = torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=["cosine", "linear"])
def test_the_noise_grows_from_none_to_nearly_all(schedule: NoiseSchedule) -> None:
    assert schedule.steps == 1000
    assert schedule.alpha_bar[0] == 1
    assert schedule.signal(1000) < 0.01
    assert schedule.signal(schedule.noise_step) >= LEAST_SIGNAL > schedule.signal(schedule.noise_step + 1)


def test_the_cosine_schedule_is_that_of_nichol_and_dhariwal() -> None:
    half = math.cos((0.5 + 0.008) / 1.008 * math.pi / 2) ** 2 / math.cos(0.008 / 1.008 * math.pi / 2) ** 2
    assert float(NoiseSchedule.cosine().alpha_bar[500]) == pytest.approx(half, rel=1e-9)
    assert float(NoiseSchedule.cosine().alpha_bar[1000] / NoiseSchedule.cosine().alpha_bar[999]) == pytest.approx(0.001)


def test_the_linear_schedule_is_that_of_ho_for_any_number_of_steps() -> None:
    betas = 1 - NoiseSchedule.linear().alpha_bar[1:] / NoiseSchedule.linear().alpha_bar[:-1]
    assert [float(betas[0]), float(betas[-1])] == pytest.approx([1e-4, 0.02])
    few, many = NoiseSchedule.linear(100), NoiseSchedule.linear(1000)
    assert few.signal(50) == pytest.approx(many.signal(500), rel=0.03)


@pytest.mark.parametrize("wrong", [[1.0, 0.5, 0.6], [0.9, 0.5], [1.0, 0.5, 0.0]])
def test_what_is_no_schedule_is_refused(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="alpha_bar"):
        NoiseSchedule(torch.tensor(wrong, dtype=torch.float64))


@pytest.mark.parametrize(("t", "s"), [(700, 699), (700, 200), (30, 0)])
def test_forward_and_posterior_are_the_two_ways_to_factor_the_same_distribution(t: int, s: int) -> None:
    """q(z_s | z_0) q(z_t | z_s) = q(z_t | z_0) q(z_s | z_t, z_0): moments of z_s and z_t, and their covariance."""
    schedule = SCHEDULES[0]
    at_s, at_t = schedule.forward(Z_0, s), schedule.forward(Z_0, t)
    onward = schedule.forward_from(at_s.mean, s, t)
    torch.testing.assert_close(onward.mean, at_t.mean)
    slope_on = schedule.forward_from(torch.ones(1, dtype=torch.float64), s, t).mean.item()
    assert (slope_on * at_s.deviation) ** 2 + onward.deviation**2 == pytest.approx(at_t.deviation**2)
    back = schedule.posterior(at_t.mean, Z_0, t, s)
    torch.testing.assert_close(back.mean, at_s.mean)
    one = torch.ones(1, dtype=torch.float64)
    slope_back = (schedule.posterior(one, 0 * one, t, s).mean).item()
    assert (slope_back * at_t.deviation) ** 2 + back.deviation**2 == pytest.approx(at_s.deviation**2)
    assert slope_back * at_t.deviation**2 == pytest.approx(slope_on * at_s.deviation**2)


def test_one_step_of_the_posterior_has_the_mean_of_equation_5() -> None:
    schedule, t = SCHEDULES[1], 400
    epsilon = torch.tensor([0.5, -0.1, 1.0], dtype=torch.float64)
    z_t = schedule.signal(t) * Z_0 + schedule.noise(t) * epsilon
    alpha = float(schedule.alpha_bar[t] / schedule.alpha_bar[t - 1])
    expected = (z_t - (1 - alpha) / schedule.noise(t) * epsilon) / math.sqrt(alpha)
    clean = schedule.clean_estimate(z_t, epsilon, t)
    torch.testing.assert_close(clean, Z_0)
    torch.testing.assert_close(schedule.posterior(z_t, clean, t, t - 1).mean, expected)


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
@pytest.mark.parametrize(("t", "s"), [(993, 900), (500, 250), (20, 0)])
def test_ddim_keeps_the_noise_level_and_with_eta_1_is_the_posterior(t: int, s: int, eta: float) -> None:
    schedule = SCHEDULES[0]
    epsilon = torch.tensor([1.0, -0.5, 0.2], dtype=torch.float64)
    z_t = schedule.signal(t) * Z_0 + schedule.noise(t) * epsilon
    step = schedule.ddim(Z_0, epsilon, t, s, eta)
    weight = (step.mean - schedule.signal(s) * Z_0) / epsilon
    torch.testing.assert_close(weight**2 + step.deviation**2, torch.full_like(weight, 1 - float(schedule.alpha_bar[s])))
    if eta == 1:
        same = schedule.posterior(z_t, Z_0, t, s)
        torch.testing.assert_close(step.mean, same.mean)
        assert step.deviation == pytest.approx(same.deviation)
    moved = Z_0 + 0.01
    after = schedule.ddim(moved, (z_t - schedule.signal(t) * moved) / schedule.noise(t), t, s, eta)
    torch.testing.assert_close((after.mean - step.mean) / 0.01, torch.full_like(Z_0, schedule.gain(t, s, eta)))


def test_jumps_lead_from_the_start_to_clean_and_are_even() -> None:
    schedule = SCHEDULES[0]
    jumps = schedule.pairs(50)
    assert len(jumps) == 50
    assert jumps[0][0] == schedule.noise_step
    assert jumps[-1][1] == 0
    assert all(s == t for (_, s), (t, _) in itertools.pairwise(jumps))
    assert {t - s for t, s in jumps} <= {19, 20}
    assert schedule.pairs(5000, 300) == tuple((t, t - 1) for t in range(300, 0, -1))
    for count, start in ((0, None), (5, 0), (5, 1001)):
        with pytest.raises(ValueError, match="jumps"):
            schedule.pairs(count, start)


def test_training_noise_is_that_of_the_forward_process() -> None:
    schedule, noise = SCHEDULES[0], torch.ones(2, 3, 4, 4)
    z_0, t = torch.full((2, 3, 4, 4), 2.0), torch.tensor([1, 800])
    z_t = schedule.noised(z_0, t, noise)
    for row in (0, 1):
        known = schedule.forward(z_0[row], int(t[row]))
        torch.testing.assert_close(z_t[row], known.mean + known.deviation)


def test_a_step_can_be_found_by_its_noise() -> None:
    schedule = SCHEDULES[0]
    assert schedule.noise(schedule.step_of_noise(0.7)) == pytest.approx(0.7, abs=0.002)
