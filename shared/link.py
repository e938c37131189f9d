"""A client's end of the line: greeting, heartbeats and noticing that the other end is gone."""

from __future__ import annotations

import time
from contextlib import suppress

import zmq

from .connection import RESTART_HINT, Connection, client_socket, receive, send
from .errors import RelightifyError
from .messages import Error, Goodbye, Hello, Message, Ping, Pong, Welcome
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
        self._lost_after = lost_after
        self._local = connection.host in ("127.0.0.1", "::1", "localhost")
        self._context = zmq.Context()
        self._socket = client_socket(self._context, connection)
        self._heard = self._pinged = time.monotonic()
        self.send(Hello(client))

    def send(self, message: Message) -> None:
        """Send without waiting; raw frames are not copied and must not be changed afterwards.

        Raises:
            ProtocolError: the message cannot be sent, such as a photo that is too large.
            RelightifyError: `backend_lost`, the queue is full because the backend takes nothing.
        """
        try:
            send(self._socket, message)
        except zmq.Again as error:
            raise self._lost("takes no more messages") from error

    def receive(self, timeout: float) -> Message | None:
        """The next message, or None when none came within `timeout` seconds.

        Heartbeats go out from here, so call it at least once a second. `Pong` is taken in here and never returned;
        `worker` then holds the worker's state, and `welcome` what the server said of itself last.

        Raises:
            RelightifyError: `backend_lost`, the backend ended or has been silent for too long; `no_answer`, it never
                answered; `version_mismatch`; whatever error the backend reported that belongs to no job.
            ProtocolError: the backend sent something malformed.
        """
        deadline = time.monotonic() + timeout
        while True:
            self._heartbeat()
            left = min(deadline - time.monotonic(), HEARTBEAT_SECONDS)
            if not self._socket.poll(max(0, round(left * 1000))):
                if time.monotonic() >= deadline:
                    return None
                continue
            message = receive(self._socket, "server")
            self._heard = time.monotonic()
            if isinstance(message, Welcome | Pong):
                self.worker = message.worker
            if isinstance(message, Welcome):
                self.welcome = message
            if isinstance(message, Error) and message.job_id is None:
                raise message.exception()
            if not isinstance(message, Pong):
                return message

    def close(self) -> None:
        """Say goodbye, which drops this client's jobs, and close. Waits half a second at most."""
        if self._socket.closed:
            return
        with suppress(RelightifyError):  # a backend that takes nothing needs no goodbye
            self.send(Goodbye())
        self._socket.close()
        self._context.term()

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
        self.send(Ping())

    def _lost(self, what: str) -> RelightifyError:
        code = "backend_lost" if self.welcome else "no_answer"
        return RelightifyError(code, f"The backend at {self.connection.endpoint} {what}.", RESTART_HINT)
