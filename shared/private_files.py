"""Files that are their owner's alone, and a claim that one process at a time can have."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from contextlib import suppress
from pathlib import Path

from .errors import RelightifyError

# On Windows there are neither: rights come from the user's folder, and links need an administrator.
_PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
MAX_PRIVATE_BYTES = 65536


def write_private(path: Path, text: str) -> None:
    """Write a file at once as a whole, mode 0600 from the start; makes its folder (0700) if need be.

    Raises:
        OSError: it cannot be written.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def read_private(path: Path) -> bytes:
    """The first 64 KiB of a file that its owner, who must be this user, alone can read (not checked on Windows).

    Raises:
        RelightifyError: `connection_exposed`, others can read it, or it is another user's.
        OSError: it cannot be read, or is no plain file.
    """
    # A link to the file is somebody's choice of a place; what it leads to is what counts.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(22, "it is no plain file", str(path))
        if os.name == "posix" and (status.st_mode & 0o077 or status.st_uid != os.getuid()):
            raise RelightifyError(
                "connection_exposed",
                f"The file {path} holds secret keys, and not you alone can read it.",
                f"If you copied it from your own machine, run: chmod 600 {path}. Else start the backend again.",
            )
        return file.read(MAX_PRIVATE_BYTES)


def open_private(path: Path, append: bool = False) -> int:
    """A descriptor to write a file of ours with, mode 0600, emptied unless `append`; makes its folder (0700).

    What is there but is no plain file of this user's alone, such as a link to some other file, is put out of the way:
    nothing is ever written through it.

    Raises:
        OSError: it cannot be opened or made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | _PLAIN | (os.O_APPEND if append else 0)
    descriptor = -1
    with suppress(OSError):
        descriptor = os.open(path, flags, 0o600)
    if descriptor >= 0 and not _is_ours(descriptor):
        os.close(descriptor)
        descriptor = -1
    if descriptor < 0:
        if path.is_symlink() or path.exists():
            path.unlink()
        descriptor = os.open(path, flags | os.O_EXCL, 0o600)
    if os.name == "posix":
        os.fchmod(descriptor, 0o600)
    if not append:
        os.ftruncate(descriptor, 0)
    return descriptor


def _is_ours(descriptor: int) -> bool:
    status = os.fstat(descriptor)
    return stat.S_ISREG(status.st_mode) and (
        os.name != "posix" or (status.st_uid == os.getuid() and status.st_nlink == 1)
    )


class Claim:
    """What one process at a time can have; it ends with `release`, or with the process, however that ends.

    Args:
        path: the file that stands for it; it is there only while somebody has the claim.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1

    def take(self) -> bool:
        """Try to get it, without waiting; False where somebody else has it.

        Raises:
            OSError: the file cannot be made, or its file system knows no locks.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while self._descriptor < 0:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | _PLAIN, 0o600)
            try:
                _lock(descriptor)
                # Whoever had it may have removed the file between these two lines; then this one is nobody's.
                if os.path.samestat(os.fstat(descriptor), os.stat(self.path)):
                    self._descriptor = descriptor
                    break
            except (BlockingIOError, PermissionError):
                os.close(descriptor)
                return False
            except FileNotFoundError:
                pass
            except OSError:
                os.close(descriptor)
                raise
            os.close(descriptor)
        return True

    def release(self) -> None:
        """Let go of it, if it is held."""
        if self._descriptor < 0:
            return
        if os.name == "posix":
            with suppress(OSError):
                self.path.unlink()
        os.close(self._descriptor)
        self._descriptor = -1
        if os.name != "posix":  # an open file cannot be removed there
            with suppress(OSError):
                self.path.unlink()


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
