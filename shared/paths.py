"""Where both sides keep what is theirs on this machine."""

from __future__ import annotations

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


def cache_root() -> Path:
    """The cache folder, whether or not it is there.

    The variable `RELIGHTIFY_CACHE` moves it; else it lies where the operating system keeps caches.
    """
    override = os.environ.get(CACHE_VARIABLE)
    return Path(override).expanduser() if override else _default_cache_root()


def cache_folder(name: str = "") -> Path:
    """The cache folder, or the folder `name` inside it, made if it is not there.

    Raises:
        RelightifyError: `cache_unwritable`, the folder cannot be made.
    """
    folder = cache_root() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RelightifyError(
            "cache_unwritable",
            f"The cache folder {folder} cannot be used: {error.strerror}.",
            f"Free some space or set {CACHE_VARIABLE} to a folder that can be written.",
        ) from error
    return folder
