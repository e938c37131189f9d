"""Running the commands of an installation: their lines as they come, and an end to them when the user asks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from .._shared import RelightifyError
from .machine import clean_environment
from .plan import Command

STOP_SECONDS = 5.0
# A user's own settings that would have pip install to another place than the environment.
PIP_ELSEWHERE = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_DRY_RUN", "PIP_PYTHON")


class Stopped(Exception):
    """The user has asked to stop."""


def run_command(
    command: Command, folder: Path, variables: Mapping[str, str], stop: threading.Event, take: Callable[[str], None]
) -> int:
    """Run one command and hand out its lines; returns its exit status.

    Args:
        command: program and arguments.
        folder: where it runs.
        variables: set in its environment.
        stop: set when the user asks to stop.
        take: called with each line.

    Raises:
        Stopped: the user has asked to stop; the command is gone then.
        RelightifyError: ``setup_failed``, there is no such program.
    """
    process = start_process(command, folder, variables)
    watcher = threading.Thread(target=_end_when_stopped, args=(process, stop), daemon=True)
    watcher.start()
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            take(line.rstrip())
    code = process.wait()
    watcher.join()
    if stop.is_set():
        raise Stopped
    return code


def _end_when_stopped(process: subprocess.Popen, stop: threading.Event) -> None:
    while process.poll() is None:
        if stop.wait(0.1):
            end_process(process)
            return


def start_process(command: Command, folder: Path, variables: Mapping[str, str]) -> subprocess.Popen:
    """Start a command of the installation, with its children in a group of their own.

    Raises:
        RelightifyError: ``setup_failed``, there is no such program.
    """
    environment = {**clean_environment(), **variables}
    for name in PIP_ELSEWHERE:
        environment.pop(name, None)
    environment |= {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}
    flags = subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            # Not a folder whose files Python would take for modules.
            cwd=folder,
            env=environment,
            creationflags=flags,
            start_new_session=os.name == "posix",
        )
    except OSError as error:
        text = f"{Path(command[0]).name} cannot be started: {error.strerror}."
        raise RelightifyError("setup_failed", text, "Choose another Python under Advanced.") from error


def end_process(process: subprocess.Popen) -> None:
    """End a process and its children, gently first."""
    for gentle in (True, False):
        if os.name == "posix":
            try:
                os.killpg(process.pid, signal.SIGTERM if gentle else signal.SIGKILL)
            except ProcessLookupError:
                return
        elif gentle:
            process.terminate()
        else:
            process.kill()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return
