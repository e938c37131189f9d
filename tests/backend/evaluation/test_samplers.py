"""The table of samplers: whom it takes, how it times, and what it says."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

from backend.evaluation.samplers import PAPERS_ORDER, StepTimes, by_turns, samplers, verdicts
from backend.evaluation.skin.reflectance import CYCLES, PORTRAITS, Case
from backend.evaluation.tables import Row
from backend.texture.maps import SkinMaps


def case(condition: str, name: str) -> Case:
    plane = np.zeros((1, 1), np.float32)
    colour = np.zeros((1, 1, 3), np.float32)
    return Case(condition, name, Path("photo.png"), SkinMaps(colour, colour, plane, colour, plane))


def test_people_come_by_turns_with_their_first_picture() -> None:
    found = [case(CYCLES, f"head{k} {light}") for k in (1, 2) for light in ("a", "b")]
    found += [case(PORTRAITS, f"{k:03d}") for k in range(4)]
    assert [c.name for c in by_turns(found, 5)] == ["head1 a", "000", "head2 a", "001", "002"]


def test_seconds_are_those_of_the_steps_alone() -> None:
    clock = [0.0, 50.0, 51.0, 52.0, 53.0, 90.0]  # coarse estimate, four steps, decoding
    times = StepTimes("complete", [(at, at / 2) for at in clock])
    assert times.sampling(4) == pytest.approx((4.0, 2.0))
    times("fit", 0.5, None)
    assert len(times.seconds) == 6


def test_several_lengths_of_the_gradient_step_are_measured() -> None:
    options = argparse.Namespace(steps=1000, ddim_steps=200, resamplings=10)
    found = dict(samplers(options))
    assert set(PAPERS_ORDER) | {"mcg, posterior", "mcg_ddim, plain half", "mcg_ddim, posterior"} == set(found)
    assert found["mcg_ddim, plain"].steps == 200
    assert found["mcg_ddim, plain"].step_size == found["mcg_ddim, plain half"].step_size == "residual"
    assert found["mcg_ddim, plain"].zeta == 2 * found["mcg_ddim, plain half"].zeta


def test_the_slowest_sampler_comes_last() -> None:
    order = [name for name, _ in samplers(argparse.Namespace(steps=1000, ddim_steps=200, resamplings=10))]
    assert order[-3:] == ["mcg, plain", "mcg, posterior", "repaint"]


def test_gains_are_paired_and_the_papers_order_is_judged() -> None:
    figures = {
        "mcg, plain": (22.0, 26.0),
        "mcg_ddim, plain": (21.0, 24.0),
        "score_sde": (20.0, 23.5),
        "repaint": (19.0, 22.0),
    }
    rows = [
        Row(name, "all", subject, {"A_d": values[k], "A_s": 30.0, "N": 40.0})
        for name, values in figures.items()
        for k, subject in enumerate(("a", "b"))
    ]
    sentences = verdicts(rows)
    assert sentences[0] == "mcg, plain less mcg_ddim, plain, dB: A_d +1.50 ± 0.50, A_s +0.00 ± 0.00, N +0.00 ± 0.00"
    assert "holds here" in sentences[-1]
    worse = [Row(r.prior, r.condition, r.subject, {**r.values, "A_d": -r.values["A_d"]}) for r in rows]
    assert "does not hold" in verdicts(worse)[-1]
