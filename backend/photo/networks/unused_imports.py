"""Keeps packages that MediaPipe imports and we never use from being needed, or loaded."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType

# MediaPipe's module for drawing landmarks imports both as it is imported itself.
PLOTTING = ("matplotlib", "matplotlib.pyplot")


@contextlib.contextmanager
def without_plotting() -> Iterator[None]:
    """Let ``import matplotlib.pyplot`` succeed meanwhile without matplotlib, which takes 80 MB and half a second.

    Whoever imports it afterwards gets the real one.
    """
    if any(name in sys.modules for name in PLOTTING):
        yield
        return
    stand_ins = {name: ModuleType(name) for name in PLOTTING}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, module in stand_ins.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
