"""The one small object through which stages report progress and notice cancellation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from shared.errors import JobCancelled

ProgressCallback = Callable[[str, float, "np.ndarray | None"], None]


def _ignore(stage: str, fraction: float, preview: np.ndarray | None) -> None:
    del stage, fraction, preview


@dataclass(frozen=True)
class Progress:
    """Reports (stage, overall fraction, optional preview) and raises when the job was cancelled.

    Args:
        callback: called with the stage's name, the overall fraction in [0, 1] and a preview, uint8 [H, W, 3] sRGB,
            or None.
        cancelled: returns True once the user has asked to stop.
        start, end: the part of the whole job that this object covers, fractions in [0, 1].
    """

    callback: ProgressCallback = field(default=_ignore)
    cancelled: Callable[[], bool] = field(default=lambda: False)
    start: float = 0.0
    end: float = 1.0

    def report(self, stage: str, fraction: float, preview: np.ndarray | None = None) -> None:
        """Report `fraction` in [0, 1] of this part.

        Raises:
            JobCancelled: the user asked to stop.
        """
        if self.cancelled():
            raise JobCancelled
        self.callback(stage, self.start + (self.end - self.start) * min(max(fraction, 0.0), 1.0), preview)

    def part(self, start: float, end: float) -> Progress:
        """A progress object for the sub-range [start, end] of this one."""
        span = self.end - self.start
        return Progress(self.callback, self.cancelled, self.start + span * start, self.start + span * end)
