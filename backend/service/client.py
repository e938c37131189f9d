"""A blocking client for the command line, scripts and tests; Blender's add-on has its own, on a thread."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from shared.connection import Connection, default_connection_path, read_connection
from shared.corrections import Corrections
from shared.errors import RelightifyError
from shared.link import LOST_SECONDS, Link
from shared.messages import (
    Buffer,
    Cancel,
    Detect,
    Error,
    Faces,
    JobProgress,
    Message,
    Outcome,
    Queued,
    Reconstruct,
    Refit,
    Refitted,
    Shutdown,
    Welcome,
    new_job_id,
)
from shared.options import JobOptions
from shared.photos import further_keys
from shared.refit_messages import FitState

JobMessage = Queued | JobProgress | Outcome


class Client:
    """One client of a backend; use it from one thread, as a context manager.

    Args:
        connection: where the backend is, the path of its connection file, or None for the usual file.
        name: for the backend's log.
        lost_after: seconds of silence after which the backend counts as lost.

    Raises:
        RelightifyError: `no_connection_file` and others of `read_connection`; `no_answer`; `version_mismatch`.
    """

    def __init__(
        self,
        connection: Connection | Path | None = None,
        name: str = "relightify client",
        lost_after: float = LOST_SECONDS,
    ) -> None:
        if not isinstance(connection, Connection):
            connection = read_connection(connection or default_connection_path())
        self._waiting: dict[str, deque[JobMessage | Error]] = {}
        self._link = Link(connection, name, lost_after)
        try:
            while self._link.welcome is None:
                self._take(1.0)
        except BaseException:
            self._link.close()
            raise

    @property
    def welcome(self) -> Welcome:
        """What the server said of itself last: worker state, qualities, devices."""
        assert self._link.welcome is not None
        return self._link.welcome

    def submit(
        self,
        photo: Buffer,
        options: JobOptions | None = None,
        file_name: str = "",
        further: Sequence[Buffer] = (),
        further_faces: Sequence[int | None] = (),
        corrections: Corrections = Corrections(),
    ) -> str:
        """Hand in a job; returns its id. What `further` photos are, see `Reconstruct`.

        Raises:
            ProtocolError: `photo_too_large`.
        """
        job_id = new_job_id()
        numbered = dict(zip(further_keys(len(further)), further, strict=True))
        chosen = options or JobOptions()
        self._link.send(Reconstruct(job_id, photo, chosen, file_name, numbered, tuple(further_faces), corrections))
        self._waiting[job_id] = deque()
        return job_id

    def detect(self, photo: Buffer, file_name: str = "") -> Faces:
        """The faces of a photo.

        Raises:
            RelightifyError: the photo cannot be read or has no face, or the backend is lost.
        """
        job_id = new_job_id()
        self._link.send(Detect(job_id, photo, file_name))
        self._waiting[job_id] = deque()
        for message in self.messages(job_id):
            if isinstance(message, Faces):
                return message
        raise AssertionError("messages ended without an outcome")

    def refit(self, fit: FitState, corrections: Corrections) -> Refitted:
        """The head that goes through corrected points.

        Args:
            fit: see `shared.refit_messages.FitState`.
            corrections: in the photo's pixels.

        Raises:
            RelightifyError: ``bad_corrections``, or the backend is lost.
        """
        job_id = new_job_id()
        self._link.send(Refit(job_id, fit, corrections))
        self._waiting[job_id] = deque()
        for message in self.messages(job_id):
            if isinstance(message, Refitted):
                return message
        raise AssertionError("messages ended without an outcome")

    def messages(self, job_id: str) -> Iterator[JobMessage]:
        """The messages of one job as they come; the last one is its `Result` (or `Faces`, `Refitted`).

        Leaving the loop early cancels the job.

        Raises:
            RelightifyError: the job failed, was cancelled (code `cancelled`), or the backend is lost.
        """
        waiting = self._waiting[job_id]
        try:
            while True:
                while not waiting:
                    self._take(1.0)
                message = waiting.popleft()
                if isinstance(message, Error):
                    del self._waiting[job_id]
                    raise message.exception()
                ended = isinstance(message, Outcome)
                if ended:
                    del self._waiting[job_id]
                yield message
                if ended:
                    return
        finally:
            if self._waiting.pop(job_id, None) is not None:
                self._link.send(Cancel(job_id))

    def reconstruct(
        self,
        photo: Buffer,
        options: JobOptions | None = None,
        file_name: str = "",
        further: Sequence[Buffer] = (),
        further_faces: Sequence[int | None] = (),
    ) -> Iterator[JobMessage]:
        """Hand in a job and iterate over its messages, as `messages` does."""
        return self.messages(self.submit(photo, options, file_name, further, further_faces))

    def cancel(self, job_id: str) -> None:
        """Ask to stop a job; `messages` then raises an error of code `cancelled`."""
        self._link.send(Cancel(job_id))

    def wait_until_ready(self, timeout: float = 120.0) -> None:
        """Wait until the models are loaded.

        Raises:
            RelightifyError: `not_ready`, they are not after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while self.welcome.worker not in ("ready", "busy"):
            if time.monotonic() > deadline:
                raise RelightifyError(
                    "not_ready", "The backend has not loaded its models yet.", "Wait a little, or look at its log."
                )
            self._take(0.2)

    def shutdown(self) -> None:
        """End the server and all its jobs."""
        self._link.send(Shutdown())

    def close(self) -> None:
        self._link.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _take(self, timeout: float) -> None:
        message: Message | None = self._link.receive(timeout)
        if isinstance(message, Queued | JobProgress | Outcome | Error) and message.job_id in self._waiting:
            self._waiting[message.job_id].append(message)
