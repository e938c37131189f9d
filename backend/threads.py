"""How many threads the libraries may use, and how they wait; told once, before any of them is loaded."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def calm(environment: MutableMapping[str, str] = os.environ, threads: int | None = None) -> None:
    """Let threads sleep while they wait, unless the user has chosen otherwise.

    OpenMP's threads spin by default. Beside Blender's render, or another job, they then take from each other the cores
    that they wait for, and a job takes many times as long. Those of OpenBLAS, by which NumPy multiplies matrices, spin
    whatever they are told, so it has none: independent steps of a job run beside each other instead
    (`backend.side_by_side`).

    Args:
        environment: of this process, or of one that is to be started.
        threads: at most so many of each library; None leaves it to them.
    """
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")
    if threads is not None:
        environment.update(dict.fromkeys(COUNTS, str(threads)))
