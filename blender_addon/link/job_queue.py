"""The heads that are wanted, in order, and how far each is: values that move on with each event.

A photo is read and sent only when its turn is near, so that a hundred of them fill neither memory nor the line. No
Blender in here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from .._shared import JobOptions, Reconstruct, RelightifyError, Result, new_job_id
from . import jobs
from .jobs import Event, Job, State

# What the backend holds at a time: the one that it works on, and one to begin with when that is done.
SENT_AT_ONCE = 2


class Built(Protocol):
    """What was built of a result; all that matters here is what is said about it."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for the user: the backend's, and what could not be built."""
        ...


# Does of a result what needs no Blender, on any thread; builds the head of the job, the result and what that gave.
Prepare = Callable[[Result], Any]
Build = Callable[[Job, Result, Any], Built]


@dataclass(frozen=True)
class Wanted:
    """A head that is wanted.

    Args:
        name: what to call it, the photo's name without its ending.
        options: what is asked for.
        prepare: gives, for the id of a job, what is sent to the backend and what builds the head of its result; raises
            `RelightifyError` where the photo cannot be read. Called when it is its turn, and anew at each try.
        picture: file of the photo, where it is one of several people's; else empty.
    """

    name: str
    options: JobOptions
    prepare: Callable[[str], tuple[Reconstruct, Build]]
    picture: str = ""


@dataclass(frozen=True)
class Entry:
    """A wanted head and how far it is.

    Args:
        wanted: the head.
        job: the present try.
        file: number of the file that was open when it was asked for.
        build: makes the head of the result; None until the photo was sent, and after the end.
    """

    wanted: Wanted
    job: Job
    file: int
    build: Build | None = None


@dataclass(frozen=True)
class JobQueue:
    """Heads that are wanted, in the order in which they are made."""

    entries: tuple[Entry, ...] = ()

    @property
    def busy(self) -> bool:
        """Whether any head is under way."""
        return any(not entry.job.ended for entry in self.entries)

    @property
    def several(self) -> bool:
        """Whether these are heads of several people, of which each has its row, or one that was asked for alone."""
        return len(self.entries) > 1 or any(entry.wanted.picture for entry in self.entries)

    @property
    def current(self) -> Job | None:
        """The job to show where there is room for one: that under way, else one to decide on, else the last."""
        under_way = [entry.job for entry in self.entries if not entry.job.ended]
        moving = [job for job in under_way if job.state is not State.HELD]
        last = [entry.job for entry in self.entries[-1:]]
        return next(iter((*moving, *under_way, *last)), None)

    def of(self, *states: State) -> tuple[Entry, ...]:
        """The entries in any of some states."""
        return tuple(entry for entry in self.entries if entry.job.state in states)

    def entry(self, job_id: str) -> Entry | None:
        """The entry of a job, or None."""
        return next((entry for entry in self.entries if entry.job.job_id == job_id), None)

    def to_send(self) -> Entry | None:
        """The next entry whose photo is to be sent now, or None."""
        at_backend = self.of(State.STARTING, State.QUEUED, State.RUNNING, State.CANCELLING)
        waiting = self.of(State.WAITING)
        return waiting[0] if waiting and len(at_backend) < SENT_AT_ONCE else None

    def added(self, wanted: tuple[Wanted, ...], file: int) -> JobQueue:
        """The queue with further heads behind those that it has."""
        return JobQueue((*self.entries, *(Entry(one, waiting_job(one), file) for one in wanted)))

    def again(self, entries: tuple[Entry, ...], file: int) -> JobQueue:
        """The queue with new tries of some entries, each in its place."""
        return self._changed(lambda e: Entry(e.wanted, waiting_job(e.wanted), file) if e in entries else e)

    def replaced(self, job_id: str, entry: Entry) -> JobQueue:
        """The queue with another entry in the place of that of a job."""
        return self._changed(lambda e: entry if e.job.job_id == job_id else e)

    def advanced(self, event: Event) -> JobQueue:
        """The queue after an event of the line or of the backend; photos that were not sent yet do not notice it."""
        return self._moved(lambda job: job if job.state is State.WAITING else jobs.advance(job, event))

    def failed(self, error: RelightifyError, *, waiting: bool) -> JobQueue:
        """The queue after the line was lost: what is under way has failed, but for results that are here already.

        Args:
            error: why.
            waiting: whether what has not been sent yet fails, too.
        """
        here = {State.IMPORTING, State.HELD} | (set() if waiting else {State.WAITING})
        return self._moved(lambda job: job if job.state in here else jobs.advance(job, jobs.Failed(error)))

    def with_held(self, file: int) -> JobQueue:
        """The queue with results that came after another file had been opened set aside.

        Args:
            file: number of the file that is open.
        """
        return self._changed(lambda e: replace(e, job=jobs.held(e.job)) if e.file != file else e)

    def accepted(self, file: int) -> JobQueue:
        """The queue with all heads, those set aside and those to come, wanted in the file that is open.

        Args:
            file: its number.
        """
        return self._changed(lambda e: replace(e, job=jobs.accepted(e.job), file=file))

    def _moved(self, move: Callable[[Job], Job]) -> JobQueue:
        def changed(entry: Entry) -> Entry:
            job = move(entry.job)
            return entry if job is entry.job else replace(entry, job=job)

        return self._changed(changed)

    def _changed(self, change: Callable[[Entry], Entry]) -> JobQueue:
        entries = tuple(change(entry) for entry in self.entries)
        # The photo's bytes hang on what builds the head.
        entries = tuple(replace(e, build=None) if e.job.ended and e.build is not None else e for e in entries)
        same = all(now is before for now, before in zip(entries, self.entries, strict=True))
        return self if same else JobQueue(entries)


def waiting_job(wanted: Wanted) -> Job:
    """A job whose photo has not been sent yet."""
    return Job(new_job_id(), wanted.name, wanted.options, State.WAITING, "Waiting")
