"""What one client sends, with valid keys, ends nobody's jobs, takes no memory and holds nobody up."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.service.client import Client
from backend.service.clients import Clients
from backend.service.server import Server
from shared.connection import Connection
from shared.errors import RelightifyError
from shared.messages import Error, Hello, Message, Ping, Pong, ProtocolError, Reconstruct, Result, Welcome
from shared.protocol import decode
from tests.backend.service.hostile import hostile_messages
from tests.backend.service.running import eventually, raw_client, result_of, running_server

LOOP_SECONDS = 0.05
MESSAGES = hostile_messages()
# These are what a client may send, if nobody means it.
ALLOWED = ("a text of line ends", "as many pinged jobs as may be")


@pytest.mark.parametrize("name", [name for name in MESSAGES if name not in ALLOWED])
def test_hostile_message_is_a_typed_error_that_allocates_little_and_takes_no_time(name: str) -> None:
    began = time.thread_time()
    with pytest.raises(ProtocolError) as caught:
        decode(MESSAGES[name], "client")
    assert time.thread_time() - began < LOOP_SECONDS
    assert len(Error.of(caught.value).message) <= 4096
    tracemalloc.start()
    with pytest.raises(ProtocolError):
        decode(MESSAGES[name], "client")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 * 2**20


def test_hostile_messages_leave_other_clients_jobs_alone_and_the_loop_free(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    took: list[float] = []
    take = Server._take_from_client

    def timed(server: Server) -> None:
        began = time.thread_time()
        take(server)
        took.append(time.thread_time() - began)

    monkeypatch.setattr(Server, "_take_from_client", timed)
    with running_server() as connection, Client(connection) as other, raw_client(connection) as hostile:
        other.wait_until_ready()
        job = other.submit(b"sleep 1")
        hostile.send(Hello("hostile"))
        hostile.receive(Welcome)
        for frames in MESSAGES.values():
            hostile.socket.send_multipart(frames)
        hostile.send(Ping())
        hostile.receive(Pong)
        *_, result = other.messages(job)
        assert isinstance(result, Result)
        assert result_of(other, b"echo")
    assert len(took) > len(MESSAGES)
    assert max(took) < LOOP_SECONDS


def test_error_nobody_foresaw_in_a_message_is_told_and_the_server_lives_on(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(server: Server, client_id: bytes, message: Message, frames: object) -> None:
        del server, client_id, message, frames
        raise ZeroDivisionError

    with running_server() as connection, raw_client(connection) as client:
        client.send(Hello("x"))
        client.receive(Welcome)
        with monkeypatch.context() as patch:
            patch.setattr(Server, "_answer", fail)
            client.send(Ping())
            error = client.receive(Error)
            assert error.code == "internal"
            assert "server.log" in error.hint
        client.send(Reconstruct("job", b"echo"))
        assert client.receive(Result).job_id == "job"


def test_client_that_takes_nothing_is_given_up_before_it_fills_the_memory(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.service.clients.MAX_UNSENT", 300)
    most = 0
    with running_server() as connection, raw_client(connection) as deaf, Client(connection) as other:
        deaf.socket.setsockopt(17, 1)  # nothing is taken out of its own line either
        deaf.send(Hello("deaf"))
        kept: list[Clients] = []
        monkeypatch.setattr(Clients, "hear", _noting(kept, Clients.hear))
        for batch in range(30):
            deaf.send(Ping(tuple(f"{batch}-{number}" for number in range(400))))
            time.sleep(0.05)
            if kept:
                most = max(most, *(len(client.unsent) for client in kept[0]._clients.values()))
        assert most < 3000
        assert result_of(other, b"echo")
        assert eventually(lambda: bool(kept) and len(kept[0]) == 1, seconds=120)


def _noting(kept: list[Clients], hear: Callable[[Clients, bytes], bool]) -> Callable[[Clients, bytes], bool]:
    def noted(clients: Clients, client_id: bytes) -> bool:
        if not kept:
            kept.append(clients)
        return hear(clients, client_id)

    return noted


def test_more_jobs_than_a_heartbeat_can_name_are_refused_by_the_client_itself(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.link.MAX_OPEN_JOBS", 2)
    with Client(connection) as client:
        jobs = [client.submit(b"echo") for _ in range(2)]
        with pytest.raises(RelightifyError) as caught:
            client.submit(b"echo")
        assert caught.value.code == "queue_full"
        assert all(isinstance(list(client.messages(job))[-1], Result) for job in jobs)
