"""The clients that a server knows, and sending to them without ever waiting."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import zmq

from shared.connection import send_frames
from shared.messages import Buffer, Error, JobProgress, Message, Outcome, Pong
from shared.protocol import encode

_log = logging.getLogger(__name__)

# A client that takes nothing of what it is sent is lost once so many messages, or so many bytes of results, wait.
MAX_UNSENT = 4096
MAX_KEPT_BYTES = 2 * 2**30


@dataclass
class _Client:
    name: str
    heard: float
    unreachable_since: float | None = None
    unsent: deque[Sequence[Buffer]] = field(default_factory=deque)
    outcomes: dict[str, Sequence[Buffer]] = field(default_factory=dict)

    def overfull(self) -> bool:
        """Whether more waits for the client than is kept for anybody."""
        waiting = {id(frames): frames for frames in (*self.unsent, *self.outcomes.values())}
        size = sum(memoryview(frame).nbytes for frames in waiting.values() for frame in frames)
        return len(waiting) > MAX_UNSENT or size > MAX_KEPT_BYTES


class Clients:
    """Clients by their ZeroMQ identity.

    Args:
        socket: ROUTER with ROUTER_MANDATORY, so that a broken line is an error instead of silence.
    """

    def __init__(self, socket: zmq.Socket) -> None:
        self._socket = socket
        self._clients: dict[bytes, _Client] = {}

    def __len__(self) -> int:
        return len(self._clients)

    def greet(self, client_id: bytes, name: str) -> None:
        """Take in a client. One that is known has a new line: outcomes that may have got lost on the old go again."""
        client = self._clients.setdefault(client_id, _Client(name, 0.0))
        client.heard = time.monotonic()
        waiting = {id(frames) for frames in client.unsent}
        client.unsent.extend(frames for frames in client.outcomes.values() if id(frames) not in waiting)
        self._send_unsent(client_id, client)

    def hear(self, client_id: bytes) -> bool:
        """Note that the client lives; False where there is no such client."""
        if client_id not in self._clients:
            return False
        self._clients[client_id].heard = time.monotonic()
        return True

    def forget(self, client_id: bytes) -> None:
        self._clients.pop(client_id, None)

    def name(self, client_id: bytes) -> str:
        client = self._clients.get(client_id)
        return client.name if client else "unknown"

    def reply(self, client_id: bytes, message: Message) -> None:
        """Send once to whoever this is; if that fails, then it is not kept."""
        self._try(client_id, encode(message))

    def send(self, client_id: bytes, message: Message, frames: Sequence[Buffer] | None = None) -> None:
        """Send to a known client, or keep for later when its line is broken or full.

        Args:
            client_id: unknown ones are passed over.
            message: what is outdated soon (`JobProgress`, `Pong`) is not kept.
            frames: the message as it was received, if it was.
        """
        client = self._clients.get(client_id)
        if client is None:
            return
        frames = encode(message) if frames is None else frames
        if not isinstance(message, JobProgress | Pong):
            client.unsent.append(frames)
            self._send_unsent(client_id, client)
        elif not client.unsent:
            self._note(client, self._try(client_id, frames))

    def send_outcome(self, client_id: bytes, message: Outcome | Error, frames: Sequence[Buffer] | None = None) -> None:
        """Send the last message of a job, and keep it until `acknowledge`: a line can break with it under way."""
        frames = encode(message) if frames is None else frames
        if client_id in self._clients and message.job_id is not None:
            self._clients[client_id].outcomes[message.job_id] = frames
        self.send(client_id, message, frames)

    def acknowledge(self, client_id: bytes, open_jobs: Collection[str]) -> list[str]:
        """Let go of outcomes that the client has, which are those of jobs that it does not count as open.

        Returns the open jobs that have no outcome.
        """
        client = self._clients[client_id]
        client.outcomes = {job_id: frames for job_id, frames in client.outcomes.items() if job_id in open_jobs}
        return [job_id for job_id in open_jobs if job_id not in client.outcomes]

    def send_all(self, message: Message) -> None:
        for client_id in self._clients:
            self.send(client_id, message)

    def lost(self, silent: float, unreachable: float, pong: Pong) -> list[bytes]:
        """Try what could not be sent before, and name the clients that are lost.

        Args:
            silent: seconds without a message after which a client is lost.
            unreachable: seconds with a broken line after which it is lost.
            pong: sent to silent clients, which finds out whether their line is broken.
        """
        now = time.monotonic()
        found = []
        for client_id, client in self._clients.items():
            if now - client.heard > min(3.0, silent / 2):
                self.send(client_id, pong)
            self._send_unsent(client_id, client)
            broken = 0.0 if client.unreachable_since is None else now - client.unreachable_since
            if now - client.heard > silent or broken > unreachable or client.overfull():
                found.append(client_id)
        return found

    def _send_unsent(self, client_id: bytes, client: _Client) -> None:
        while client.unsent:
            error = self._try(client_id, client.unsent[0])
            self._note(client, error)
            if error:
                return
            client.unsent.popleft()

    def _try(self, client_id: bytes, frames: Sequence[Buffer]) -> int:
        """Send without waiting; 0, or the errno: EAGAIN for a full line, EHOSTUNREACH for a broken one."""
        try:
            send_frames(self._socket, [client_id, *frames])
        except zmq.ZMQError as error:
            if error.errno not in (zmq.EAGAIN, zmq.EHOSTUNREACH):
                _log.warning("A message to client %s cannot be sent: %s.", self.name(client_id), error.strerror)
                return zmq.EAGAIN
            return int(error.errno or 0)
        except MemoryError:
            _log.warning("A message to client %s cannot be sent: out of memory.", self.name(client_id))
            return zmq.EAGAIN
        return 0

    @staticmethod
    def _note(client: _Client, error: int) -> None:
        if error == zmq.EHOSTUNREACH:
            client.unreachable_since = client.unreachable_since or time.monotonic()
        else:
            client.unreachable_since = None
