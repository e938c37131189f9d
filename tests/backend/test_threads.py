"""Threads sleep while they wait, in every process of the backend."""

from __future__ import annotations

import os
import subprocess
import sys

from backend.service import worker_process
from backend.threads import calm


def test_threads_sleep_unless_the_user_chose_otherwise() -> None:
    environment: dict[str, str] = {}
    calm(environment)
    assert environment == {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"}
    environment = {"OMP_WAIT_POLICY": "ACTIVE", "OPENBLAS_NUM_THREADS": "4"}
    calm(environment, threads=3)
    assert environment["OMP_WAIT_POLICY"] == "ACTIVE"
    assert environment["OPENBLAS_NUM_THREADS"] == "4"
    assert {environment[name] for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")} == {"3"}


def test_the_worker_and_the_command_line_are_calm() -> None:
    assert worker_process._environment()["OMP_WAIT_POLICY"] == "PASSIVE"
    code = "import os; from backend.cli import main; main(['--version']); print(os.environ['OMP_WAIT_POLICY'])"
    clean = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=clean, check=True)
    assert done.stdout.split()[-1] == "PASSIVE"


def test_what_a_draft_needs_loads_no_pytorch() -> None:
    code = (
        "import sys, backend.pipeline; from backend.device import choose_device; assert choose_device('cpu') == 'cpu'"
    )
    loaded = "; print([name for name in ('torch', 'diffusers', 'mediapipe') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code + loaded], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "[]"
