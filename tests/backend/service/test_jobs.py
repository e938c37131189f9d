"""The waiting jobs."""

from __future__ import annotations

import pytest

from backend.service import jobs
from backend.service.jobs import JobQueue, QueuedJob
from shared.messages import ProtocolError


def job(client: bytes, job_id: str, size: int = 1) -> QueuedJob:
    return QueuedJob(client, job_id, [bytes(size)])


def test_jobs_come_out_in_the_order_in_which_they_came() -> None:
    queue = JobQueue()
    for name in "abc":
        queue.add(job(b"1", name))
    assert [found.job_id for found in (queue.next(), queue.next(), queue.next()) if found] == ["a", "b", "c"]
    assert queue.next() is None


def test_clients_take_turns_and_each_keeps_its_own_order() -> None:
    queue = JobQueue()
    for client, names in ((b"batch", "abcd"), (b"artist", "x"), (b"other", "yz")):
        for name in names:
            queue.add(job(client, name))
    expected = ["a", "x", "y", "b", "z", "c", "d"]
    assert [found.job_id for found in queue] == expected
    out = [queue.next() for _ in range(2)]
    queue.add(job(b"artist", "w"))  # the artist's next photo waits for one of each of the others, not for all
    assert [found.job_id for found in queue] == ["y", "b", "w", "z", "c", "d"]
    while (found := queue.next()) is not None:
        out.append(found)
    assert [found.job_id for found in out if found] == ["a", "x", "y", "b", "w", "z", "c", "d"]


def test_removing_takes_only_the_clients_own_job() -> None:
    queue = JobQueue()
    for client, name in [(b"1", "a"), (b"2", "a"), (b"1", "b")]:
        queue.add(job(client, name))
    assert queue.remove(b"1", "a") == [job(b"1", "a")]
    assert queue.remove(b"1") == [job(b"1", "b")]
    assert list(queue) == [job(b"2", "a")]


@pytest.mark.parametrize(("limit", "value"), [("MAX_WAITING", 2), ("MAX_WAITING_BYTES", 250)])
def test_the_queue_is_bounded(monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    monkeypatch.setattr(jobs, limit, value)
    queue = JobQueue()
    for name in "ab":
        queue.add(job(b"1", name, 100))
    with pytest.raises(ProtocolError) as caught:
        queue.add(job(b"1", "c", 100))
    assert caught.value.code == "queue_full"
