"""A client's end of the line: greeting, heartbeats and noticing that the other end is gone."""

from __future__ import annotations

import time
from contextlib import suppress

import zmq
from zmq.utils.monitor import recv_monitor_message

from .connection import RESTART_HINT, Connection, client_socket, receive, send
from .errors import RelightifyError
from .messages import (
    MAX_OPEN_JOBS,
    Error,
    Goodbye,
    Hello,
    JobProgress,
    Message,
    Outcome,
    Ping,
    Pong,
    ProtocolError,
    Queued,
    Request,
    Welcome,
)
from .processes import process_alive

HEARTBEAT_SECONDS = 1.0
LOST_SECONDS = 15.0


class Link:
    """One client's line to the backend. It sends `Hello` when made. Use it from one thread only.

    Args:
        connection: where the backend is.
        client: name and version of the client, for the backend's log.
        lost_after: seconds of silence after which the backend counts as lost.
    """

    def __init__(self, connection: Connection, client: str, lost_after: float = LOST_SECONDS) -> None:
        self.connection = connection
        self.welcome: Welcome | None = None
        self.worker = "stopped"
        self._open_jobs: set[str] = set()
        self._lost_after = lost_after
        # Without a process number the connection was typed in.
        self._local = connection.pid > 0 and connection.host in ("127.0.0.1", "::1", "localhost")
        self._context = zmq.Context()
        self._socket = client_socket(self._context, connection)
        self._monitor = self._socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH)
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)
        self._hello = Hello(client)
        self._handshakes, self._greeting = 0, False
        self._heard = self._pinged = time.monotonic()
        try:
            self._socket.connect(connection.endpoint)
        except zmq.ZMQError as error:  # a host name that cannot be resolved comes out later, as no answer
            self._shut()
            raise self._lost(f"cannot be reached ({error.strerror})") from error
        self.send(self._hello)

    def send(self, message: Message) -> None:
        """Send without waiting; raw frames are not copied and must not be changed afterwards.

        Raises:
            ProtocolError: the message cannot be sent, such as a photo that is too large.
            RelightifyError: `backend_lost`, the queue is full because the backend takes nothing; `queue_full`, more
                jobs are under way than a heartbeat can name.
        """
        if isinstance(message, Request) and len(self._open_jobs) >= MAX_OPEN_JOBS:
            raise ProtocolError(f"{MAX_OPEN_JOBS} photos wait already.", "queue_full", "Wait until some are done.")
        try:
            send(self._socket, message)
        except zmq.Again as error:
            raise self._lost("takes no more messages") from error
        if isinstance(message, Request):
            self._open_jobs.add(message.job_id)

    def receive(self, timeout: float) -> Message | None:
        """The next message, or None when none came within `timeout` seconds.

        Heartbeats go out from here, so call it at least once a second. `Pong` is taken in here and never returned, nor
        is anything about a job that is over. `worker` then holds the worker's state, and `welcome` what the server
        said of itself last.

        Raises:
            RelightifyError: `backend_lost`, the backend ended or has been silent for too long; `no_answer`, it never
                answered; `version_mismatch`; whatever error the backend reported that belongs to no job.
            ProtocolError: the backend sent something malformed.
        """
        deadline = time.monotonic() + timeout
        while True:
            self._heartbeat()
            left = min(deadline - time.monotonic(), HEARTBEAT_SECONDS)
            ready = dict(self._poller.poll(max(0, round(left * 1000))))
            if self._monitor in ready:
                self._take_event()
            if self._socket not in ready:
                if time.monotonic() >= deadline:
                    return None
                continue
            message = receive(self._socket, "server")
            self._heard = time.monotonic()
            if isinstance(message, Welcome | Pong):
                self.worker = message.worker
            if isinstance(message, Welcome):
                self.welcome, self._greeting = message, False
            if isinstance(message, Error) and message.job_id is None:
                if message.code != "unknown_client" or self.welcome is None:
                    raise message.exception()
                # This process slept for so long that it was given up. What was under way is told by the next heartbeat.
                if not self._greeting:
                    self._greeting = True
                    self.send(self._hello)
            if isinstance(message, Welcome) or self._of_open_job(message):
                return message

    def _of_open_job(self, message: Message) -> bool:
        """Whether the message belongs to a job that is not over; the server may send an outcome twice."""
        if not isinstance(message, Queued | JobProgress | Outcome | Error) or message.job_id not in self._open_jobs:
            return False
        if isinstance(message, Outcome | Error):
            self._open_jobs.discard(message.job_id)
        return True

    def close(self) -> None:
        """Say goodbye, which drops this client's jobs, and close. Waits half a second at most."""
        if self._socket.closed:
            return
        with suppress(RelightifyError):  # a backend that takes nothing needs no goodbye
            self.send(Goodbye())
        self._shut()

    def _shut(self) -> None:
        self._socket.disable_monitor()
        self._monitor.close()
        self._socket.close()
        self._context.term()

    def _take_event(self) -> None:
        """After a broken line, greet again: the server then sends again what may have been under way."""
        if recv_monitor_message(self._monitor)["event"] == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            raise RelightifyError(
                "access_denied", f"The backend at {self.connection.endpoint} does not know our key.", RESTART_HINT
            )
        self._handshakes += 1
        if self._handshakes > 1:
            self.send(self._hello)

    def _heartbeat(self) -> None:
        now = time.monotonic()
        if now - self._pinged < HEARTBEAT_SECONDS:
            return
        # A long pause of this process (a sleeping laptop, a busy Blender) must not look like the backend's silence.
        if now - self._pinged > 3 * HEARTBEAT_SECONDS:
            self._heard = now
        self._pinged = now
        # Only a silent backend is looked for: inside a sandbox (Flatpak, Snap) its process may not be visible.
        silent = now - self._heard
        if silent > 2 * HEARTBEAT_SECONDS and self._local and not process_alive(self.connection.pid):
            raise self._lost("has ended")
        if silent > self._lost_after:
            raise self._lost("does not answer any more" if self.welcome else "does not answer")
        self.send(Ping(tuple(sorted(self._open_jobs))))

    def _lost(self, what: str) -> RelightifyError:
        code = "backend_lost" if self.welcome else "no_answer"
        return RelightifyError(code, f"The backend at {self.connection.endpoint} {what}.", RESTART_HINT)
