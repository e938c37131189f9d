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


def cache_folder(name: str = "") -> Path:
    """The cache folder, or the folder `name` inside it, made if it is not there.

    The variable `RELIGHTIFY_CACHE` moves it; else it lies where the operating system keeps caches.

    Raises:
        RelightifyError: `cache_not_writable`, the folder cannot be made.
    """
    override = os.environ.get(CACHE_VARIABLE)
    folder = (Path(override).expanduser() if override else _default_cache_root()) / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RelightifyError(
            "cache_not_writable",
            f"The cache folder {folder} cannot be made: {error.strerror}.",
            f"Free some space there, or set {CACHE_VARIABLE} to a folder that you may write to.",
        ) from error
    return folder
