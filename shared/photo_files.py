"""Reading the file of a photo that somebody has named: a plain file of bounded size, or nothing."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from .messages import check_photo_size
from .paths import home_expanded


def photo_file_bytes(path: Path) -> bytes:
    """The bytes of a plain file, at most `shared.messages.MAX_PHOTO_BYTES`; a device or a pipe is not waited for.

    Args:
        path: of the file; a leading `~` is expanded.

    Raises:
        OSError: it is not there, not a plain file (IsADirectoryError for a folder), or cannot be read.
        RelightifyError: ``photo_too_large``.
    """
    try:
        descriptor = os.open(
            home_expanded(path), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
    except ValueError as error:  # a zero byte in the name
        raise OSError(errno.EINVAL, "no file can be called that", str(path)) from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is a device or a pipe, not a file", str(path))
        check_photo_size(status.st_size)
        data = file.read(status.st_size + 1)
    check_photo_size(len(data))  # it may have grown
    return data
