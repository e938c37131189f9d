"""The one thread that talks to the backend. Blender's main thread gives it commands and takes events from a queue.

Nothing in this thread touches Blender's data. It starts the backend if it is told how, connects, keeps the heartbeats
going and stays connected between jobs, so that the second job finds the models warm.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from .._shared import (
    Cancel,
    Connection,
    Error,
    Link,
    Refit,
    RelightifyError,
    Request,
    Shutdown,
    default_connection_path,
    read_connection,
)
from . import process
from .jobs import Event, Failed, Starting
from .process import BackendProcess

log = logging.getLogger(__name__)

POLL_SECONDS = 0.05
# After a refit, while the hand that asked for it may go on.
QUICK_POLL_SECONDS, QUICK_FOR_SECONDS = 0.004, 2.0
CLOSE_SECONDS = 10.0


@dataclass(frozen=True)
class BackendChoice:
    """How to get a backend.

    Args:
        python: interpreter to start it with; None to connect to one that runs.
        connection_file: the running backend's file; None takes the usual place. Unused where `python` is given.
        connection: address and keys of the running backend, instead of a file.
        variables: set in the environment of a backend that is started.
    """

    python: Path | None = None
    connection_file: Path | None = None
    connection: Connection | None = None
    variables: tuple[tuple[str, str], ...] = ()


class _Close:
    """Command: leave."""


class BackendLink:
    """A line to the backend on a thread of its own.

    Args:
        choice: how to get a backend.
        client: name and version for the backend's log.
    """

    def __init__(self, choice: BackendChoice, client: str) -> None:
        self.choice = choice
        self._client = client
        self._commands: queue.SimpleQueue[Request | Cancel | _Close] = queue.SimpleQueue()
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._backend: BackendProcess | None = None
        self._connection: Connection | None = None
        self._cancelled: set[str] = set()
        self._sent: set[str] = set()
        self._refitted = float("-inf")
        self._thread = threading.Thread(target=self._run, name="relightify link", daemon=True)
        self._thread.start()

    def alive(self) -> bool:
        """Whether events may still come; False after the line broke."""
        return self._thread.is_alive()

    def usable(self) -> bool:
        """Whether a new job may go onto this line; False as soon as its backend has ended, though the thread lives."""
        if self._closing.is_set() or not self.alive():
            return False
        if self._backend is not None:
            return self._backend.running()
        # A backend that somebody else started says in its file that it is another one by now, or none.
        return self._connection is None or self.choice.connection is not None or self._current() == self._connection

    def _current(self) -> Connection | None:
        """What the connection file says now."""
        try:
            return read_connection(self.choice.connection_file or default_connection_path())
        except RelightifyError:
            return None

    def submit(self, request: Request) -> None:
        """Send a job as soon as the backend is there."""
        self._commands.put(request)

    def cancel(self, job_id: str) -> None:
        """Stop a job; one that has not been sent yet ends at once, even while the backend is still starting."""
        self._cancelled.add(job_id)
        if job_id not in self._sent:
            self._events.put(_cancelled(job_id))
        self._commands.put(Cancel(job_id))

    def events(self) -> list[Event]:
        """Everything that came since the last call; never waits."""
        found = []
        while True:
            try:
                found.append(self._events.get_nowait())
            except queue.Empty:
                return found

    def leave(self) -> None:
        """Have the thread say goodbye and end a backend that was started here; does not wait for it."""
        self._closing.set()
        self._commands.put(_Close())

    def close(self) -> None:
        """Leave, and wait for the thread."""
        self.leave()
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        backend: BackendProcess | None = None
        try:
            if self.choice.python is not None:
                self._events.put(Starting("Starting the backend"))
                backend = process.start_backend(self.choice.python, variables=dict(self.choice.variables))
                self._backend = backend
                connection = process.wait_for_connection(backend, self._keep_waiting)
            else:
                connection = self.choice.connection
                connection = connection or read_connection(self.choice.connection_file or default_connection_path())
            self._connection = connection
            self._talk(connection)
        except RelightifyError as error:
            self._events.put(self._explain(error, backend))
        except Exception as error:
            log.exception("the link to the backend failed")
            wrong = RelightifyError("internal", f"The add-on failed: {error}.", "Please report this with the console.")
            self._events.put(Failed(wrong))
        finally:
            if backend is not None:
                process.stop_backend(backend)

    def _talk(self, connection: Connection) -> None:
        self._events.put(Starting("Connecting"))
        link = Link(connection, self._client)
        try:
            while True:
                while not self._commands.empty():
                    command = self._commands.get()
                    if isinstance(command, _Close):
                        if self.choice.python is not None:
                            link.send(Shutdown())
                        return
                    self._carry_out(link, command)
                quick = time.monotonic() - self._refitted < QUICK_FOR_SECONDS
                message = link.receive(QUICK_POLL_SECONDS if quick else POLL_SECONDS)
                if message is not None:
                    self._events.put(message)
                elif self._backend is not None and not self._backend.running():
                    # Everything that it had sent is out of the line by now.
                    raise RelightifyError("backend_lost", "The backend has ended.", "Try again: it is started anew.")
        finally:
            link.close()

    def _carry_out(self, link: Link, command: Request | Cancel) -> None:
        if isinstance(command, Refit):
            self._refitted = time.monotonic()
        if isinstance(command, Request):
            # Marked first and looked at second, as `cancel` does it the other way round: neither can miss the other.
            self._sent.add(command.job_id)
            if command.job_id in self._cancelled:
                self._sent.discard(command.job_id)
                self._events.put(_cancelled(command.job_id))
                return
        elif command.job_id not in self._sent:
            return
        try:
            link.send(command)
        except RelightifyError as error:
            # A photo that cannot be sent ends its job, not the line.
            self._events.put(Error.of(error, command.job_id))

    def _keep_waiting(self, seconds: float) -> bool:
        if seconds > 1:
            self._events.put(Starting(f"Starting the backend ({seconds:.0f} s)"))
        return not self._closing.is_set()

    def _explain(self, error: RelightifyError, backend: BackendProcess | None) -> Failed:
        if backend is not None and error.code == "backend_lost":
            hint = f"Try again: it is started anew. Its log is {backend.log_file}."
            return Failed(RelightifyError(error.code, error.message, hint))
        return Failed(error)


def _cancelled(job_id: str) -> Error:
    return Error("cancelled", "The job was cancelled.", job_id=job_id)
