"""Whether a process still runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from shared.processes import WatchedProcess, process_alive


def test_a_process_is_alive_until_it_ends_even_before_it_is_waited_for() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    watched = WatchedProcess(process.pid)
    assert watched.alive()
    assert process.stdin is not None
    process.stdin.close()
    deadline = time.monotonic() + 10
    while watched.alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not watched.alive()
    process.wait()
    assert not process_alive(process.pid)


def test_this_process_is_alive() -> None:
    assert process_alive(os.getpid())
    assert process_alive(os.getppid())
    assert not process_alive(0)
