"""What goes wrong while files are written, as sentences."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import RelightifyError

_log = logging.getLogger(__name__)


@contextmanager
def while_writing(folder: Path) -> Iterator[None]:
    """Turn what goes wrong while a folder is written into sentences.

    Raises:
        RelightifyError: ``disk_full`` or ``cannot_write``.
    """
    try:
        yield
    except OSError as error:
        raise write_error(folder, error) from error


def write_error(folder: Path, error: OSError) -> RelightifyError:
    """What to tell of a folder that could not be written."""
    _log.error("Writing to %s failed: %s", folder, error)
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return RelightifyError(
            "disk_full",
            f"There is not enough space on the disk of {folder}.",
            "Free some space or choose another folder; nothing was left half-written.",
        )
    reason = error.strerror or type(error).__name__
    return RelightifyError(
        "cannot_write", f"The folder {folder} cannot be written: {reason}.", "Choose another folder with --out."
    )
