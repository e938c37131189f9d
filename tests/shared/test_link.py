"""A client's end of the line, against a server that the test plays by hand."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
import zmq

from shared import link as link_module
from shared.connection import Connection
from shared.errors import RelightifyError
from shared.link import Link
from shared.messages import Cancel, Error, Hello, JobProgress, Message, Ping, Pong, Queued, Reconstruct, Welcome
from shared.protocol import PROTOCOL_VERSION, decode, encode


@dataclass
class PlayedServer:
    """A ROUTER that does what the test says."""

    socket: zmq.Socket
    connection: Connection
    client: bytes = b""

    def receive(self, kind: type[Message]) -> Message:
        """The client's next message of one kind; others are passed over."""
        while self.socket.poll(3000):
            self.client, *frames = self.socket.recv_multipart()
            message = decode(frames, "client")
            if isinstance(message, kind):
                return message
        raise AssertionError(f"no {kind.__name__} came")

    def send(self, message: Message) -> None:
        self.socket.send_multipart([self.client, *encode(message)])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedServer]:
    monkeypatch.setattr(link_module, "HEARTBEAT_SECONDS", 0.1)
    public, secret = zmq.curve_keypair()
    client_public, client_secret = (key.decode() for key in zmq.curve_keypair())
    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.curve_server, socket.curve_secretkey = True, secret
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        connection = Connection("127.0.0.1", port, public.decode(), client_public, client_secret, os.getpid(), "now")
        yield PlayedServer(socket, connection)


@contextmanager
def greeted_link(server: PlayedServer, lost_after: float = 5.0) -> Iterator[Link]:
    link = Link(server.connection, "test", lost_after)
    try:
        server.receive(Hello)
        server.send(Welcome("played", "ready"))
        assert isinstance(link.receive(3.0), Welcome)
        yield link
    finally:
        link.close()


def test_the_welcome_and_the_workers_state_are_kept(server: PlayedServer) -> None:
    with greeted_link(server) as link:
        assert link.welcome == Welcome("played", "ready")
        server.send(Pong("busy"))
        assert link.receive(0.1) is None
        assert link.worker == "busy"


def test_pings_name_the_jobs_that_are_not_over(server: PlayedServer) -> None:
    with greeted_link(server) as link:
        for job_id in ("a", "b"):
            link.send(Reconstruct(job_id, b"photo"))
        assert link.receive(0.15) is None
        assert server.receive(Ping) == Ping(("a", "b"))
        server.send(Error("no_face", "There is no face.", job_id="a"))
        assert link.receive(1.0) == Error("no_face", "There is no face.", job_id="a")
        assert link.receive(0.15) is None
        assert server.receive(Ping) == Ping(("b",))


def test_what_comes_after_a_jobs_end_is_kept_from_the_user(server: PlayedServer) -> None:
    with greeted_link(server) as link:
        link.send(Reconstruct("a", b"photo"))
        link.send(Reconstruct("b", b"photo"))
        end = Error("cancelled", "The job was cancelled.", job_id="a")
        for message in (
            end,
            end,
            JobProgress("a", "fit", 0.5),
            Queued("unheard-of", 0, "busy"),
            Queued("b", 0, "busy"),
        ):
            server.send(message)
        assert link.receive(1.0) == end
        assert link.receive(1.0) == Queued("b", 0, "busy")


def test_an_error_that_belongs_to_no_job_is_raised(server: PlayedServer) -> None:
    with greeted_link(server) as link:
        link.send(Cancel("a"))
        server.send(Error("internal", "Something went wrong."))
        with pytest.raises(RelightifyError, match="Something went wrong"):
            link.receive(1.0)


def test_a_client_that_slept_and_was_given_up_greets_again_once(server: PlayedServer) -> None:
    with greeted_link(server) as link:
        for _ in range(3):  # each heartbeat that it sent meanwhile is answered so
            server.send(Error("unknown_client", "Who are you?"))
        assert link.receive(0.3) is None
        server.receive(Hello)
        server.send(Welcome("played", "ready"))
        assert isinstance(link.receive(1.0), Welcome)
        server.send(Error("unknown_client", "Who are you?"))
        assert link.receive(0.3) is None
        server.receive(Hello)


def test_a_server_of_another_version_says_which_side_to_update(server: PlayedServer) -> None:
    link = Link(server.connection, "test")
    server.receive(Hello)
    frames = encode(Welcome("played", "ready"))
    header = bytes(frames[0]).replace(
        b"\xa8protocol" + bytes([PROTOCOL_VERSION]), b"\xa8protocol" + bytes([PROTOCOL_VERSION + 1])
    )
    server.socket.send_multipart([server.client, header])
    with pytest.raises(RelightifyError) as caught:
        link.receive(1.0)
    link.close()
    assert caught.value.code == "version_mismatch"
    assert "add-on" in caught.value.hint


def test_a_server_that_falls_silent_is_lost(server: PlayedServer) -> None:
    with greeted_link(server, lost_after=0.4) as link:
        started = time.monotonic()
        with pytest.raises(RelightifyError) as caught:
            link.receive(3.0)
        assert caught.value.code == "backend_lost"
        assert time.monotonic() - started < 1.0


def test_a_server_whose_process_has_ended_is_lost_sooner(server: PlayedServer) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    server.connection = replace(server.connection, pid=ended.pid)
    with greeted_link(server, lost_after=60.0) as link, pytest.raises(RelightifyError, match="has ended"):
        link.receive(2.0)


def test_a_pause_of_the_client_itself_is_not_taken_for_the_servers_silence(server: PlayedServer) -> None:
    with greeted_link(server, lost_after=0.4) as link:
        time.sleep(0.6)
        assert link.receive(0.0) is None
