"""How long something will take yet, told by how fast its bar has moved."""

from __future__ import annotations

import math

# Nothing is said of the first seconds and the first hundredths: they tell little of the rest. Assumed.
FIRST_SECONDS = 5.0
FIRST_FRACTION = 0.02
# Seconds in which a new estimate comes through by two thirds. Assumed: slower looks stuck, faster jumps about.
SMOOTH_SECONDS = 15.0


class TimeLeft:
    """Follows a bar. Steps that were done already must not count as fast ones: it starts where the bar starts."""

    def __init__(self) -> None:
        self._start: tuple[float, float] | None = None
        self._last = 0.0
        self._left: float | None = None

    def after(self, fraction: float, now: float) -> float | None:
        """Seconds left, None while that cannot be told.

        Args:
            fraction: how far it is, in [0, 1].
            now: any clock's seconds.
        """
        if self._start is None:
            self._start = fraction, now
        began_at, began = self._start
        moved, passed = fraction - began_at, now - began
        if moved < FIRST_FRACTION or passed < FIRST_SECONDS:
            return None
        estimate = passed * (1.0 - fraction) / moved
        if self._left is None:
            self._left = estimate
        else:
            since = now - self._last
            counted_down = max(0.0, self._left - since)
            weight = 1.0 - math.exp(-since / SMOOTH_SECONDS)
            self._left = counted_down + weight * (estimate - counted_down)
        self._last = now
        return self._left
