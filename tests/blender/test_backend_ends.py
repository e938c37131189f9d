"""A press of the button just after the backend has ended starts another one: no job goes onto the dead line."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BACKEND = os.environ.get("RELIGHTIFY_PYTHON", str(ROOT / ".venv" / "bin" / "python"))
BUILT = SimpleNamespace(warnings=())

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or not Path(BACKEND).is_file(), reason="a shell script starts the backend's Python"
)


def serving(folder: Path) -> Path:
    """Stands in for the Python with the backend; its pipeline does nothing."""
    path = folder / "python"
    pipeline = "tests.backend.service.fake_pipeline:create"
    path.write_text(
        f"#!/bin/sh\nexport PYTHONPATH={ROOT}\nshift 3\n"
        f'exec {BACKEND} -P -m backend.service.cli --pipeline {pipeline} "$@"\n'
    )
    path.chmod(0o755)
    return path


def finished(session: Any, seconds: float = 300.0) -> Any:
    deadline = time.monotonic() + seconds
    while not session.job.ended:
        assert time.monotonic() < deadline, f"waited in vain, the job is {session.job}"
        session.pump()
        time.sleep(0.02)
    return session.job


@pytest.mark.parametrize("pause", [0.0, 0.5, 3.0])
def test_press_after_the_backend_has_ended_starts_it_anew(addon: SimpleNamespace, tmp_path: Path, pause: float) -> None:
    line, shared = sys.modules[addon.link.session.BackendLink.__module__], addon._shared
    session = addon.link.session.Session("test", lambda: None, lambda result: None)
    choice = line.BackendChoice(python=serving(tmp_path))
    try:
        session.start(choice, shared.Reconstruct("j1", b"echo"), "one", lambda job, result, prepared: BUILT)
        assert finished(session).error is None
        backend = session._link._backend
        backend.process.kill()
        backend.process.wait()
        time.sleep(pause)
        session.start(choice, shared.Reconstruct("j2", b"echo"), "two", lambda job, result, prepared: BUILT)
        job = finished(session)
        assert (job.job_id, job.error) == ("j2", None)
    finally:
        session.release()
        session.wait_for_release()


def test_press_while_a_job_is_on_a_dead_line_is_not_refused(addon: SimpleNamespace, tmp_path: Path) -> None:
    line, shared = sys.modules[addon.link.session.BackendLink.__module__], addon._shared
    session = addon.link.session.Session("test", lambda: None, lambda result: None)
    choice = line.BackendChoice(python=serving(tmp_path))
    try:
        session.start(choice, shared.Reconstruct("j1", b"sleep 60"), "one", lambda job, result, prepared: BUILT)
        deadline = time.monotonic() + 300
        while session.job.fraction == 0 and time.monotonic() < deadline:
            session.pump()
            time.sleep(0.02)
        session._link._backend.process.kill()
        session._link._backend.process.wait()
        session.start(choice, shared.Reconstruct("j2", b"echo"), "two", lambda job, result, prepared: BUILT)
        assert finished(session).job_id == "j2"
        assert session.job.error is None
    finally:
        session.release()
        session.wait_for_release()
