"""One request at a time is under way, and the newest of those that wait is next."""

from __future__ import annotations

from blender_addon.link.jobs import Failed
from blender_addon.link.refits import Refits
from shared.errors import RelightifyError
from shared.messages import Error, Queued
from shared.refit_messages import Refit
from tests.shared.example_fit import example_refitted, example_state


def request(job_id: str) -> Refit:
    return Refit(job_id, example_state())


def test_newest_of_those_that_wait_is_sent_when_the_answer_is_there() -> None:
    refits = Refits()
    assert refits.ask(request("a")) is not None
    assert refits.ask(request("b")) is None
    assert refits.ask(request("c")) is None
    assert refits.take(Queued("a", 0, "ready")) is None
    following = refits.take(example_refitted("a"))
    assert following is not None
    assert following.job_id == "c"
    assert refits.latest is not None
    assert refits.latest.job_id == "a"
    assert refits.take(example_refitted("c")) is None
    assert refits.latest.job_id == "c"
    assert not refits.busy


def test_answers_of_others_are_left_alone() -> None:
    refits = Refits()
    assert refits.take(example_refitted("stranger")) is None
    refits.ask(request("a"))
    refits.take(example_refitted("stranger"))
    refits.take(Error("no_face", "None.", job_id="stranger"))
    assert refits.busy
    assert refits.latest is None


def test_error_is_kept_and_the_next_request_goes_on() -> None:
    refits = Refits()
    refits.ask(request("a"))
    refits.take(Error("bad_corrections", "There is no such handle.", job_id="a"))
    assert refits.error is not None
    assert refits.error.code == "bad_corrections"
    assert refits.ask(request("b")) is not None
    assert refits.error is None
    refits.take(Error("cancelled", "The job was cancelled.", job_id="b"))
    assert refits.error is None


def test_a_broken_line_ends_what_is_under_way() -> None:
    refits = Refits()
    refits.ask(request("a"))
    refits.ask(request("b"))
    refits.take(Failed(RelightifyError("backend_lost", "It is gone.")))
    assert not refits.busy
    assert refits.error is not None
