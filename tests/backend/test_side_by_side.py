from __future__ import annotations

import threading
import time

import pytest

from backend import side_by_side as module
from backend.side_by_side import each, in_order, side_by_side, usable_cores


@pytest.fixture(params=["1", "2"])
def cores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OMP_NUM_THREADS", request.param)
    monkeypatch.setattr(module.os, "cpu_count", lambda: 2)
    return request.param


@pytest.mark.usefixtures("cores")
def test_both_steps_give_their_results_in_order() -> None:
    assert side_by_side(lambda: 1, lambda: "two") == (1, "two")


@pytest.mark.usefixtures("cores")
def test_items_give_their_results_in_order() -> None:
    assert each(lambda n: n * n, range(7)) == [0, 1, 4, 9, 16, 25, 36]


@pytest.mark.usefixtures("cores")
@pytest.mark.parametrize("at_once", [1, 2])
def test_items_are_handed_out_in_order(at_once: int) -> None:
    assert list(in_order(lambda n: n * n, range(7), at_once)) == [0, 1, 4, 9, 16, 25, 36]


def test_no_more_items_are_worked_on_than_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(module.os, "cpu_count", lambda: 8)
    lock, working, most = threading.Lock(), 0, 0

    def work(_: int) -> None:
        nonlocal working, most
        with lock:
            working += 1
            most = max(most, working)
        time.sleep(0.01)
        with lock:
            working -= 1

    list(in_order(work, range(12), 2))
    assert most == 2


@pytest.mark.usefixtures("cores")
def test_what_a_step_raises_is_raised() -> None:
    def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        side_by_side(lambda: 1, fails)
    with pytest.raises(ValueError, match="no"):
        side_by_side(fails, lambda: 1)
    with pytest.raises(ValueError, match="no"):
        list(in_order(lambda _: fails(), [1, 2], 2))


def test_two_cores_work_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(module.os, "cpu_count", lambda: 2)
    both_are_there = threading.Barrier(2)
    side_by_side(lambda: both_are_there.wait(10), lambda: both_are_there.wait(10))


def test_no_more_cores_are_used_than_the_process_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.os, "cpu_count", lambda: 8)
    for told, usable in (("1", 1), ("3", 3), ("16", 8), ("", 8), ("2,1", 8)):
        monkeypatch.setenv("OMP_NUM_THREADS", told)
        assert usable_cores() == usable
