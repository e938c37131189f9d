"""The thread that talks to the backend, and starting one."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from blender_addon.link.jobs import Event, Failed
from blender_addon.link.line import BackendChoice, BackendLink
from blender_addon.link.process import (
    log_tail,
    remove_left_behind,
    start_backend,
    stop_backend,
    wait_for_connection,
)
from shared.errors import RelightifyError
from shared.messages import Error, JobProgress, Reconstruct, Result
from shared.private_files import Claim
from tests.backend.service.running import FAKES
from tests.blender import fake_backend
from tests.blender.fake_backend import FakeBackend

ROOT = Path(__file__).resolve().parents[3]

if sys.platform == "win32":
    pytest.skip("the stand-ins for Python are shell scripts", allow_module_level=True)


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[FakeBackend]:
    fake = FakeBackend(tmp_path / "connection.json")
    yield fake
    fake.close()


@pytest.fixture
def make_link() -> Iterator[Callable[[BackendChoice], BackendLink]]:
    links: list[BackendLink] = []

    def make(choice: BackendChoice) -> BackendLink:
        links.append(BackendLink(choice, "test"))
        return links[-1]

    yield make
    for link in links:
        link.close()
        assert not link.alive()


def stand_in(folder: Path, script: str) -> Path:
    """A program that stands in for the Python with the backend."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def first(link: BackendLink, kind: type, seconds: float = 15.0) -> Event:
    """The first event of a kind."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for event in link.events():
            if isinstance(event, kind):
                return event
        time.sleep(0.01)
    raise AssertionError(f"no {kind.__name__} came within {seconds} s")


def test_job_comes_back_with_its_result(backend: FakeBackend, make_link: Callable[..., BackendLink]) -> None:
    link = make_link(BackendChoice(connection_file=backend.path))
    link.submit(Reconstruct("j1", b"photo"))
    result = first(link, Result)
    assert isinstance(result, Result)
    assert result.job_id == "j1"


def test_cancel_reaches_the_backend(backend: FakeBackend, make_link: Callable[..., BackendLink]) -> None:
    backend.behaviour = fake_backend.stay_busy
    link = make_link(BackendChoice(connection_file=backend.path))
    link.submit(Reconstruct("j1", b"photo"))
    deadline = time.monotonic() + 10
    while not backend.requests and time.monotonic() < deadline:
        time.sleep(0.01)
    link.cancel("j1")
    error = first(link, Error)
    assert isinstance(error, Error)
    assert error.code == "cancelled"
    assert backend.cancelled == ["j1"]


def test_job_is_cancelled_at_once_while_the_backend_still_starts(
    tmp_path: Path, make_link: Callable[..., BackendLink], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELIGHTIFY_CACHE", str(tmp_path / "cache"))
    link = make_link(BackendChoice(python=stand_in(tmp_path, "exec sleep 60")))
    link.submit(Reconstruct("j1", b"photo"))
    link.cancel("j1")
    error = first(link, Error, seconds=1.0)
    assert isinstance(error, Error)
    assert error.code == "cancelled"


def test_missing_connection_file_is_said_with_a_hint(tmp_path: Path, make_link: Callable[..., BackendLink]) -> None:
    failed = first(make_link(BackendChoice(connection_file=tmp_path / "none.json")), Failed)
    assert isinstance(failed, Failed)
    assert failed.error.code == "no_connection_file"
    assert failed.error.hint


def test_python_without_the_backend_is_named(tmp_path: Path) -> None:
    python = stand_in(tmp_path, "echo \"python: No module named 'backend'\" >&2; exit 1")
    backend = start_backend(python, tmp_path / "runtime")
    with pytest.raises(RelightifyError) as caught:
        wait_for_connection(backend, lambda seconds: True)
    assert caught.value.code == "no_backend"
    assert str(python) in caught.value.message


def test_backend_that_dies_at_the_start_is_quoted(tmp_path: Path) -> None:
    backend = start_backend(stand_in(tmp_path, "echo starting; echo 'no disk space'; exit 3"), tmp_path / "runtime")
    with pytest.raises(RelightifyError, match="no disk space") as caught:
        wait_for_connection(backend, lambda seconds: True)
    assert caught.value.code == "backend_start"
    assert str(backend.log_file) in caught.value.hint
    assert log_tail(backend.log_file) == ["starting", "no disk space"]


def test_backend_that_crashes_at_the_start_is_said_to_have_crashed(tmp_path: Path) -> None:
    backend = start_backend(stand_in(tmp_path, "echo 'bad driver'; kill -SEGV $$"), tmp_path / "runtime")
    with pytest.raises(RelightifyError, match=r"crashed \(SIGSEGV\) .*bad driver"):
        wait_for_connection(backend, lambda seconds: True)


def test_waiting_ends_when_nobody_waits_any_more(tmp_path: Path) -> None:
    backend = start_backend(stand_in(tmp_path, "exec sleep 60"), tmp_path / "runtime")
    try:
        with pytest.raises(RelightifyError) as caught:
            wait_for_connection(backend, lambda seconds: seconds < 0.2)
        assert caught.value.code == "cancelled"
    finally:
        stop_backend(backend)
    assert not backend.running()


def test_backend_that_never_listens_is_given_up(tmp_path: Path) -> None:
    backend = start_backend(stand_in(tmp_path, "exec sleep 60"), tmp_path / "runtime")
    try:
        with pytest.raises(RelightifyError, match="did not start"):
            wait_for_connection(backend, lambda seconds: True, seconds=0.3)
    finally:
        stop_backend(backend)


def test_no_python_is_an_error_that_leads_to_the_preferences(tmp_path: Path) -> None:
    with pytest.raises(RelightifyError) as caught:
        start_backend(Path(""))
    assert caught.value.code == "no_python"
    assert "preferences" in caught.value.hint


def test_blenders_python_does_not_leak_into_the_backends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/blender")
    monkeypatch.setenv("PYTHONPATH", "/blender/modules")
    backend = start_backend(stand_in(tmp_path, 'echo "[$PYTHONHOME$PYTHONPATH] $@"'), tmp_path / "runtime")
    backend.process.wait(10)
    (line,) = log_tail(backend.log_file)
    assert line.startswith("[] -m backend.cli serve --connection-file")


# --- a backend that has ended, and what Blenders leave behind ---------------------------------------------------


def serving_stand_in(folder: Path) -> Path:
    """Stands in for the Python with the backend, and serves with the pipeline of the service's tests."""
    script = (
        f"export PYTHONPATH={ROOT}\nshift 3\n"
        f'exec {sys.executable} -P -m backend.service.cli --pipeline {FAKES}:create "$@"'
    )
    return stand_in(folder, script)


@pytest.mark.slow
@pytest.mark.parametrize("pause", [0.0, 0.5])
def test_line_whose_backend_has_ended_takes_no_new_job_and_another_starts_it_anew(
    tmp_path: Path, make_link: Callable[[BackendChoice], BackendLink], monkeypatch: pytest.MonkeyPatch, pause: float
) -> None:
    monkeypatch.setenv("RELIGHTIFY_CACHE", str(tmp_path / "cache"))
    choice = BackendChoice(python=serving_stand_in(tmp_path))
    link = make_link(choice)
    link.submit(Reconstruct("j1", b"echo"))
    first(link, Result, seconds=60)
    assert link.usable()
    assert link._backend is not None
    link._backend.process.kill()
    link._backend.process.wait()
    time.sleep(pause)
    assert not link.usable()
    link.leave()
    another = make_link(choice)
    another.submit(Reconstruct("j2", b"echo"))
    first(another, Result, seconds=60)


@pytest.mark.slow
def test_job_of_a_backend_that_ends_fails_at_once_with_the_log(
    tmp_path: Path, make_link: Callable[[BackendChoice], BackendLink], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELIGHTIFY_CACHE", str(tmp_path / "cache"))
    link = make_link(BackendChoice(python=serving_stand_in(tmp_path)))
    link.submit(Reconstruct("j1", b"sleep 60"))
    first(link, JobProgress, seconds=60)
    assert link.usable()
    assert link._backend is not None
    link._backend.process.kill()
    asked = time.monotonic()
    failed = first(link, Failed)
    assert time.monotonic() - asked < 1.5
    assert isinstance(failed, Failed)
    assert failed.error.code == "backend_lost"
    assert "backend.log" in failed.error.hint
    assert not link.usable()


def test_line_to_a_backend_that_was_replaced_takes_no_new_job(
    backend: FakeBackend, make_link: Callable[..., BackendLink], tmp_path: Path
) -> None:
    link = make_link(BackendChoice(connection_file=backend.path))
    link.submit(Reconstruct("j1", b"photo"))
    first(link, Result)
    assert link.usable()
    another = FakeBackend(tmp_path / "connection.json")
    assert not link.usable()
    another.close()


def test_backend_that_ends_late_leaves_the_files_of_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELIGHTIFY_CACHE", str(tmp_path / "cache"))
    python = stand_in(tmp_path, "echo started; exec sleep 60")
    old = start_backend(python)
    new = start_backend(python)
    try:
        new.connection_file.write_text("{}")
        stop_backend(old)
        assert new.running()
        assert new.connection_file.is_file()
        assert old.log_file != new.log_file
    finally:
        stop_backend(old)
        stop_backend(new)


def test_folders_of_backends_that_have_ended_are_removed(tmp_path: Path) -> None:
    def folder(name: str, minutes: float = 60.0) -> Path:
        made = tmp_path / name
        made.mkdir()
        (made / "backend.log").write_text("a line")
        then = time.time() - minutes * 60
        for path in (made / "backend.log", made):
            os.utime(path, (then, then))
        return made

    ended, young = folder("blender-4194999"), folder("blender-4194998", minutes=1)
    alive, other = folder(f"blender-{os.getppid()}-0a1b2c3d"), folder("blender-notes")
    earlier, running = folder(f"blender-{os.getpid()}-0a1b2c3d"), folder(f"blender-{os.getpid()}-4e5f6a7b")
    huge, held = folder(f"blender-{10**30}"), folder("blender-4194997")
    (tmp_path / "blender-4194996").symlink_to(other)
    claims = [Claim(path / ".connection.json.lock") for path in (held, running)]
    assert all(claim.take() for claim in claims)
    for path in (held / ".connection.json.lock", held, running / ".connection.json.lock", running):
        os.utime(path, (0, 0))
    remove_left_behind(tmp_path)
    assert not any(path.exists() for path in (ended, huge, earlier))
    assert all(path.exists() for path in (young, alive, other, held, running, tmp_path / "blender-4194996"))
    for claim in claims:
        claim.release()
