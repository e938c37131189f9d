"""Closes native graphs of MediaPipe once nobody needs them, from a thread that is there for nothing else."""

from __future__ import annotations

import threading
import weakref
from queue import SimpleQueue
from typing import Any


def close_when_gone(owner: object, graph: Any) -> weakref.finalize:
    """Have a graph closed when its owner is gone, or when the result is called.

    MediaPipe closes a graph by handing work to a pool of threads, under a lock that all pools share. Where garbage is
    collected in the midst of handing work to another pool, that lock is held by the very thread that would wait for
    it, for ever. To put something into a `SimpleQueue` is allowed anywhere.

    Args:
        owner: what uses the graph.
        graph: has a `close`.
    """
    told: SimpleQueue[None] = SimpleQueue()
    threading.Thread(target=_close_when_told, args=(told, graph), name="relightify release", daemon=True).start()
    release = weakref.finalize(owner, told.put, None)
    # At the end of the process the pools are gone already: the system releases what is left.
    release.atexit = False
    return release


def _close_when_told(told: SimpleQueue[None], graph: Any) -> None:
    told.get()
    try:
        graph.close()
    except RuntimeError:
        # The process is ending. MediaPipe's destructor would try once more and complain.
        graph.close = lambda: None
