"""The waiting jobs, in order of arrival."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shared.messages import Buffer, ProtocolError

MAX_WAITING = 256
MAX_WAITING_BYTES = 2 * 2**30


@dataclass(frozen=True)
class QueuedJob:
    """One job, as it came.

    Args:
        client: ZeroMQ identity of the client.
        job_id: the client's name for the job; another client may use the same.
        frames: the frames of its `Reconstruct` or `Detect` message.
    """

    client: bytes
    job_id: str
    frames: Sequence[Buffer] = field(repr=False, compare=False)

    @property
    def nbytes(self) -> int:
        return sum(memoryview(frame).nbytes for frame in self.frames)


class JobQueue:
    """Jobs that wait for the worker; the running one is not in here."""

    def __init__(self) -> None:
        self._jobs: list[QueuedJob] = []

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[QueuedJob]:
        return iter(tuple(self._jobs))

    def add(self, job: QueuedJob) -> None:
        """Put a job at the end.

        Raises:
            ProtocolError: code `queue_full`.
        """
        if len(self) >= MAX_WAITING or sum(waiting.nbytes for waiting in (*self._jobs, job)) > MAX_WAITING_BYTES:
            raise ProtocolError("Too many photos wait already.", "queue_full", "Wait until some are done.")
        self._jobs.append(job)

    def next(self) -> QueuedJob | None:
        """Take the first job out."""
        return self._jobs.pop(0) if self._jobs else None

    def remove(self, client: bytes, job_id: str | None = None) -> list[QueuedJob]:
        """Take out the client's job of this id, or all its jobs; returns them."""
        taken = [job for job in self._jobs if job.client == client and job_id in (None, job.job_id)]
        self._jobs = [job for job in self._jobs if job not in taken]
        return taken
