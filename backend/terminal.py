"""A progress bar for terminals; plain lines where the output is not one."""

from __future__ import annotations

import shutil
import time
from typing import TextIO

import numpy as np

from shared.stages import stage_text

BAR_CELLS = 24


class ProgressBar:
    """Shows stage, fraction and time left; can be handed to `backend.progress.Progress` as its callback.

    Args:
        stream: where to draw.
        quiet: True draws nothing.
    """

    def __init__(self, stream: TextIO, quiet: bool = False) -> None:
        self._stream = stream
        self._quiet = quiet
        self._interactive = stream.isatty()
        self._stage = ""
        self._started: float | None = None
        self._drawn = False

    def __call__(self, stage: str, fraction: float, preview: np.ndarray | None) -> None:
        del preview
        self.show(stage, fraction)

    def show(self, stage: str, fraction: float) -> None:
        """Draw the state: `fraction` of the whole job is done and `stage` is running."""
        if self._quiet:
            return
        now = time.monotonic()
        if self._started is None and fraction > 0:
            self._started = now
        label = stage_text(stage)
        if not self._interactive:
            if stage != self._stage:
                self._stream.write(f"{fraction:4.0%} {label}\n")
                self._stream.flush()
            self._stage = stage
            return
        filled = round(fraction * BAR_CELLS)
        line = f"[{'#' * filled}{'.' * (BAR_CELLS - filled)}] {fraction:4.0%} {label}{self._time_left(fraction, now)}"
        self._stream.write("\r\x1b[K" + line[: max(10, shutil.get_terminal_size().columns - 1)])
        self._stream.flush()
        self._drawn = True

    def close(self) -> None:
        """End the line, so that what follows starts on its own."""
        if self._drawn:
            self._stream.write("\n")
            self._stream.flush()
            self._drawn = False

    def _time_left(self, fraction: float, now: float) -> str:
        if self._started is None or fraction < 0.1 or fraction >= 1 or now - self._started < 1:
            return ""
        return f", {(now - self._started) * (1 - fraction) / fraction:.0f} s left"
