"""How long a job still takes."""

from __future__ import annotations

import numpy as np


class Pace:
    """Learns from finished jobs how the fraction that a pipeline reports goes with time.

    Stages report in their own measure, so the first estimates of the first job are rough; from then on the course of
    the last job of the same kind tells.
    """

    def __init__(self) -> None:
        self._finished: dict[object, np.ndarray] = {}
        self._kind: object = None
        self._course: list[tuple[float, float]] = []

    def begin(self, kind: object) -> None:
        """A job of a kind (what decides how long it takes) begins."""
        self._kind = kind
        self._course = [(0.0, 0.0)]

    def seconds_left(self, elapsed: float, fraction: float) -> float | None:
        """Note where the job is, and estimate the rest; None while there is nothing to go by.

        Args:
            elapsed: seconds since the job's begin.
            fraction: of the whole job, in [0, 1].
        """
        self._course.append((fraction, elapsed))
        last = self._finished.get(self._kind)
        if last is not None:
            expected = float(np.interp(fraction, last[:, 0], last[:, 1]))
            # This job's pace against the last one's counts for more the further it has come.
            slower = (elapsed + 2.0) / (expected + 2.0)
            return max(0.0, float(last[-1, 1]) - expected) * float(np.clip(slower, 0.25, 4.0))
        if fraction < 0.05 or elapsed < 0.5:
            return None
        return elapsed * (1.0 - fraction) / fraction

    def finish(self, elapsed: float) -> None:
        """The job is done after this many seconds."""
        self._finished[self._kind] = np.array([*self._course, (1.0, elapsed)])
