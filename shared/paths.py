"""Where both sides keep what is theirs on this machine."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from .errors import RelightifyError

CACHE_VARIABLE = "RELIGHTIFY_CACHE"


def _default_cache_root() -> Path:
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "relightify" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "relightify"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "relightify"


def home_expanded(path: Path) -> Path:
    """The path with a leading `~` or `~name` replaced by that user's home folder.

    Raises:
        FileNotFoundError: there is no such user.
    """
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise FileNotFoundError(errno.ENOENT, "there is no such user", str(path)) from error


def cache_root() -> Path:
    """The cache folder, whether or not it is there.

    The variable `RELIGHTIFY_CACHE` moves it; else it lies where the operating system keeps caches.

    Raises:
        RelightifyError: `cache_unwritable`, it lies in the home folder of somebody who is not there.
    """
    override = os.environ.get(CACHE_VARIABLE)
    try:
        return home_expanded(Path(override)) if override else _default_cache_root()
    except (FileNotFoundError, RuntimeError) as error:
        raise RelightifyError(
            "cache_unwritable",
            f"There is no place for the cache folder {override or ''}: no such home folder.",
            f"Set {CACHE_VARIABLE} to a folder that can be written.",
        ) from error


def cache_folder(name: str = "") -> Path:
    """The cache folder, or the folder `name` inside it, made if it is not there.

    Raises:
        RelightifyError: `cache_unwritable`, the folder cannot be made.
    """
    folder = cache_root() / name
    try:
        # The owner's alone: logs name photos, and say what went wrong with them.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise RelightifyError(
            "cache_unwritable",
            f"The cache folder {folder} cannot be used: {error.strerror}.",
            f"Free some space or set {CACHE_VARIABLE} to a folder that can be written.",
        ) from error
    return folder
