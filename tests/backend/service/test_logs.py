"""The service's logs must not get into the way of its work."""

from __future__ import annotations

import errno
import logging
import os
import time
from pathlib import Path

import pytest

from backend.service.logs import (
    PatientFileHandler,
    claim_logs,
    log_name,
    log_path,
    log_to_file,
    remove_old_logs,
    stop_logging,
)
from shared.paths import CACHE_VARIABLE


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("backend", logging.INFO, __file__, 1, text, None, None)


def test_a_full_disk_is_said_once_and_raises_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = PatientFileHandler(tmp_path / "serve.log", maxBytes=1000)
    handler.emit(record("before"))

    class FullDisk:
        closed = False

        def write(self, text: str) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        def flush(self) -> None:
            self.write("")

        def close(self) -> None:
            self.write("")

        def seek(self, *_: int) -> None: ...

        def tell(self) -> int:
            return 0

    assert handler.stream is not None
    handler.stream.close()
    monkeypatch.setattr(handler, "stream", FullDisk())
    for _ in range(3):
        handler.emit(record("after"))
    handler.close()
    error = capsys.readouterr().err
    assert error.count("No space left on device") == 1
    assert "Traceback" not in error
    assert (tmp_path / "serve.log").read_text() == "before\n"


def test_other_mistakes_in_logging_are_still_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    handler = PatientFileHandler(tmp_path / "serve.log")
    wrong = logging.LogRecord("backend", logging.INFO, __file__, 1, "%d", ("no number",), None)
    handler.emit(wrong)
    handler.close()
    assert "Logging error" in capsys.readouterr().err


# --- old logs, and what is written into new ones ----------------------------------------------------------------


def make_old(path: Path, days: float = 40.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a line")
    then = time.time() - days * 86400
    os.utime(path, (then, then))
    return path


def test_logs_of_a_service_that_runs_stay_whatever_the_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    running = [make_old(log_path("serve-a", part)) for part in ("server", "worker", "worker-output")]
    running.append(make_old(Path(f"{log_path('serve-a', 'server')}.2")))
    ended, other = make_old(log_path("serve-b", "server")), make_old(tmp_path / "logs" / "serve-notes.log.txt")
    young = make_old(log_path("serve-c", "server"), days=3)
    claim = claim_logs("serve-a")
    remove_old_logs()
    assert all(path.exists() for path in running)
    assert not ended.exists()
    assert young.exists()
    assert other.exists(), "it is no log of ours"
    claim.release()
    remove_old_logs()
    assert not any(path.exists() for path in running)


def test_two_services_in_folders_of_one_name_have_logs_of_their_own(tmp_path: Path) -> None:
    names = {log_name(tmp_path / parent / "same" / "connection.json") for parent in "ab"}
    assert len(names) == 2
    assert len(log_name(tmp_path / ("x" * 200) / ("y" * 200))) < 160


def test_text_from_the_wire_cannot_look_like_a_line_of_the_log(tmp_path: Path) -> None:
    handler = log_to_file(tmp_path / "log")
    try:
        logger = logging.getLogger("backend.test")
        logger.warning("hello %s", "x\n2026-01-01 00:00:00 1 ERROR forged\r\x1b[2J\u2028y")
        try:
            raise ValueError("secret\n2026-01-01 00:00:00 1 ERROR forged too")
        except ValueError:
            logger.exception("it failed")
    finally:
        stop_logging(handler)
    lines = (tmp_path / "log").read_text().split("\n")
    assert not [line for line in lines if line.startswith("2026-01-01")]
    assert "\x1b" not in "".join(lines)
    assert "\u2028" not in "".join(lines)
