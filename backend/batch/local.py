"""A batch on this machine: worker processes, each with its models loaded once."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
from collections.abc import Iterator, Sequence

from pebble import ProcessExpired, ProcessPool

from backend.batch.outcome import HeadOutcome, failed
from backend.batch.photos import Head
from backend.batch.runners import BatchTask, Reader, Work
from backend.threads import calm
from shared.errors import RelightifyError
from shared.options import JobOptions


def work_lazily(photos: Sequence[bytes], options: JobOptions, device: str) -> HeadOutcome:
    """`backend.batch.work.work`, whose libraries are loaded only now, when the threads are told."""
    from backend.batch.work import work

    return work(photos, options, device)


def run_here(
    heads: Sequence[Head], read: Reader, task: BatchTask, do: Work = work_lazily
) -> Iterator[tuple[Head, HeadOutcome]]:
    """See `backend.batch.runners.Runner`; `do` is what a worker does."""
    left = [(head, 1) for head in reversed(heads)]
    running: dict[concurrent.futures.Future, tuple[Head, int]] = {}
    threads = max(1, (os.cpu_count() or 1) // task.workers)
    pool = ProcessPool(
        max_workers=task.workers,
        context=multiprocessing.get_context("spawn"),  # a fork of loaded models and threads is undefined
        initializer=begin_worker,
        initargs=[threads],
    )
    try:
        while left or running:
            while left and len(running) < task.ahead * task.workers:
                head, attempt = left.pop()
                try:
                    photos = read(head)
                except RelightifyError as error:
                    yield head, failed(error.code, str(error))
                    continue
                future = pool.schedule(do, args=[photos, task.options, task.device], timeout=60 * task.minutes)
                running[future] = head, attempt
            ended, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in ended:
                head, attempt = running.pop(future)
                error = future.exception()
                if error is None:
                    yield head, future.result()
                elif isinstance(error, ProcessExpired) and attempt < task.attempts:
                    left.append((head, attempt + 1))
                elif isinstance(error, ProcessExpired):
                    yield head, failed("worker_died", "The worker process ended in the middle of it, twice.")
                elif isinstance(error, TimeoutError):
                    text = f"It was not done after {task.minutes:g} minutes and was given up."
                    yield head, failed("worker_died", text, 60 * task.minutes)
                else:
                    raise error
    finally:
        pool.stop()
        pool.join()


def begin_worker(threads: int) -> None:
    """Give a worker its share of the cores, before the libraries that use threads are loaded."""
    calm(threads=threads)
