"""Whether another process of this machine still runs, and ending one with all that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform == "win32":
    import ctypes

    class WatchedProcess:
        """A process; the handle held here keeps its number from being given to another one.

        Args:
            pid: its process id.
        """

        def __init__(self, pid: int) -> None:
            synchronize = 0x00100000
            self.pid = pid
            self._kernel = ctypes.windll.kernel32
            self._kernel.OpenProcess.restype = ctypes.c_void_p
            self._handle = self._kernel.OpenProcess(synchronize, False, pid)

        def alive(self) -> bool:
            """False once the process has ended."""
            still_running = 0x102
            waited = self._handle and self._kernel.WaitForSingleObject(ctypes.c_void_p(self._handle), 0)
            return waited == still_running

else:

    class WatchedProcess:
        """A process, told apart by its start time from a later one that got the same number (on Linux).

        Args:
            pid: its process id.
        """

        def __init__(self, pid: int) -> None:
            self.pid = pid
            self._was_parent = os.getppid() == pid
            self._start = _linux_state(pid)[1]

        def alive(self) -> bool:
            """False once the process has ended, waiting to be reaped or not."""
            if self._was_parent and os.getppid() != self.pid:
                return False
            state, start = _linux_state(self.pid)
            if state in ("Z", "X") or start != self._start:
                return False
            try:
                os.kill(self.pid, 0)
            except (ProcessLookupError, OverflowError):  # no such process, or no number that one can have
                return False
            except PermissionError:  # it runs, as another user
                return True
            return True


def process_alive(pid: int) -> bool:
    """Whether a process with this number runs now."""
    return pid > 0 and WatchedProcess(pid).alive()


def kill_group(process: subprocess.Popen) -> None:
    """Kill a child, and where it leads a process group (not on Windows) everything in that; returns at once."""
    if sys.platform != "win32" and process.returncode is None:
        # Its number is not given away before it is waited for, not even once it has ended and only its group lives on.
        with suppress(ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def _linux_state(pid: int) -> tuple[str, str]:
    """State letter and start time from /proc; empty where there is no /proc or no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "", ""
    # The name in parentheses may hold spaces; fields are counted from behind it: state is 3, start time is 22.
    rest = text.rpartition(")")[2].split()
    return rest[0], rest[19]
