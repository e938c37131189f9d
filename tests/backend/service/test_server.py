"""What clients can expect of a server, over real sockets and with real worker processes."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zmq

from backend.service.client import Client
from shared.connection import Connection
from shared.corrections import Correction, Corrections
from shared.errors import RelightifyError
from shared.link import HEARTBEAT_SECONDS
from shared.messages import (
    Cancel,
    Error,
    Hello,
    JobProgress,
    Ping,
    Pong,
    Queued,
    Reconstruct,
    Result,
    Welcome,
)
from shared.options import JobOptions
from shared.protocol import PROTOCOL_VERSION, decode, encode
from shared.refit_messages import Refit, Refitted
from tests.backend.service.breakable_line import breakable_line
from tests.backend.service.running import error_of, raw_client, result_of, running_server
from tests.shared.example_fit import example_state
from tests.shared.example_mesh import example_mesh


def test_a_job_comes_back_with_mesh_maps_info_and_warnings(connection: Connection) -> None:
    with Client(connection) as client:
        *_, result = client.reconstruct(b"large", JobOptions(seed=7))
    assert isinstance(result, Result)
    expected = example_mesh(vertices=4000)
    assert np.array_equal(result.mesh.expression_offsets, expected.expression_offsets)
    assert {name: len(png) for name, png in result.maps.items()} == {"diffuse_albedo": 2**22, "normal": 2**22}
    assert (result.info["seed"], result.info["bytes"], result.info["device"]) == (7, 5, "cpu")
    assert result.warnings == ("This head is not real.",)


def test_photos_of_one_person_reach_the_worker_in_order_with_their_faces(connection: Connection) -> None:
    with Client(connection) as client:
        *_, result = client.reconstruct(b"front", further=(b"left", b"right"), further_faces=(None, 1))
    assert isinstance(result, Result)
    assert result.info["photos"] == ["front", "left", "right"]
    assert result.info["further_faces"] == [None, 1]


def test_progress_comes_with_stage_preview_and_the_time_left(connection: Connection) -> None:
    with Client(connection) as client:
        reports = [m for m in client.reconstruct(b"sleep 1") if isinstance(m, JobProgress)]
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions)
    assert {"Starting", "Sleeping"} <= {report.stage for report in reports}
    previews = [report.preview for report in reports if report.preview is not None]
    assert previews
    assert all(preview.shape == (40, 60, 3) for preview in previews)
    estimates = [r.seconds_left for r in reports if r.stage == "Sleeping" and r.seconds_left is not None]
    assert estimates
    assert max(estimates) < 1.0


def test_the_server_says_what_its_worker_can_do(connection: Connection) -> None:
    with Client(connection) as client:
        client.wait_until_ready()
        assert client.welcome.qualities == ("baseline",)
        assert (client.welcome.devices, client.welcome.device) == (("cpu",), "cpu")


def test_hello_is_answered_and_jobs_are_taken_while_the_models_load(cache: Path) -> None:
    with running_server("create_slowly") as connection, Client(connection) as client:
        assert client.welcome.worker == "warming_up"
        messages = list(client.reconstruct(b"echo"))
        assert messages[0] == Queued(messages[0].job_id, 0, "warming_up")
        assert isinstance(messages[-1], Result)


# --- who is let in ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wrong", "code"), [("client", "access_denied"), ("server", "no_answer")])
def test_wrong_keys_are_not_let_in(connection: Connection, wrong: str, code: str) -> None:
    public, secret = (key.decode() for key in zmq.curve_keypair())
    if wrong == "client":
        stranger = replace(connection, client_public_key=public, client_secret_key=secret)
    else:
        stranger = replace(connection, server_public_key=public)
    with pytest.raises(RelightifyError) as caught:
        Client(stranger, lost_after=0.5)
    assert caught.value.code == code


def test_a_client_without_curve_gets_no_answer(connection: Connection) -> None:
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(connection.endpoint)
        socket.send_multipart(encode(Hello("plain")))  # type: ignore[arg-type]
        assert not socket.poll(300)


def test_an_older_client_is_told_to_update(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.protocol.PROTOCOL_VERSION", PROTOCOL_VERSION - 1)
    hello = encode(Hello("old"))
    monkeypatch.undo()
    with raw_client(connection) as client:
        client.socket.send_multipart(hello)
        error = client.receive(Error)
    assert error.code == "version_mismatch"
    assert "add-on" in error.hint


def test_faces_are_found_for_the_user_to_choose_from(connection: Connection) -> None:
    with Client(connection) as client:
        found = client.detect(b"two people")
        assert found.problems == ("", "Too small.")
        assert found.thumbnails.shape == (2, 16, 16, 3)
        with pytest.raises(RelightifyError) as caught:
            client.detect(b"empty")
        assert caught.value.code == "no_face"
        assert result_of(client, b"echo"), "and jobs go on"


# --- malformed --------------------------------------------------------------------------------------------------


def test_garbage_is_answered_with_an_error_and_the_server_lives_on(connection: Connection) -> None:
    random = np.random.default_rng(0)
    with raw_client(connection) as client:
        for count in range(100):
            client.socket.send_multipart([random.bytes(int(random.integers(1, 300))) for _ in range(1 + count % 4)])
        for _ in range(100):
            assert client.receive(Error).code == "protocol"
        client.send(Hello("reformed"))
        client.receive(Welcome)
    with Client(connection) as other:
        assert result_of(other, b"echo")


def test_a_message_over_the_size_limit_does_not_reach_the_server(cache: Path) -> None:
    with running_server(max_photo_bytes=2**20) as connection:
        with raw_client(connection) as client:
            client.send(Hello("greedy"))
            while (welcome := client.receive(Welcome)).worker != "ready":
                continue
            assert welcome.max_photo_bytes == 2**20
            client.socket.send_multipart([b"x", bytes(3 * 2**20)])
            with pytest.raises(AssertionError, match="no Error"):
                client.receive(Error, 0.3)
        with Client(connection) as other:
            assert result_of(other, b"echo")


def test_who_has_not_said_hello_is_told_so(connection: Connection) -> None:
    with raw_client(connection) as client:
        client.send(Ping())
        assert client.receive(Error).code == "unknown_client"


def test_the_same_job_id_twice_is_an_error_but_not_between_clients(connection: Connection) -> None:
    with raw_client(connection) as one, raw_client(connection) as other:
        for client in (one, other):
            client.send(Hello("x"))
            client.send(Reconstruct("same", b"sleep 0.2"))
        one.send(Reconstruct("same", b"sleep 0.2"))
        assert one.receive(Error).code == "protocol"
        for client in (one, other):
            assert client.receive(Result).job_id == "same"


# --- order and cancelling ---------------------------------------------------------------------------------------


def test_jobs_of_two_clients_run_in_order_and_know_their_places(connection: Connection) -> None:
    with raw_client(connection) as first, raw_client(connection) as second:
        for client in (first, second):
            client.send(Hello("x"))
            client.receive(Welcome)
        first.send(Reconstruct("a", b"sleep 0.3"))
        assert first.receive(Queued).ahead == 0
        first.receive(JobProgress)
        second.send(Reconstruct("b", b"sleep 0.3"))
        assert second.receive(Queued).ahead == 1
        first.send(Reconstruct("c", b"echo"))
        assert first.receive(Queued).ahead == 2
        assert first.receive(Result).job_id == "a"
        assert first.receive(Queued).ahead == 1
        assert not first.socket.poll(100)  # c waits for b
        assert second.receive(Result).job_id == "b"
        assert first.receive(Result).job_id == "c"


def test_a_running_job_is_cancelled_within_a_second(connection: Connection) -> None:
    with Client(connection) as client:
        job_id = client.submit(b"sleep 20")
        messages = client.messages(job_id)
        assert any(isinstance(message, JobProgress) for message in messages)
        client.cancel(job_id)
        asked = time.monotonic()
        with pytest.raises(RelightifyError) as caught:
            list(messages)
        assert caught.value.code == "cancelled"
        assert time.monotonic() - asked < 0.5
        assert result_of(client, b"echo")


def test_a_waiting_job_is_cancelled_at_once(connection: Connection) -> None:
    with raw_client(connection) as client:
        client.send(Hello("x"))
        client.send(Reconstruct("running", b"sleep 0.5"))
        client.send(Reconstruct("waiting", b"echo"))
        client.send(Cancel("waiting"))
        error = client.receive(Error, 0.4)
        assert (error.code, error.job_id) == ("cancelled", "waiting")
        assert client.receive(Result).job_id == "running"


def test_a_worker_deaf_to_a_cancel_does_not_keep_the_client_waiting_and_is_started_anew(cache: Path) -> None:
    with running_server(cancel_kill=1.0) as connection, raw_client(connection) as client:
        client.send(Hello("x"))
        client.send(Reconstruct("before", b"echo"))
        before = client.receive(Result).info["pid"]
        client.send(Reconstruct("deaf", b"hang 30"))
        client.receive(JobProgress)
        asked = time.monotonic()
        client.send(Cancel("deaf"))
        assert client.receive(Error).code == "cancelled"
        assert time.monotonic() - asked < 1.0
        client.send(Reconstruct("after", b"echo"))
        assert client.receive(Result).info["pid"] != before


def test_leaving_the_loop_over_messages_cancels_the_job(connection: Connection) -> None:
    with Client(connection) as client:
        for message in client.reconstruct(b"sleep 20"):
            if isinstance(message, JobProgress):
                break
        start = time.monotonic()
        assert result_of(client, b"echo")
        assert time.monotonic() - start < 1.0


# --- lost clients and broken lines ------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["line breaks", "falls silent"])
def test_a_lost_clients_jobs_are_dropped(cache: Path, how: str) -> None:
    with (
        # Longer than a heartbeat, or the other client would be given up too.
        running_server(client_unreachable=0.3, client_silent=3 * HEARTBEAT_SECONDS) as connection,
        raw_client(connection) as lost,
    ):
        lost.send(Hello("lost"))
        lost.send(Reconstruct("running", b"sleep 20"))
        lost.send(Reconstruct("waiting", b"sleep 20"))
        # Until its job is under way, which takes a worker to start, the client is alive.
        while not (lost.socket.poll(100) and isinstance(decode(lost.socket.recv_multipart()), JobProgress)):
            lost.send(Ping(("running", "waiting")))
        if how == "line breaks":
            lost.socket.disconnect(connection.endpoint)
        start = time.monotonic()
        with Client(connection) as client:
            assert result_of(client, b"echo")
        assert time.monotonic() - start < 10.0, "the other's jobs of 20 seconds were done first"


def test_a_client_that_was_given_up_is_told_when_it_comes_back(cache: Path) -> None:
    with running_server(client_silent=0.3) as connection, raw_client(connection) as client:
        client.send(Hello("sleepy"))
        client.receive(Welcome)
        time.sleep(0.6)
        client.send(Ping())
        assert client.receive(Error).code == "unknown_client"


def test_a_client_that_slept_loses_its_job_with_a_word_and_goes_on(cache: Path) -> None:
    with running_server(client_silent=2.0) as connection, Client(connection) as client:
        client.wait_until_ready()
        lost = client.submit(b"sleep 20")
        time.sleep(3.0)  # nothing is sent meanwhile, as by a stopped process
        with pytest.raises(RelightifyError) as caught:
            list(client.messages(lost))
        assert caught.value.code == "job_lost"
        assert result_of(client, b"echo")


@pytest.mark.parametrize("in_flight", ["nothing", "the result", "the job"])
def test_a_line_that_breaks_for_a_moment_loses_no_job_unnoticed(connection: Connection, in_flight: str) -> None:
    with (
        breakable_line(connection.port) as line,
        Client(replace(connection, port=line.port)) as client,
    ):
        line.swallowing = in_flight == "the job"
        messages = client.reconstruct(b"sleep 0.4")
        if in_flight != "the job":
            assert any(isinstance(message, JobProgress) for message in messages)
            line.swallowing = in_flight == "the result"
        if in_flight == "nothing":
            line.cut()
        time.sleep(0.6)
        line.cut()
        line.swallowing = False
        if in_flight == "the job":
            with pytest.raises(RelightifyError) as caught:
                list(messages)
            assert caught.value.code == "job_lost"
        else:
            assert isinstance(list(messages)[-1], Result)


def test_heartbeats_are_answered_at_once_during_a_busy_job(connection: Connection) -> None:
    with raw_client(connection) as client:
        client.send(Hello("x"))
        client.send(Reconstruct("busy", b"hang 1"))
        client.receive(JobProgress)
        waits = []
        for _ in range(10):
            start = time.monotonic()
            client.send(Ping())
            assert client.receive(Pong).worker == "busy"
            waits.append(time.monotonic() - start)
        assert max(waits) < 0.3
        client.receive(Result)


# --- failures ---------------------------------------------------------------------------------------------------


def test_an_error_of_the_pipeline_reaches_the_user_as_it_is(connection: Connection) -> None:
    with Client(connection) as client:
        error = error_of(client, b"error")
    assert (error.code, error.message, error.hint) == (
        "no_face", "There is no face in this photo.", "Choose another photo.",
    )  # fmt: skip


def test_an_unforeseen_error_names_the_log_that_holds_the_traceback(connection: Connection, cache: Path) -> None:
    with Client(connection) as client:
        error = error_of(client, b"raise")
        assert result_of(client, b"echo")
    assert error.code == "internal"
    assert "secret" not in str(error)
    log = cache / "logs" / "test-worker.log"
    assert str(log) in error.hint
    assert "ZeroDivisionError: secret details" in log.read_text()


def test_out_of_memory_is_said_so_and_the_next_job_works(connection: Connection) -> None:
    with Client(connection) as client:
        assert error_of(client, b"memory").code == "out_of_memory"
        assert result_of(client, b"echo")


@pytest.mark.parametrize("end", ["exit", "abort", "kill"])
def test_a_worker_that_dies_in_a_job_is_an_error_and_the_next_job_works(connection: Connection, end: str) -> None:
    with Client(connection) as client:
        before = result_of(client, b"echo").info["pid"]
        error = error_of(client, end.encode())
        assert error.code == "worker_died"
        assert ("memory" in error.message) == (end != "exit")
        assert result_of(client, b"echo").info["pid"] != before


def test_a_worker_that_cannot_start_fails_each_job_with_its_reason(cache: Path) -> None:
    with running_server("create_never") as connection, Client(connection) as client:
        for _ in range(2):
            error = error_of(client, b"echo")
            assert (error.code, error.hint) == ("model_unavailable", "Go online.")
        assert client.welcome.worker == "stopped"


def test_a_worker_process_that_cannot_be_made_is_an_error(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_server() as connection, Client(connection) as client:
        client.wait_until_ready()
        monkeypatch.setattr("sys.executable", str(cache / "gone"))
        assert error_of(client, b"exit").code == "worker_died"
        assert error_of(client, b"echo").code == "worker_start"
        monkeypatch.undo()
        assert result_of(client, b"echo")


def test_a_worker_that_dies_at_its_start_is_not_started_over_and_over(cache: Path) -> None:
    with running_server("create_dead") as connection, Client(connection) as client:
        error = error_of(client, b"echo")
        assert error.code == "worker_died"
        assert client.welcome.worker == "stopped"
        assert "last words on cpu" in (cache / "logs" / "test-worker-output.log").read_text()


def test_the_end_of_the_server_is_told_to_those_who_wait(cache: Path) -> None:
    with running_server() as connection, raw_client(connection) as client, Client(connection) as other:
        client.send(Hello("x"))
        client.send(Reconstruct("running", b"sleep 20"))
        client.send(Reconstruct("waiting", b"sleep 20"))
        client.receive(JobProgress)
        other.shutdown()
        errors = [client.receive(Error) for _ in range(2)]
    assert {(error.job_id, error.code) for error in errors} == {
        ("running", "backend_ended"), ("waiting", "backend_ended"),
    }  # fmt: skip


def test_a_head_is_refitted_and_a_job_takes_corrections_along(connection: Connection) -> None:
    corrections = Corrections((Correction((3.0, 4.0), handle="chin"),))
    with Client(connection) as client:
        assert client.refit(example_state(), corrections).handle_names.tolist() == ["chin", "ear lobe left"]
        *_, result = client.messages(client.submit(b"echo", corrections=corrections))
        assert isinstance(result, Result)
        assert result.info["corrections"] == corrections.plain()


def test_of_waiting_refits_of_a_client_the_newest_wins(connection: Connection) -> None:
    with raw_client(connection) as client, raw_client(connection) as other:
        for each in (client, other):
            each.send(Hello("x"))
        client.send(Reconstruct("busy", b"sleep 0.5"))
        client.receive(JobProgress)
        other.send(Refit("old", example_state()))
        for job_id in ("old", "newer", "newest"):
            client.send(Refit(job_id, example_state()))
        gone = [client.receive(Error, 0.4) for _ in range(2)]
        assert [(error.code, error.job_id) for error in gone] == [("cancelled", "old"), ("cancelled", "newer")]
        assert client.receive(Result).job_id == "busy"
        assert client.receive(Refitted).job_id == "newest"
        assert other.receive(Refitted).job_id == "old"


def test_refits_do_not_tell_everybody_that_the_worker_is_busy(connection: Connection) -> None:
    with Client(connection) as client, raw_client(connection) as other:
        client.wait_until_ready()
        other.send(Hello("x"))
        other.receive(Welcome)
        for _ in range(3):
            client.refit(example_state(), Corrections())
        assert not other.socket.poll(200)
