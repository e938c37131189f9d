"""The one small object through which stages report progress and notice cancellation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from shared.errors import JobCancelled
from shared.stages import stage_span

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
        stage: the stage that this object reports, one of `shared.stages`.
    """

    callback: ProgressCallback = field(default=_ignore)
    cancelled: Callable[[], bool] = field(default=lambda: False)
    start: float = 0.0
    end: float = 1.0
    stage: str = ""

    def report(self, fraction: float, preview: np.ndarray | None = None) -> None:
        """Report `fraction` in [0, 1] of this part.

        Raises:
            JobCancelled: the user asked to stop.
        """
        if self.cancelled():
            raise JobCancelled
        here = self.start + (self.end - self.start) * min(max(fraction, 0.0), 1.0)
        self.callback(self.stage, here, preview)

    def part(self, start: float, end: float) -> Progress:
        """A progress object for the sub-range [start, end] of this one."""
        span = self.end - self.start
        return replace(self, start=self.start + span * start, end=self.start + span * end)

    def named(self, stage: str) -> Progress:
        """The same part under another stage's name."""
        return replace(self, stage=stage)

    def of(self, stage: str) -> Progress:
        """The part of this progress that a stage of the method takes, under the stage's name."""
        return replace(self.part(*stage_span(stage)), stage=stage)


@dataclass(frozen=True)
class Stopwatch:
    """Seconds by stage, in the order in which the stages began; a stage that goes on later adds to its own.

    Args:
        progress: of the whole job.
        seconds: filled while the job runs.
        processor_seconds: of all threads of the process, filled likewise.
    """

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)
    processor_seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[Progress]:
        """Time a stage of the method and report its begin; gives the progress that it reports to."""
        progress = self.progress.of(name)
        started, worked = time.perf_counter(), time.process_time()
        self.seconds.setdefault(name, 0.0)
        self.processor_seconds.setdefault(name, 0.0)
        if self.progress.cancelled():
            raise JobCancelled
        yield progress
        self.seconds[name] += time.perf_counter() - started
        self.processor_seconds[name] += time.process_time() - worked
