"""Running servers for tests: in a thread of the test, with workers that are real processes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
import zmq

from backend.service.client import Client
from backend.service.keys import new_keys
from backend.service.listening import ServerSettings
from backend.service.server import Server
from backend.service.worker_process import WorkerSettings
from shared.connection import Connection, client_socket
from shared.errors import RelightifyError
from shared.messages import Message, Result
from shared.protocol import decode, encode

FAKES = "tests.backend.service.fake_pipeline"


@contextmanager
def running_server(factory: str = "create", **settings: Any) -> Iterator[Connection]:
    """A server whose pipeline is a fake one; `settings` are those of `ServerSettings`."""
    worker = WorkerSettings(f"{FAKES}:{factory}", "cpu", "test")
    keys = new_keys()
    server = Server(replace(ServerSettings(worker=worker, tick=0.05), **settings), keys, "test server")
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        known = (keys.server_public, keys.client_public, keys.client_secret)
        yield Connection("127.0.0.1", server.port, *known, os.getpid(), "now")
    finally:
        server.stop()
        thread.join(10)
    assert not thread.is_alive()


@dataclass(frozen=True)
class RawClient:
    """A client without manners: no greeting, no heartbeats, no goodbye."""

    socket: zmq.Socket

    def send(self, message: Message) -> None:
        self.socket.send_multipart(encode(message))

    def receive(self, kind: type[Message], seconds: float = 60.0) -> Any:
        """The next message of one kind; others are passed over."""
        deadline = time.monotonic() + seconds
        while self.socket.poll(max(0, round((deadline - time.monotonic()) * 1000))):
            message = decode(self.socket.recv_multipart())
            if isinstance(message, kind):
                return message
        raise AssertionError(f"no {kind.__name__} came in {seconds} s")


@contextmanager
def raw_client(connection: Connection) -> Iterator[RawClient]:
    context = zmq.Context()
    socket = client_socket(context, connection)
    socket.setsockopt(zmq.LINGER, 0)
    socket.connect(connection.endpoint)
    try:
        yield RawClient(socket)
    finally:
        socket.close()
        context.term()


def result_of(client: Client, photo: bytes) -> Result:
    """Do a job and return its result."""
    last = list(client.reconstruct(photo))[-1]
    assert isinstance(last, Result)
    return last


def error_of(client: Client, photo: bytes) -> RelightifyError:
    """Do a job that must fail and return its error."""
    with pytest.raises(RelightifyError) as caught:
        list(client.reconstruct(photo))
    return caught.value


def eventually(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether `condition` becomes true within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()
