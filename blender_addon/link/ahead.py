"""What of an import needs no Blender, done on a thread of its own while Blender goes on."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from .._shared import Result
from .job_queue import Prepare


class Ahead:
    """One result at a time on its way into Blender.

    Args:
        prepare: does the half of an import that needs no Blender; called on another thread.
    """

    def __init__(self, prepare: Prepare) -> None:
        self._prepare = prepare
        self._helper = ThreadPoolExecutor(max_workers=1, thread_name_prefix="relightify import")
        self._job_id = ""
        self._made: Future[Any] | None = None

    def is_ready(self, job_id: str, result: Result) -> bool:
        """Whether the half of a job's import is done; begins with it where that has not happened yet."""
        if self._made is None or self._job_id != job_id:
            self._job_id, self._made = job_id, self._helper.submit(self._prepare, result)
        return self._made.done()

    def take(self, job_id: str, result: Result) -> Any:
        """What was prepared; waits for it. Raises what `prepare` did."""
        self.is_ready(job_id, result)
        made, self._made = self._made, None
        return made.result() if made is not None else None

    def close(self) -> None:
        """Begin nothing any more."""
        self._helper.shutdown(wait=False, cancel_futures=True)
