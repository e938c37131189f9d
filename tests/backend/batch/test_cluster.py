"""A batch on a local Ray cluster of two workers, one of which is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.batch.cluster import LOCAL, ClusterRunner
from backend.batch.photos import Head
from backend.batch.runners import BatchTask
from shared.errors import RelightifyError
from shared.options import JobOptions
from tests.backend.batch.workers import echo


def heads_with(*contents: bytes) -> tuple[list[Head], dict[str, bytes]]:
    given = {f"h{k}": data for k, data in enumerate(contents)}
    return [Head(name, (Path(name),)) for name in given], given


@pytest.mark.slow
def test_a_lost_worker_costs_no_head_but_its_own(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    heads, given = heads_with(b"one", b"die", f"once {tmp_path / 'mark'}".encode(), b"four", b"bad", b"six")
    runner = ClusterRunner(LOCAL, do=echo)
    found = dict(runner(heads, lambda head: [given[head.name]], BatchTask(JobOptions(), "cpu", 2, 1.0)))
    codes = {head.name: outcome.code for head, outcome in found.items()}
    assert codes == {"h0": "", "h1": "worker_died", "h2": "", "h3": "", "h4": "no_face", "h5": ""}
    assert all(found[head].files["reconstruction.json"] == given[head.name] for head in heads if not codes[head.name])


def test_without_ray_a_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    heads, given = heads_with(b"one")
    with pytest.raises(RelightifyError) as raised:
        list(ClusterRunner(LOCAL)(heads, lambda head: [given[head.name]], BatchTask(JobOptions(), "cpu", 1, 1.0)))
    assert raised.value.code == "command_missing"
    assert "relightify[cluster]" in raised.value.hint


@pytest.mark.slow
def test_a_head_that_hangs_is_given_up() -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    heads, given = heads_with(b"hang", b"two")
    runner = ClusterRunner(LOCAL, do=echo)
    found = dict(runner(heads, lambda head: [given[head.name]], BatchTask(JobOptions(), "cpu", 2, 0.1)))
    assert [found[head].code for head in heads] == ["worker_died", ""]
