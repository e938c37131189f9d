"""Estimates of the time that a job still takes."""

from __future__ import annotations

import pytest

from backend.service.pace import Pace

# A job of 100 s whose fraction says little about its time.
COURSE = [(1.0, 0.1), (61.0, 0.2), (81.0, 0.6), (99.0, 0.9)]


def taught() -> Pace:
    pace = Pace()
    pace.begin("1024")
    for elapsed, fraction in COURSE:
        pace.seconds_left(elapsed, fraction)
    pace.finish(100.0)
    return pace


def test_the_first_jobs_rest_follows_from_its_fraction() -> None:
    pace = Pace()
    pace.begin("1024")
    assert pace.seconds_left(10.0, 0.25) == pytest.approx(30.0)
    assert pace.seconds_left(10.0, 1.0) == 0.0


def test_there_is_no_estimate_while_too_little_is_done() -> None:
    pace = Pace()
    pace.begin("1024")
    assert pace.seconds_left(10.0, 0.01) is None
    assert pace.seconds_left(0.1, 0.5) is None


def test_a_second_job_like_the_first_is_estimated_well_from_its_start() -> None:
    pace = taught()
    pace.begin("1024")
    for elapsed, fraction in [(0.0, 0.0), *COURSE]:
        assert pace.seconds_left(elapsed, fraction) == pytest.approx(100.0 - elapsed, abs=1.0)


def test_a_second_job_at_half_the_pace_is_noticed() -> None:
    pace = taught()
    pace.begin("1024")
    assert pace.seconds_left(122.0, 0.2) == pytest.approx(78.0, rel=0.05)


def test_a_job_of_another_kind_starts_from_nothing() -> None:
    pace = taught()
    pace.begin("4096")
    assert pace.seconds_left(0.0, 0.0) is None
