"""The life of one job as the add-on sees it: a value that moves from state to state with each event.

No Blender in here: the same transitions serve the panel, headless operators and the tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np

from .._shared import Error, Faces, JobOptions, JobProgress, Message, Queued, RelightifyError, Result, stage_text

# How far an estimate of the time left may be off; assumed. That of a first job has only its own pace to go by.
LEAST_ERROR_S, ERROR_SHARE = 2.0, 0.25


class State(Enum):
    """Where a job is."""

    WAITING = "waiting"  # its photo has not been sent yet
    STARTING = "starting"  # the backend is being started or reached
    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    HELD = "held"  # the result is here, but another file has been opened since; the user decides
    IMPORTING = "importing"  # the result is here and is being built
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({State.DONE, State.FAILED, State.CANCELLED})


@dataclass(frozen=True)
class Starting:
    """The backend is not there yet; `text` says what is being waited for."""

    text: str


@dataclass(frozen=True)
class Failed:
    """The line to the backend broke, or there was none."""

    error: RelightifyError


@dataclass(frozen=True)
class Imported:
    """The head stands in the scene."""

    warnings: tuple[str, ...] = ()


Event = Starting | Failed | Imported | Message


@dataclass(frozen=True)
class Job:
    """One photo on its way to a head, or to the faces that are in it.

    Args:
        job_id: as on the wire.
        name: the photo's name without its ending.
        options: what was asked for.
        state: where it is.
        stage: what is being done, for people.
        fraction: of the whole job, in [0, 1].
        seconds_left: estimate of the backend, or None.
        preview: uint8 [H, W, 3], sRGB, row 0 at the top; the last one that came, or None.
        error: why it failed.
        result: what the backend made, while it waits to be imported.
        faces: the outcome of a search for faces.
        warnings: sentences about a job that went well.
    """

    job_id: str
    name: str
    options: JobOptions = field(default_factory=JobOptions)
    state: State = State.STARTING
    stage: str = "Starting the backend"
    fraction: float = 0.0
    seconds_left: float | None = None
    preview: np.ndarray | None = None
    error: RelightifyError | None = None
    result: Result | None = None
    faces: Faces | None = None
    warnings: tuple[str, ...] = ()

    @property
    def ended(self) -> bool:
        return self.state in ENDED


def advance(job: Job, event: Event) -> Job:
    """The job after an event; events of other jobs and events after the end leave it as it is."""
    if job.ended or getattr(event, "job_id", None) not in (None, job.job_id):
        return job
    if isinstance(event, Failed) and event.error.code == "cancelled":
        return replace(job, state=State.CANCELLED, seconds_left=None, preview=None)
    if isinstance(event, Failed):
        return replace(job, state=State.FAILED, error=event.error, seconds_left=None, preview=None)
    if isinstance(event, Error):
        state = State.CANCELLED if event.code == "cancelled" else State.FAILED
        error = None if state is State.CANCELLED else event.exception()
        return replace(job, state=state, error=error, seconds_left=None, preview=None)
    if isinstance(event, Imported):
        return replace(job, state=State.DONE, fraction=1.0, stage="Done", result=None, warnings=event.warnings)
    if job.state is State.CANCELLING:
        # Progress and even a result may still be on their way; the user no longer wants them.
        return replace(job, state=State.CANCELLED, preview=None) if isinstance(event, Result | Faces) else job
    if isinstance(event, Faces):
        return replace(job, state=State.DONE, fraction=1.0, stage="Done", seconds_left=None, faces=event)
    if isinstance(event, Starting):
        return replace(job, stage=event.text)
    if isinstance(event, Queued):
        return replace(job, state=State.QUEUED, stage=_queue_text(event))
    if isinstance(event, JobProgress):
        preview = job.preview if event.preview is None else event.preview
        return replace(
            job,
            state=State.RUNNING,
            stage=_sentence(stage_text(event.stage)),
            # A bar that jumps back looks broken, whatever the estimate says.
            fraction=max(job.fraction, event.fraction),
            seconds_left=steadier(job.seconds_left, event.seconds_left),
            preview=preview,
        )
    if isinstance(event, Result):
        return replace(job, state=State.IMPORTING, stage="Building the head", fraction=1.0, result=event)
    return job


def cancelling(job: Job) -> Job:
    """The job once the user has asked for its end."""
    return job if job.ended else replace(job, state=State.CANCELLING, stage="Cancelling", seconds_left=None)


def sent(job: Job) -> Job:
    """A job whose photo is on its way to the backend, which may have to be started first."""
    return replace(job, state=State.STARTING, stage="Sending the photo") if job.state is State.WAITING else job


def held(job: Job) -> Job:
    """A job whose result would land in another file than it was started in, until the user has said what to do."""
    return replace(job, state=State.HELD, stage="Another file is open") if job.state is State.IMPORTING else job


def accepted(job: Job) -> Job:
    """A held job whose result is wanted here all the same."""
    return replace(job, state=State.IMPORTING, stage="Building the head") if job.state is State.HELD else job


def steadier(before: float | None, now: float | None) -> float | None:
    """Seconds left to show after another estimate: they fall as they come, and never climb by more than their error.

    What lies within the error of the last one tells nothing, and a number that goes up and down tells less.
    """
    if before is None or now is None or now <= before:
        return now
    error = max(LEAST_ERROR_S, ERROR_SHARE * before)
    return before if now <= before + error else before + error


def time_left_text(seconds: float | None) -> str:
    """Time left for people, such as ``about 20 s left``; empty where it is not known."""
    if seconds is None:
        return ""
    if seconds < 1:
        return "nearly done"
    if seconds < 10:
        return f"about {round(seconds)} s left"
    if seconds < 90:
        return f"about {round(seconds / 5) * 5} s left"
    return f"about {round(seconds / 60)} min left"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _queue_text(event: Queued) -> str:
    if event.ahead:
        return f"Waiting for {event.ahead} other job{'s' if event.ahead > 1 else ''}"
    return "Ready to start" if event.worker == "ready" else "Loading the models"
