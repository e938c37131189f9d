"""The service's logs must not get into the way of its work."""

from __future__ import annotations

import errno
import logging
from pathlib import Path

import pytest

from backend.service.logs import PatientFileHandler


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
