"""Log files of the service: rotating, in the cache folder, one set per connection file."""

from __future__ import annotations

import hashlib
import logging
import logging.handlers
import os
import re
import sys
import time
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

from shared.connection import default_connection_path
from shared.paths import cache_folder
from shared.private_files import Claim, open_private

FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
DAYS_KEPT = 14
# The parts of a service, and the numbers that rotated files end with.
_PART = re.compile(r"(.+)-(?:server|worker|worker-output)\.log(?:\.\d+)?")


class PlainFormatter(logging.Formatter):
    """Lets nothing that came over the wire look like a line of the log, nor move a terminal's cursor."""

    def format(self, record: logging.LogRecord) -> str:
        first, *others = super().format(record).split("\n")
        return "\n".join([printable(first), *(f"  | {printable(line)}" for line in others)])


def printable(text: str) -> str:
    """A text whose control characters, line feeds included, are written as Python would (`\\n`, `\\x1b`)."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


class PatientFileHandler(logging.handlers.RotatingFileHandler):
    """A log file whose full disk is said once and stops nobody's work; Python's own prints a traceback per line."""

    _complained = False

    def _open(self) -> TextIOWrapper:
        return open(open_private(Path(self.baseFilename), append=True), "a", encoding=self.encoding)

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
    # Two folders of one name are not one service.
    mark = hashlib.sha256(os.fsencode(connection_file)).hexdigest()[:6]
    return f"serve-{connection_file.parent.name[:60]}-{connection_file.stem[:60]}-{mark}"


def log_path(name: str, part: str) -> Path:
    """The log file of one part (`server`, `worker`, `worker-output`) of the service called `name`."""
    return cache_folder("logs") / f"{name}-{part}.log"


def claim_logs(name: str) -> Claim:
    """Say that the service called `name` runs, so that no other one removes its logs."""
    claim = _claim(name)
    with suppress(OSError):  # a disk without locks has no other way to tell
        # Whoever looks for old logs has it for a moment.
        for _ in range(20):
            if claim.take():
                break
            time.sleep(0.05)
    return claim


def _claim(name: str) -> Claim:
    return Claim(cache_folder("logs") / f".{name}.lock")


def remove_old_logs(days: float = DAYS_KEPT) -> None:
    """Remove the logs of services that have not run for a while; whatever the clock says, not of one that runs."""
    old: dict[str, list[Path]] = {}
    for path in cache_folder("logs").glob("serve*.log*"):
        part = _PART.fullmatch(path.name)
        if part is not None and time.time() - path.lstat().st_mtime > days * 86400:
            old.setdefault(part[1], []).append(path)
    for name, paths in old.items():
        claim = _claim(name)
        with suppress(OSError):  # logs are not worth failing for
            if claim.take():
                for path in paths:
                    path.unlink(missing_ok=True)
        claim.release()


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
    handler.setFormatter(PlainFormatter(FORMAT))
    root.addHandler(handler)
    return handler


def stop_logging(handler: logging.Handler) -> None:
    """Take the handler of `log_to_file` out again."""
    logging.getLogger().removeHandler(handler)
    handler.close()
