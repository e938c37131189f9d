"""What a heuristic gains, by rows of figures, and that each heuristic is a field that can be left out."""

from __future__ import annotations

import numpy as np
import pytest

from backend.evaluation.skin.ablation import ALL, HEURISTICS, as_markdown, gains, spread, variants
from backend.parameters import Parameters, value_of


def rows() -> list[dict]:
    heuristic = HEURISTICS[0].name
    figures = {"a": (20.0, 19.0), "b": (22.0, 18.0), "c": (25.0, float("nan"))}
    return [
        {"heuristic": name, "condition": "Cycles", "subject": subject, "A_d": values[number]}
        for subject, values in figures.items()
        for number, name in enumerate((ALL, heuristic))
    ]


def test_gains_are_paired_over_pictures_and_leave_out_what_was_not_measured() -> None:
    gain = gains(rows())[HEURISTICS[0].name]["Cycles", "A_d"]
    assert (gain.mean, gain.count) == (2.5, 2)
    assert gain.error == pytest.approx(1.5)


def test_what_was_not_measured_at_all_has_no_gain() -> None:
    assert np.isnan(gains(rows())[HEURISTICS[1].name]["Cycles", "A_d"].mean)
    assert "| +2.500 ± 1.500 (100%) |" in as_markdown(rows(), "train")


def test_every_heuristic_is_on_and_is_left_out_alone() -> None:
    for heuristic, parameters in variants():
        if heuristic is not None:
            assert value_of(Parameters(), heuristic.path) != heuristic.without
            assert value_of(parameters, heuristic.path) == heuristic.without
            assert parameters != Parameters()


def test_people_are_taken_from_all_over_the_index() -> None:
    assert spread([{"id": k} for k in range(10)], 2) == [{"id": 2}, {"id": 7}]
    assert len(spread([{"id": 0}], 5)) == 1
