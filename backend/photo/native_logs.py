"""Keeps the chatter of native libraries, which write past Python's logging, off the terminal."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator

log = logging.getLogger(__name__)

_STDERR = 2


@contextlib.contextmanager
def native_stderr_to_log() -> Iterator[None]:
    """Send what the process writes to its error stream meanwhile to the debug log, where that stream is a terminal.

    A file or a pipe is left alone: it is somebody's log, and a library that crashes says why in its last line.
    For the start of native libraries only: it redirects the file descriptor of the whole process.
    """
    if not os.isatty(_STDERR):
        yield
        return
    saved = os.dup(_STDERR)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(saved, _STDERR)
            os.close(saved)
            captured.seek(0)
            for line in captured.read().decode(errors="replace").splitlines():
                log.debug("%s", line)
