"""Independent steps of a job at the same time: NumPy, OpenCV and Embree let go of the interpreter while they work."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

First = TypeVar("First")
Second = TypeVar("Second")
Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(first: Callable[[], First], second: Callable[[], Second]) -> tuple[First, Second]:
    """What two steps give that do not need each other, the first of them in this thread.

    What they raise is raised once both have ended, the first's before the second's.
    """
    if usable_cores() < 2:
        return first(), second()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(second)
        own = first()
    return own, other.result()


def each(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """What some work gives for each of the items, in their order."""
    if usable_cores() < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(usable_cores()) as pool:
        return list(pool.map(work, items))


def in_order(work: Callable[[Item], Result], items: Iterable[Item], at_once: int) -> Iterator[Result]:
    """As `each` with at most `at_once` items at a time; a result is given as soon as it and all before it are there."""
    workers = min(usable_cores(), at_once)
    if workers < 2:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(work, items)


def usable_cores() -> int:
    """Cores that this process may use: those of the machine, or fewer where its libraries were told so.

    See `backend.threads`: of several jobs on one machine each gets its share.
    """
    told = os.environ.get("OMP_NUM_THREADS", "")
    cores = os.cpu_count() or 1
    return min(cores, int(told)) if told.isdigit() and int(told) > 0 else cores
