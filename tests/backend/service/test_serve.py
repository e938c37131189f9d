"""`relightify serve` as a process: its connection file, and that it leaves nothing behind, however it ends."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend.service.cli import is_loopback, reachable_host
from backend.service.client import Client
from shared.connection import Connection, read_connection
from shared.paths import CACHE_VARIABLE
from shared.processes import process_alive
from shared.protocol import PROTOCOL_VERSION
from tests.backend.service.running import FAKES, eventually, result_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "backend.service.cli", "--pipeline", f"{FAKES}:create", *arguments]


def environment(cache: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), CACHE_VARIABLE: str(cache), "HOME": str(cache.parent / "home")}


@contextmanager
def serve(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A server process that has said it is ready; its working folder is `folder`/work."""
    for name in ("work", "home"):
        (folder / name).mkdir(exist_ok=True)
    process = subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder / "work",
        env=environment(folder / "cache"),
        # A test run in the background of a shell inherits SIGINT as ignored; a server at a terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    with process, process.stdout:
        try:
            assert "connection.json" in process.stdout.readline()
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def connection_of(folder: Path) -> tuple[Path, Connection]:
    path = folder / "cache" / "runtime" / "connection.json"
    return path, read_connection(path)


def worker_of(connection: Connection) -> int:
    with Client(connection) as client:
        return result_of(client, b"echo").info["pid"]


def test_the_connection_file_is_the_owners_alone_and_goes_with_the_server(tmp_path: Path) -> None:
    with serve(tmp_path) as process:
        path, connection = connection_of(tmp_path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert (connection.host, connection.pid) == ("127.0.0.1", process.pid)
        worker = worker_of(connection)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert not path.exists()
        assert not process_alive(worker)


def test_a_client_can_end_the_server(tmp_path: Path) -> None:
    with serve(tmp_path) as process:
        path, connection = connection_of(tmp_path)
        worker = worker_of(connection)
        with Client(connection) as client:
            client.shutdown()
        assert process.wait(20) == 0
        assert not path.exists()
        assert not process_alive(worker)


def test_an_interrupt_during_a_job_leaves_no_process(tmp_path: Path) -> None:
    with serve(tmp_path) as process:
        _, connection = connection_of(tmp_path)
        worker = worker_of(connection)
        with Client(connection) as client:
            client.submit(b"hang 60")
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        assert not process_alive(worker)


def test_a_killed_server_takes_its_worker_with_it(tmp_path: Path) -> None:
    with serve(tmp_path) as process:
        worker = worker_of(connection_of(tmp_path)[1])
        process.kill()
        process.wait(20)
        assert eventually(lambda: not process_alive(worker))


def test_the_server_ends_with_the_process_that_it_belongs_to(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with serve(tmp_path, "--parent-pid", str(parent.pid)) as process:
        time.sleep(0.5)
        assert process.poll() is None
        parent.kill()  # not waited for: a dead parent that nobody has reaped is gone all the same
        assert process.wait(3) == 0
    parent.wait()


def test_an_idle_server_ends_by_itself_where_asked_to(tmp_path: Path) -> None:
    with serve(tmp_path, "--idle-exit", "0.3") as process:
        with Client(connection_of(tmp_path)[1]):
            time.sleep(0.7)
            assert process.poll() is None
        assert process.wait(3) == 0


def test_a_second_server_does_not_take_the_connection_file_of_a_running_one(tmp_path: Path) -> None:
    with serve(tmp_path):
        path, connection = connection_of(tmp_path)
        second = subprocess.run(
            command(), capture_output=True, text=True, env=environment(tmp_path / "cache"), check=False
        )
        assert second.returncode == 1
        assert "already_running" in second.stderr
        assert read_connection(path) == connection


def test_a_connection_file_left_by_a_killed_server_does_not_keep_the_next_from_starting(tmp_path: Path) -> None:
    with serve(tmp_path) as process:
        old = connection_of(tmp_path)[1]
        process.kill()
    with serve(tmp_path):
        assert connection_of(tmp_path)[1].server_public_key != old.server_public_key


def test_with_kept_keys_a_copied_connection_file_outlives_the_server(tmp_path: Path) -> None:
    keys = str(tmp_path / "keys.json")
    with serve(tmp_path, "--keys", keys) as process:
        copied = connection_of(tmp_path)[1]
        process.terminate()
        process.wait(20)
    with serve(tmp_path, "--keys", keys, "--port", str(copied.port)), Client(copied) as client:
        assert result_of(client, b"echo")


def test_the_server_writes_nothing_outside_its_cache_folder(tmp_path: Path) -> None:
    with serve(tmp_path) as process:
        worker_of(connection_of(tmp_path)[1])
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    written = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {"cache"}


def test_starting_the_server_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'cv2', 'scipy', 'mediapipe'}"
    code = f"import sys, backend.service.cli; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("arguments", [["--port", "99999"], ["--listen", "192.0.2.99"], ["--device", "abacus"]])
def test_an_address_port_or_device_that_is_not_there_is_an_error(tmp_path: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        env=environment(tmp_path / "cache"),
        check=False,
        timeout=20,
    )
    assert done.returncode != 0
    assert arguments[0] in done.stderr or arguments[1] in done.stderr
    assert not (tmp_path / "runtime" / "connection.json").exists()


@pytest.mark.parametrize(("listen", "expected"), [("127.0.0.1", "127.0.0.1"), ("192.0.2.7", "192.0.2.7")])
def test_the_connection_file_names_the_address_that_was_chosen(listen: str, expected: str) -> None:
    assert reachable_host(listen) == expected


def test_the_connection_file_never_names_all_addresses() -> None:
    assert reachable_host("0.0.0.0") not in ("0.0.0.0", "")


# --- one server, whatever lies in its place ---------------------------------------------------------------------


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(folder / "cache"),
    )


def test_of_four_servers_started_at_once_one_serves(tmp_path: Path) -> None:
    started = [start(tmp_path) for _ in range(4)]
    try:
        first_lines = [process.stdout.readline() if process.stdout else "" for process in started]
        ready = [process for process, line in zip(started, first_lines, strict=True) if "is ready" in line]
        assert len(ready) == 1
        assert sum("already_running" in line for line in first_lines) == 3
        connection = connection_of(tmp_path)[1]
        assert connection.pid == ready[0].pid
        assert worker_of(connection)
    finally:
        for process in started:
            process.terminate()
            process.wait(20)
            if process.stdout is not None:
                process.stdout.close()
    assert not (tmp_path / "cache" / "runtime" / ".connection.json.lock").exists()


def bad_connections() -> dict[str, bytes]:
    good = {"protocol": PROTOCOL_VERSION, "host": "127.0.0.1", "port": 9, "pid": os.getpid(), "created": ""}
    keys = {"server_public_key": "s" * 40, "client_public_key": "c" * 40, "client_secret_key": "x" * 40}
    return {
        "no key text": json.dumps({**good, **keys, "server_public_key": "\u00e9" * 40}).encode(),
        "keys that do not fit": json.dumps({**good, **keys}).encode(),
        "a huge pid": json.dumps({**good, **keys, "pid": 2**80}).encode(),
        "deep JSON": b"[" * 50_000,
        "a strange host": json.dumps({**good, **keys, "host": "\n/nowhere:::"}).encode(),
        "another version": json.dumps({**good, **keys, "protocol": 999}).encode(),
        "nothing": b"",
    }


@pytest.mark.parametrize("what", [*bad_connections(), "a pipe", "a link"])
def test_connection_file_that_cannot_be_used_is_replaced_and_that_is_logged(tmp_path: Path, what: str) -> None:
    path = tmp_path / "cache" / "runtime" / "connection.json"
    path.parent.mkdir(parents=True)
    if what == "a pipe":
        os.mkfifo(path, 0o600)
    elif what == "a link":
        (tmp_path / "precious").write_text("do not lose this")
        path.symlink_to(tmp_path / "precious")
    else:
        path.write_bytes(bad_connections()[what])
        path.chmod(0o600)
    with serve(tmp_path) as process:
        assert connection_of(tmp_path)[1].pid == process.pid
    log = (tmp_path / "cache" / "logs" / "serve-server.log").read_text()
    assert "replaced" in log
    if what == "a link":
        assert (tmp_path / "precious").read_text() == "do not lose this"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--idle-exit", "nan"),
        ("--idle-exit", "inf"),
        ("--idle-exit", "-1"),
        ("--parent-pid", "-1"),
        ("--parent-pid", str(2**70)),
        ("--port", "-1"),
    ],
)
def test_number_that_makes_no_sense_is_refused(tmp_path: Path, arguments: tuple[str, str]) -> None:
    done = subprocess.run(
        command(*arguments), capture_output=True, text=True, env=environment(tmp_path), check=False, timeout=20
    )
    assert done.returncode == 2
    assert arguments[0] in done.stderr
    assert "Traceback" not in done.stderr


def test_logs_and_runtime_files_are_the_owners_alone_and_no_link_is_followed(tmp_path: Path) -> None:
    logs = tmp_path / "cache" / "logs"
    logs.mkdir(parents=True)
    precious = tmp_path / "precious"
    precious.write_text("do not lose this")
    names = ("server", "worker", "worker-output")
    for name in names:
        (logs / f"serve-{name}.log").symlink_to(precious)
    old = os.umask(0)
    try:
        with serve(tmp_path):
            worker_of(connection_of(tmp_path)[1])
            assert precious.read_text() == "do not lose this"
            assert all(not (logs / f"serve-{name}.log").is_symlink() for name in names)
            files = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
            assert len(files) >= 4
            assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    finally:
        os.umask(old)


# --- open to the network ----------------------------------------------------------------------------------------


def test_connections_that_never_shake_hands_keep_nobody_out(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4096:
        pytest.skip("this machine lets nobody open so many")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, hard))
    idle: list[socket.socket] = []
    try:
        with serve(tmp_path) as process:
            connection = connection_of(tmp_path)[1]
            for _ in range(1100):
                idle.append(socket.create_connection(("127.0.0.1", connection.port), timeout=10))
            began = time.monotonic()
            with Client(connection) as client:
                assert result_of(client, b"echo")
            assert time.monotonic() - began < 20
            if sys.platform.startswith("linux"):
                held = Path(f"/proc/{process.pid}/fd")
                assert eventually(lambda: len(list(held.iterdir())) < 200, 30), "they are not let go of"
    finally:
        for line in idle:
            line.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_listening_to_others_is_warned_of(tmp_path: Path) -> None:
    with serve(tmp_path, "--listen", "0.0.0.0") as process:
        assert process.stdout is not None
        warning = process.stdout.readline()
        assert "Warning" in warning
        assert "every machine" in warning
        assert "connection.json" in warning
    assert "every machine" in (tmp_path / "cache" / "logs" / "serve-server.log").read_text()


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        *((name, True) for name in ("127.0.0.1", "127.8.8.8", "::1", "localhost")),
        *((name, False) for name in ("0.0.0.0", "::", "*", "192.0.2.7", "workstation")),
    ],
)
def test_only_loopback_is_not_warned_of(listen: str, expected: bool) -> None:
    assert is_loopback(listen) == expected
