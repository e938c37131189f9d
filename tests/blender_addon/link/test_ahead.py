"""The half of an import that is done ahead of Blender's."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from blender_addon.link.ahead import Ahead

RESULT: Any = SimpleNamespace(mesh="a mesh")


def test_half_an_import_is_made_on_another_thread_once() -> None:
    may_end, threads = threading.Event(), []

    def prepare(result: Any) -> str:
        threads.append(threading.current_thread())
        may_end.wait(10)
        return f"{result.mesh}, prepared"

    ahead = Ahead(prepare)
    assert not ahead.is_ready("j1", RESULT)
    assert not ahead.is_ready("j1", RESULT)
    may_end.set()
    assert ahead.take("j1", RESULT) == "a mesh, prepared"
    assert len(threads) == 1
    assert threads[0] is not threading.current_thread()
    ahead.close()


def test_each_job_has_its_own_and_faults_reach_whoever_takes_it() -> None:
    def prepare(result: Any) -> str:
        raise ValueError("broken mesh")

    ahead = Ahead(prepare)
    for job_id in ("j1", "j2"):
        with pytest.raises(ValueError, match="broken mesh"):
            ahead.take(job_id, RESULT)
    ahead.close()
