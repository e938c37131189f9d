"""The thread that talks to the backend, and starting one."""

from __future__ import annotations

import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from blender_addon.link.jobs import Event, Failed
from blender_addon.link.line import BackendChoice, BackendLink
from blender_addon.link.process import log_tail, start_backend, stop_backend, wait_for_connection
from shared.errors import RelightifyError
from shared.messages import Error, Reconstruct, Result
from tests.blender import fake_backend
from tests.blender.fake_backend import FakeBackend

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
