"""Starting the backend with a Python that has it installed, and waiting until it listens. No Blender in here."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .._shared import (
    Claim,
    Connection,
    RelightifyError,
    cache_folder,
    open_private,
    process_alive,
    read_connection,
)
from ..install.failure import crash_name
from ..install.machine import clean_environment

START_SECONDS = 120.0
STOP_SECONDS = 5.0
LOG_TAIL_LINES = 12
FOLDER_PREFIX = "blender-"
# A log is of use for a while after its backend has ended.
MINUTES_KEPT = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BackendProcess:
    """A backend that this Blender started.

    Args:
        python: the interpreter that runs it.
        process: the server; it ends itself when this Blender is gone.
        connection_file: where it writes how to reach it.
        log_file: its output.
    """

    python: Path
    process: subprocess.Popen
    connection_file: Path
    log_file: Path

    def running(self) -> bool:
        return self.process.poll() is None


def start_backend(
    python: Path, folder: Path | None = None, variables: Mapping[str, str] | None = None
) -> BackendProcess:
    """Start ``python -m backend.cli serve``; returns at once.

    Args:
        python: an interpreter that has the package `relightify` installed.
        folder: where connection file and log go; by default one of the cache folder, apart for each start: a backend
            of this Blender that is still ending takes its own files away, not those of the next one.
        variables: set in its environment.

    Raises:
        RelightifyError: ``no_python``, there is no such interpreter; ``backend_start``, it cannot be started;
            ``cache_unwritable``, there is no room for its log.
    """
    if not python.is_file():
        raise RelightifyError(
            "no_python",
            f"There is no Python at {python}." if str(python) not in ("", ".") else "No backend has been set up yet.",
            "Install the backend in the add-on's preferences, or choose a Python that has it.",
        )
    if folder is None:
        runtime = cache_folder("runtime")
        remove_left_behind(runtime)
        folder = runtime / f"{FOLDER_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
    connection_file, log_file = folder / "connection.json", folder / "backend.log"
    output = _open_log(connection_file, log_file)
    command = [str(python), "-m", "backend.cli", "serve"]
    command += ["--connection-file", str(connection_file), "--parent-pid", str(os.getpid())]
    # Blender's own Python must not leak into the other one, and the working folder must not shadow its packages.
    environment = {**clean_environment(), "PYTHONUNBUFFERED": "1", **(variables or {})}
    flags = subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0
    try:
        with output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
                creationflags=flags,
            )
    except OSError as error:
        raise RelightifyError(
            "backend_start",
            f"The backend cannot be started: {error.strerror}.",
            "Choose another Python in the add-on's preferences.",
        ) from error
    return BackendProcess(python, process, connection_file, log_file)


def remove_left_behind(runtime: Path) -> None:
    """Remove the folders of this and earlier Blenders' backends that have ended, but for those of a moment ago."""
    for folder in runtime.glob(f"{FOLDER_PREFIX}*"):
        number = folder.name.removeprefix(FOLDER_PREFIX).partition("-")[0]
        if folder.is_symlink() or not folder.is_dir() or not number.isdecimal():
            continue
        if int(number) != os.getpid() and process_alive(int(number)):
            continue
        try:
            young = time.time() - max(path.lstat().st_mtime for path in (folder, *folder.iterdir())) < MINUTES_KEPT * 60
            claim = Claim(folder / ".connection.json.lock")
            # Inside a sandbox (Flatpak, Snap) other Blenders' processes cannot be seen, but the claim of a backend can.
            if young or not claim.take():
                continue
            claim.release()
            shutil.rmtree(folder)
        except OSError as error:  # the next start tries again
            log.info("The folder %s cannot be removed: %s", folder, error)


def _open_log(connection_file: Path, log_file: Path) -> BinaryIO:
    """Make room for a new backend's files.

    Raises:
        RelightifyError: ``cache_unwritable``.
    """
    try:
        log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection_file.unlink(missing_ok=True)
        return open(open_private(log_file), "wb")
    except OSError as error:
        raise RelightifyError(
            "cache_unwritable",
            f"The backend's log cannot be written: {error.strerror}.",
            f"Free some space, or make the folder {log_file.parent} writable.",
        ) from error


def wait_for_connection(
    backend: BackendProcess, keep_waiting: Callable[[float], bool], seconds: float = START_SECONDS
) -> Connection:
    """Wait until the backend has written its connection file.

    Args:
        backend: what `start_backend` returned.
        keep_waiting: called several times a second with the seconds that have passed; False gives up.
        seconds: how long to wait at most.

    Raises:
        RelightifyError: ``backend_start`` with the end of its log, ``cancelled`` where `keep_waiting` says so.
    """
    began = time.monotonic()
    while not backend.connection_file.is_file():
        passed = time.monotonic() - began
        if not backend.running():
            if any("No module named 'backend'" in line for line in log_tail(backend.log_file)):
                raise RelightifyError(
                    "no_backend",
                    f"The Python at {backend.python} has no relightify.",
                    "Install the backend in the add-on's preferences, or choose a Python that has it.",
                )
            crash = crash_name(backend.process.returncode)
            ended = f"crashed ({crash})" if crash else "stopped"
            message = f"The backend {ended} while it started: {last_line(backend.log_file)}"
            raise RelightifyError("backend_start", message, _log_hint(backend))
        if passed > seconds:
            raise RelightifyError(
                "backend_start", f"The backend did not start within {seconds:.0f} seconds.", _log_hint(backend)
            )
        if not keep_waiting(passed):
            raise RelightifyError("cancelled", "The job was cancelled.")
        time.sleep(0.1)
    return read_connection(backend.connection_file)


def stop_backend(backend: BackendProcess) -> None:
    """End the backend, gently first, and remove its files."""
    if backend.running():
        backend.process.terminate()
        try:
            backend.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            backend.process.kill()
            backend.process.wait()
    backend.connection_file.unlink(missing_ok=True)


def log_tail(path: Path, lines: int = LOG_TAIL_LINES) -> list[str]:
    """The last lines of a log that are not empty."""
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8", errors="replace")
    return [line for line in text.splitlines() if line.strip()][-lines:]


def last_line(path: Path) -> str:
    """The last line of a log, or a word that there is none."""
    tail = log_tail(path, 1)
    return tail[0].strip() if tail else "it said nothing."


def _log_hint(backend: BackendProcess) -> str:
    return f"Check the Python in the add-on's preferences; the whole log is {backend.log_file}."
