"""Log files of the service: rotating, in the cache folder, one set per connection file."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

from shared.paths import cache_folder

FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"


def log_path(name: str, part: str) -> Path:
    """The log file of one part (`server`, `worker`, `worker-output`) of the service called `name`."""
    return cache_folder("logs") / f"{name}-{part}.log"


def log_to_file(path: Path) -> logging.Handler:
    """Add a rotating file (2 MB, three old ones) to the root logger; returns its handler, for `stop_logging`."""
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=2 * 2**20, backupCount=3, encoding="utf-8")
    handler.setFormatter(logging.Formatter(FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(min(root.level or logging.INFO, logging.INFO))
    return handler


def stop_logging(handler: logging.Handler) -> None:
    """Undo `log_to_file`."""
    logging.getLogger().removeHandler(handler)
    handler.close()
