"""Keeps the chatter of native libraries, which write past Python's logging, off the terminal."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import tempfile
from collections.abc import Iterator

log = logging.getLogger(__name__)

_STDERR = 2


@contextlib.contextmanager
def native_stderr_to_log() -> Iterator[None]:
    """Send what the process writes to its error stream meanwhile to the debug log.

    Where faults are handled (the worker, the doctor's checks) it stays where it is: somebody keeps that stream, and a
    library that crashes says why in its last line.
    For the start of native libraries only: it redirects the file descriptor of the whole process.
    """
    if faulthandler.is_enabled():
        yield
        return
    try:
        saved = os.dup(_STDERR)
    except OSError:
        # Windows programs without a console have no error stream: nothing to keep quiet.
        yield
        return
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
