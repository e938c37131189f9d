"""Several heads, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

from blender_addon.link.job_queue import Build, Entry, JobQueue, Wanted
from blender_addon.link.jobs import Failed, Job, Starting, State
from shared.errors import RelightifyError
from shared.messages import JobOptions, JobProgress, Reconstruct


@dataclass(frozen=True)
class BuiltHead:
    warnings: tuple[str, ...] = ()


LOST = RelightifyError("backend_lost", "The backend has ended.", "Try again.")


def wanted(name: str, picture: str = "photo.jpg") -> Wanted:
    def prepare(job_id: str) -> tuple[Reconstruct, Build]:
        return Reconstruct(job_id, b"photo"), lambda job, result, prepared: BuiltHead()

    return Wanted(name, JobOptions(), prepare, picture)


def in_states(*states: State) -> JobQueue:
    """A queue with a job in each state, called j0, j1 and so on."""
    jobs = [Job(f"j{n}", f"p{n}", state=state) for n, state in enumerate(states)]
    return JobQueue(tuple(Entry(wanted(job.name), job, file=0) for job in jobs))


def states(queue: JobQueue) -> list[State]:
    return [entry.job.state for entry in queue.entries]


def test_new_photos_wait_behind_the_others_under_ids_of_their_own() -> None:
    queue = in_states(State.RUNNING).added((wanted("ada"), wanted("eve")), file=3)
    assert [entry.job.name for entry in queue.entries] == ["p0", "ada", "eve"]
    assert states(queue) == [State.RUNNING, State.WAITING, State.WAITING]
    assert len({entry.job.job_id for entry in queue.entries}) == 3
    assert [entry.file for entry in queue.entries] == [0, 3, 3]


def test_no_more_than_two_photos_are_at_the_backend() -> None:
    first = in_states(State.RUNNING, State.WAITING, State.WAITING).to_send()
    assert first is not None
    assert first.job.job_id == "j1"
    assert in_states(State.RUNNING, State.QUEUED, State.WAITING).to_send() is None
    ended = in_states(State.DONE, State.FAILED, State.IMPORTING, State.HELD, State.WAITING).to_send()
    assert ended is not None
    assert ended.job.job_id == "j4"


def test_photo_that_was_not_sent_does_not_notice_the_line() -> None:
    queue = in_states(State.RUNNING, State.STARTING, State.WAITING)
    assert states(queue.advanced(Failed(LOST))) == [State.FAILED, State.FAILED, State.WAITING]
    stages = [entry.job.stage for entry in queue.advanced(Starting("Connecting")).entries]
    assert stages[1] == "Connecting" != stages[2]


def test_lost_line_spares_results_that_are_here_and_what_waits() -> None:
    queue = in_states(State.HELD, State.IMPORTING, State.RUNNING, State.WAITING)
    assert states(queue.failed(LOST, waiting=False)) == [State.HELD, State.IMPORTING, State.FAILED, State.WAITING]
    assert states(queue.failed(LOST, waiting=True))[-1] is State.FAILED


def test_event_of_one_job_leaves_the_others_and_the_same_value_where_nothing_changes() -> None:
    queue = in_states(State.QUEUED, State.QUEUED)
    moved = queue.advanced(JobProgress("j1", "fit", 0.5))
    assert states(moved) == [State.QUEUED, State.RUNNING]
    assert moved.entries[0] is queue.entries[0]
    assert queue.advanced(JobProgress("other", "fit", 0.5)) is queue


def test_new_try_stands_in_its_old_place_with_a_new_id() -> None:
    queue = in_states(State.DONE, State.FAILED, State.WAITING)
    again = queue.again(queue.of(State.FAILED), file=7)
    assert states(again) == [State.DONE, State.WAITING, State.WAITING]
    assert again.entries[1].job.name == "p1"
    assert again.entries[1].job.job_id != "j1"
    assert again.entries[1].file == 7


def test_job_to_show_is_the_one_under_way_then_one_to_decide_on_then_the_last() -> None:
    def shown(*given: State) -> str | None:
        job = in_states(*given).current
        return job.job_id if job is not None else None

    assert shown(State.DONE, State.HELD, State.RUNNING, State.WAITING) == "j2"
    assert shown(State.DONE, State.HELD, State.FAILED) == "j1"
    assert shown(State.DONE, State.FAILED) == "j1"
    assert shown() is None


def test_results_are_set_aside_in_another_file_until_they_are_wanted_there() -> None:
    queue = in_states(State.IMPORTING, State.RUNNING).with_held(1)
    assert states(queue) == [State.HELD, State.RUNNING]
    wanted_here = queue.accepted(1)
    assert states(wanted_here) == [State.IMPORTING, State.RUNNING]
    assert states(wanted_here.with_held(1)) == [State.IMPORTING, State.RUNNING]


def test_photo_is_let_go_of_when_its_job_has_ended() -> None:
    def build(job: Job, result: object, prepared: object) -> BuiltHead:
        return BuiltHead()

    queue = JobQueue((Entry(wanted("ada"), Job("j1", "ada", state=State.RUNNING), 0, build),))
    assert queue.advanced(JobProgress("j1", "fit", 0.5)).entries[0].build is build
    assert queue.advanced(Failed(LOST)).entries[0].build is None


def test_one_head_alone_is_no_queue() -> None:
    alone = JobQueue((Entry(wanted("ada", picture=""), Job("j1", "ada"), 0),))
    assert not alone.several
    assert JobQueue((Entry(wanted("ada"), Job("j1", "ada"), 0),)).several
    assert alone.added((wanted("eve", picture=""),), 0).several
