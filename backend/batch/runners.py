"""Who does the work of a batch: processes of this machine, or actors on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from backend.batch.outcome import HeadOutcome
from backend.batch.photos import Head
from shared.options import JobOptions

Reader = Callable[[Head], Sequence[bytes]]
# `backend.batch.work.work`: photos, options and device.
Work = Callable[[Sequence[bytes], JobOptions, str], HeadOutcome]


@dataclass(frozen=True)
class BatchTask:
    """What all workers are told.

    Args:
        options: of the jobs.
        device: see `backend.pipeline.Pipeline`.
        workers: how many heads are made at once.
        minutes: after which a head is given up and its worker ended.
        attempts: a head that kills its worker twice is to blame itself; once it may have been anything.
        ahead: heads whose photos wait in memory for each worker of this machine, so that none is idle.
    """

    options: JobOptions
    device: str
    workers: int
    minutes: float = 30.0
    attempts: int = 2
    ahead: int = 2


class Runner(Protocol):
    """Makes heads, several at once."""

    def __call__(self, heads: Sequence[Head], read: Reader, task: BatchTask) -> Iterator[tuple[Head, HeadOutcome]]:
        """Each head with its outcome, as they are done; a worker that is lost costs no other head.

        Args:
            heads: to make.
            read: gives a head's photos, just before they are needed.
            task: what all workers are told.

        Raises:
            RelightifyError: no worker can be had.
        """
        ...
