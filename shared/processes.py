"""Whether another process of this machine still runs."""

from __future__ import annotations

import os
import sys
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
            except ProcessLookupError:
                return False
            except PermissionError:  # it runs, as another user
                return True
            return True


def process_alive(pid: int) -> bool:
    """Whether a process with this number runs now."""
    return pid > 0 and WatchedProcess(pid).alive()


def _linux_state(pid: int) -> tuple[str, str]:
    """State letter and start time from /proc; empty where there is no /proc or no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "", ""
    # The name in parentheses may hold spaces; fields are counted from behind it: state is 3, start time is 22.
    rest = text.rpartition(")")[2].split()
    return rest[0], rest[19]
