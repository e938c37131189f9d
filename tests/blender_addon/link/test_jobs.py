"""The states that a job goes through."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.link.jobs import Failed, Imported, Job, Starting, State, advance, cancelling, time_left_text
from shared.errors import RelightifyError
from shared.messages import Error, JobProgress, Queued, Result
from tests.blender_addon.heads import small_head


def job(state: State = State.STARTING) -> Job:
    return Job("j1", "Ada", state=state)


def test_job_goes_from_start_over_queue_and_progress_to_done() -> None:
    preview = np.zeros((2, 2, 3), np.uint8)
    events = [
        (Starting("Connecting"), State.STARTING, "Connecting"),
        (Queued("j1", 1, "busy"), State.QUEUED, "Waiting for 1 other job"),
        (Queued("j1", 0, "warming_up"), State.QUEUED, "Loading the models"),
        (JobProgress("j1", "fit", 0.3, 4.0, preview), State.RUNNING, "Fitting the head"),
        (Result("j1", small_head(), {}), State.IMPORTING, "Building the head"),
        (Imported(("a warning",)), State.DONE, "Done"),
    ]
    current = job()
    for event, state, stage in events:
        current = advance(current, event)
        assert (current.state, current.stage) == (state, stage)
    assert current.warnings == ("a warning",)
    assert current.preview is preview
    assert current.result is None, "the maps are not kept twice"


def test_progress_never_runs_backwards_and_keeps_the_last_preview() -> None:
    preview = np.zeros((2, 2, 3), np.uint8)
    current = advance(advance(job(), JobProgress("j1", "a", 0.5, preview=preview)), JobProgress("j1", "b", 0.4))
    assert (current.stage, current.fraction) == ("B", 0.5)
    assert current.preview is preview


def test_time_left_falls_at_once_and_climbs_by_no_more_than_its_error() -> None:
    current, shown = job(), []
    for estimate in (40.0, 30.0, 36.0, 90.0, 90.0, 20.0, None, 15.0, 3.0, 4.9, 60.0):
        current = advance(current, JobProgress("j1", "fit", 0.1, estimate))
        shown.append(current.seconds_left)
    assert shown == [40.0, 30.0, 30.0, 37.5, 46.875, 20.0, None, 15.0, 3.0, 3.0, 5.0]


def test_events_of_other_jobs_change_nothing() -> None:
    current = job(State.RUNNING)
    assert advance(current, JobProgress("j2", "fit", 0.9)) is current
    assert advance(current, Error("oom", "Out of memory.", job_id="j2")) is current


def test_errors_end_the_job_with_their_hint() -> None:
    failed = advance(job(State.RUNNING), Error("no_face", "No face.", "Another photo.", "j1"))
    assert failed.state is State.FAILED
    assert failed.error is not None
    assert (failed.error.code, failed.error.hint) == ("no_face", "Another photo.")
    lost = advance(job(State.RUNNING), Failed(RelightifyError("backend_lost", "Gone.")))
    assert lost.state is State.FAILED


def test_nothing_happens_after_the_end() -> None:
    ended = advance(job(), Error("no_face", "No face.", job_id="j1"))
    assert advance(ended, JobProgress("j1", "fit", 0.9)) is ended


@pytest.mark.parametrize("late", [Result("j1", small_head(), {}), Error("cancelled", "Cancelled.", job_id="j1")])
def test_cancelled_job_ends_cancelled_even_if_its_result_was_on_the_way(late: Result | Error) -> None:
    current = cancelling(job(State.RUNNING))
    assert current.state is State.CANCELLING
    current = advance(current, JobProgress("j1", "fit", 0.9))
    assert current.state is State.CANCELLING
    assert advance(current, late).state is State.CANCELLED


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.2, "nearly done"), (7.4, "about 7 s left"), (43, "about 45 s left"), (200, "about 3 min left")],
)
def test_time_left_is_said_in_round_numbers(seconds: float | None, text: str) -> None:
    assert time_left_text(seconds) == text
