"""The waiting jobs, and whose turn it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from shared.messages import Buffer, ProtocolError

MAX_WAITING = 256
MAX_WAITING_BYTES = 2 * 2**30


@dataclass(frozen=True)
class QueuedJob:
    """One job, as it came.

    Args:
        client: ZeroMQ identity of the client.
        job_id: the client's name for the job; another client may use the same.
        frames: the frames of its message.
        refit: whether it is a `Refit`, of which the newest wins.
    """

    client: bytes
    job_id: str
    frames: Sequence[Buffer] = field(repr=False, compare=False)
    refit: bool = field(default=False, compare=False)

    @property
    def nbytes(self) -> int:
        return sum(memoryview(frame).nbytes for frame in self.frames)


class JobQueue:
    """Jobs that wait for the worker; the running one is not in here.

    Clients take turns, each with its jobs in order of arrival, so that nobody's folder of photos keeps another's one
    photo waiting.
    """

    def __init__(self) -> None:
        # In the order in which the clients' turns come; none is empty.
        self._by_client: dict[bytes, list[QueuedJob]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_client.values()))

    def __iter__(self) -> Iterator[QueuedJob]:
        """The jobs in the order in which they will come out if no further ones are added."""
        rounds = zip_longest(*self._by_client.values())
        return iter([job for jobs in rounds for job in jobs if job is not None])

    def add(self, job: QueuedJob) -> None:
        """Put a job at the end of its client's.

        Raises:
            ProtocolError: code `queue_full`.
        """
        if len(self) >= MAX_WAITING or sum(waiting.nbytes for waiting in (*self, job)) > MAX_WAITING_BYTES:
            raise ProtocolError("Too many photos wait already.", "queue_full", "Wait until some are done.")
        self._by_client.setdefault(job.client, []).append(job)

    def next(self) -> QueuedJob | None:
        """Take out the first job of the client whose turn it is; the client's next turn comes after all others'."""
        if not self._by_client:
            return None
        client = next(iter(self._by_client))
        job, *rest = self._by_client.pop(client)
        if rest:
            self._by_client[client] = rest
        return job

    def outdated(self, job: QueuedJob) -> list[QueuedJob]:
        """The waiting refits of the client that another one of it makes needless."""
        return [older for older in self._by_client.get(job.client, []) if job.refit and older.refit]

    def remove(self, client: bytes, job_id: str | None = None) -> list[QueuedJob]:
        """Take out the client's job of this id, or all its jobs; returns them."""
        own = self._by_client.get(client, [])
        taken = [job for job in own if job_id in (None, job.job_id)]
        own[:] = [job for job in own if job not in taken]
        if not own:
            self._by_client.pop(client, None)
        return taken
