"""Whatever the worker process does, its client is told, the server lives, and the next job works."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import zmq

from backend.service.client import Client
from shared.connection import Connection, send_frames
from shared.messages import Cancel, Error, Hello, JobProgress, Reconstruct, Result
from shared.processes import kill_group, process_alive
from shared.protocol import decode, encode
from tests.backend.service.running import error_of, eventually, raw_client, result_of, running_server


@pytest.mark.parametrize("what", [b"nonsense", b"stranger"])
def test_worker_that_sends_what_is_no_message_of_its_job_is_replaced(connection: Connection, what: bytes) -> None:
    with Client(connection) as client:
        before = result_of(client, b"echo").info["pid"]
        began = time.monotonic()
        error = error_of(client, what)
        assert error.code == "worker_died"
        assert "memory" in error.message
        assert time.monotonic() - began < 20
        assert result_of(client, b"echo").info["pid"] != before
        assert not process_alive(before)


@pytest.mark.parametrize(("end", "name"), [(b"segfault", "SIGSEGV"), (b"abort", "SIGABRT")])
def test_crash_is_called_what_it_is_with_the_likely_reason(connection: Connection, end: bytes, name: str) -> None:
    with Client(connection) as client:
        error = error_of(client, end)
        assert error.code == "worker_died"
        assert name in error.message
        assert "memory" in error.message
        assert result_of(client, b"echo")


def test_worker_that_hangs_while_it_starts_is_ended_and_the_next_job_starts_another(cache: Path) -> None:
    (cache / "hung-once").unlink(missing_ok=True)
    with running_server("create_hanging_once", worker_start=3.0) as connection, Client(connection) as client:
        error = error_of(client, b"echo")
        assert error.code == "worker_start"
        assert "3 seconds" in error.message
        assert client.welcome.worker == "stopped"
    with running_server("create_hanging_once", worker_start=60.0) as connection, Client(connection) as client:
        assert result_of(client, b"echo")


@pytest.mark.skipif(os.name != "posix", reason="process groups")
@pytest.mark.parametrize("how", ["cancelled", "server ends"])
def test_what_the_worker_has_started_ends_with_it(cache: Path, tmp_path: Path, how: str) -> None:
    file = tmp_path / "pid"
    with running_server(cancel_kill=0.3) as connection, raw_client(connection) as client:
        client.send(Hello("x"))
        client.send(Reconstruct("job", f"child {file}".encode()))
        client.receive(JobProgress)
        assert eventually(lambda: file.exists() and bool(file.read_text()))
        child = int(file.read_text())
        assert process_alive(child)
        if how == "cancelled":
            client.send(Cancel("job"))
            assert client.receive(Error).code == "cancelled"
            assert eventually(lambda: not process_alive(child), 10)
    assert eventually(lambda: not process_alive(child), 10)


@pytest.mark.skipif(os.name != "posix", reason="process groups")
def test_group_of_a_process_that_has_ended_by_itself_is_killed_too() -> None:
    code = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid)"
    leader = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, process_group=0)
    assert leader.stdout is not None
    child = int(leader.stdout.readline())
    os.waitid(os.P_PID, leader.pid, os.WEXITED | os.WNOWAIT)
    assert process_alive(child)
    kill_group(leader)
    leader.wait()
    leader.stdout.close()
    assert eventually(lambda: not process_alive(child), 10)


class FailsAtPart:
    """A socket whose memory runs out at one part of a message."""

    def __init__(self, socket: zmq.Socket, part: int) -> None:
        self._socket = socket
        self._part = part

    def send(self, data: Any, flags: int = 0, **options: Any) -> None:
        self._part -= 1
        if self._part == -1:
            raise zmq.ZMQError(12)
        self._socket.send(data, flags, **options)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_message_that_breaks_off_half_sent_does_not_swallow_the_next(part: int) -> None:
    with zmq.Context() as context, context.socket(zmq.PAIR) as here, context.socket(zmq.PAIR) as there:
        for socket in (here, there):
            socket.setsockopt(zmq.LINGER, 0)
        there.bind("inproc://half")
        here.connect("inproc://half")
        broken: Any = FailsAtPart(here, part)
        with pytest.raises(zmq.ZMQError):
            send_frames(broken, [b"one", bytes(200_000), b"three"])
        send_frames(here, encode(Cancel("next")))
        came = there.recv_multipart()
        if part:
            assert came == [*[b"one", bytes(200_000)][:part], b""]
            came = there.recv_multipart()
        assert decode(came, "client") == Cancel("next")
        assert not there.poll(0)


def test_message_that_cannot_be_sent_for_lack_of_memory_is_sent_later(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [MemoryError(), zmq.ZMQError(12)]

    def short_of_memory(socket: zmq.Socket, frames: Any) -> None:
        if failures and len(frames) > 3:
            raise failures.pop()
        send_frames(socket, frames)

    monkeypatch.setattr("backend.service.clients.send_frames", short_of_memory)
    with Client(connection) as client:
        assert isinstance(result_of(client, b"large"), Result)
    assert not failures
