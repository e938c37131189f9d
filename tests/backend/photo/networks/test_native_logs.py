"""Native libraries are quiet, but for their last words where somebody keeps them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
CHATTER = (
    "import os; from backend.photo.networks.native_logs import native_stderr_to_log\n"
    "with native_stderr_to_log():\n"
    "    os.write(2, b'last words\\n')\n"
    "    {end}\n"
)


def stderr_of(end: str, *options: str) -> str:
    command = [sys.executable, *options, "-c", CHATTER.format(end=end)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stderr


def test_chatter_stays_off_the_error_stream() -> None:
    assert stderr_of("pass") == ""


@pytest.mark.skipif(os.name != "posix", reason="other systems end a process otherwise")
def test_last_words_of_a_crash_are_kept_where_faults_are_handled() -> None:
    assert "last words" in stderr_of("os.abort()", "-X", "faulthandler")
