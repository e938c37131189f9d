"""A batch on a Ray cluster: actors that keep their models, wherever Ray puts them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from typing import Any

from backend.batch.local import begin_worker, work_lazily
from backend.batch.outcome import HeadOutcome, failed
from backend.batch.photos import Head
from backend.batch.runners import BatchTask, Reader, Work
from shared.errors import RelightifyError
from shared.options import JobOptions

LOCAL = "local"


class ClusterRunner:
    """Makes heads on a Ray cluster; see `backend.batch.runners.Runner`.

    Args:
        address: of the cluster's head, or `LOCAL` for one on this machine that ends with the batch.
        gpus: share of a GPU that a worker takes, 0 for none.
        do: what a worker does.
    """

    def __init__(self, address: str, gpus: float = 0.0, do: Work = work_lazily) -> None:
        self.address, self.gpus, self.do = address, gpus, do

    def __call__(self, heads: Sequence[Head], read: Reader, task: BatchTask) -> Iterator[tuple[Head, HeadOutcome]]:
        """See `backend.batch.runners.Runner`. A worker or node that is lost costs its heads a second attempt.

        Raises:
            RelightifyError: ``command_missing`` where Ray is not installed, ``no_answer`` where no cluster answers.
        """
        ray = _ray()
        started = not ray.is_initialized()
        if started:
            self._connect(ray, task)
        try:
            yield from self._work(ray, heads, read, task)
        finally:
            if started:
                ray.shutdown()

    def _connect(self, ray: Any, task: BatchTask) -> None:
        # Ray would otherwise print its own news between ours.
        quiet = {"log_to_driver": False, "logging_level": "ERROR", "include_dashboard": False}
        try:
            if self.address == LOCAL:
                ray.init(num_cpus=max(task.workers, 1), **quiet)
            else:
                quiet.pop("include_dashboard")
                ray.init(address=self.address, **quiet)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise RelightifyError(
                "no_answer",
                f"No Ray cluster answers at {self.address}.",
                "Start one with ray start --head, or use --ray local.",
            ) from error

    def _work(
        self, ray: Any, heads: Sequence[Head], read: Reader, task: BatchTask
    ) -> Iterator[tuple[Head, HeadOutcome]]:
        make = ray.remote(num_cpus=1, num_gpus=self.gpus)(ClusterWorker)
        threads = max(1, (os.cpu_count() or 1) // task.workers) if self.address == LOCAL else 1
        workers = [make.remote(threads, self.do) for _ in range(task.workers)]
        idle = list(range(len(workers)))
        left = [(head, 1) for head in reversed(heads)]
        # One head a worker: what waited behind one that kills its worker would be lost with it.
        running: dict[Any, tuple[Head, int, int, float]] = {}
        while left or running:
            while left and idle:
                head, attempt = left.pop()
                try:
                    photos = read(head)
                except RelightifyError as error:
                    yield head, failed(error.code, str(error))
                    continue
                place = idle.pop()
                answer = workers[place].work.remote(photos, task.options, task.device)
                running[answer] = head, attempt, place, time.monotonic()
            ended, _ = (
                ray.wait(list(running), num_returns=1, timeout=min(60 * task.minutes, 5.0)) if running else ([], [])
            )
            for answer in ended:
                head, attempt, place, _ = running.pop(answer)
                idle.append(place)
                try:
                    outcome = ray.get(answer)
                except ray.exceptions.RayError:
                    ray.kill(workers[place])
                    workers[place] = make.remote(threads, self.do)
                    if attempt < task.attempts:
                        left.append((head, attempt + 1))
                        continue
                    outcome = failed("worker_died", "Two workers of the cluster were lost in the middle of it.")
                yield head, outcome
            for _, _, place, since in running.values():
                if time.monotonic() - since > 60 * task.minutes:
                    ray.kill(workers[place])  # its head then counts as lost with it


class ClusterWorker:
    """An actor's work: one process somewhere, its models loaded at the first head.

    Args:
        threads: its share of the node's cores.
        do: what it does with photos.
    """

    def __init__(self, threads: int, do: Work) -> None:
        begin_worker(threads)
        self.do = do

    def work(self, photos: Sequence[bytes], options: JobOptions, device: str) -> HeadOutcome:
        """See `backend.batch.work.work`."""
        return self.do(photos, options, device)


def _ray() -> Any:
    try:
        import ray
    except ModuleNotFoundError as error:
        raise RelightifyError(
            "command_missing",
            "A batch on a cluster needs Ray, which is not installed.",
            'Install it with pip install "relightify[cluster]" on every machine, or leave --ray out.',
        ) from error
    return ray
