"""Log files of the service: rotating, in the cache folder, one set per connection file."""

from __future__ import annotations

import logging
import logging.handlers
import sys
import time
from pathlib import Path

from shared.connection import default_connection_path
from shared.paths import cache_folder

FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
DAYS_KEPT = 14


class PatientFileHandler(logging.handlers.RotatingFileHandler):
    """A log file whose full disk is said once and stops nobody's work; Python's own prints a traceback per line."""

    _complained = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name that logging calls
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._complained:
            self._complained = True
            print(f"The log {self.baseFilename} cannot be written: {error.strerror}.", file=sys.stderr)

    def close(self) -> None:
        try:
            super().close()
        except OSError:
            # What is still in the buffer does not fit either; that has been said.
            self.stream = None


def log_name(connection_file: Path) -> str:
    """The name of the log files of the service behind a connection file, so that two services do not share one."""
    connection_file = connection_file.absolute()
    if connection_file == default_connection_path().absolute():
        return "serve"
    return f"serve-{connection_file.parent.name}-{connection_file.stem}"


def log_path(name: str, part: str) -> Path:
    """The log file of one part (`server`, `worker`, `worker-output`) of the service called `name`."""
    return cache_folder("logs") / f"{name}-{part}.log"


def remove_old_logs(days: float = DAYS_KEPT) -> None:
    """Remove the logs of services that have not run for a while."""
    for path in cache_folder("logs").glob("serve*.log*"):
        if time.time() - path.stat().st_mtime > days * 86400:
            path.unlink(missing_ok=True)


def log_to_file(path: Path) -> logging.Handler:
    """Log everything from INFO up to a rotating file (2 MB, three old ones); what goes to the terminal stays as it was.

    Returns the handler, for `stop_logging`.
    """
    root, ours = logging.getLogger(), logging.getLogger("backend")
    for other in root.handlers:
        other.setLevel(max(other.level, root.level))
    root.setLevel(min(root.level, logging.INFO))
    ours.setLevel(logging.NOTSET)
    handler = PatientFileHandler(path, maxBytes=2 * 2**20, backupCount=3, encoding="utf-8")
    handler.setFormatter(logging.Formatter(FORMAT))
    root.addHandler(handler)
    return handler


def stop_logging(handler: logging.Handler) -> None:
    """Take the handler of `log_to_file` out again."""
    logging.getLogger().removeHandler(handler)
    handler.close()
