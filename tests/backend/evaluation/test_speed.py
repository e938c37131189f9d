"""The table of speed says what is kept of its limits, and its load is a load that ends."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from backend.evaluation.speed import (
    BUSY,
    COMMAND,
    PROCESSOR,
    SHOWN,
    TOTAL,
    WARM,
    at_size,
    command_line_row,
    full_load,
    verdicts,
)
from backend.evaluation.tables import Row


def rows(warm: float, busy: float, larger: float, cold: float, shown: float) -> list[Row]:
    return [
        Row("draft", COMMAND, "Ada", {TOTAL: cold, SHOWN: shown}),
        Row("draft", WARM, "Ada", {TOTAL: warm}),
        Row("draft", BUSY, "Ada", {TOTAL: busy}),
        Row("draft", at_size(2048), "Ada", {TOTAL: larger}),
    ]


def test_limits_that_are_kept_and_missed_are_told_apart() -> None:
    kept = verdicts(rows(4.0, 8.0, 6.0, 7.9, 1.4), 1024)
    missed = verdicts(rows(4.1, 9.1, 6.2, 8.1, 1.6), 1024)
    assert len(kept) == len(missed) == 5
    assert all(sentence.startswith("reached") for sentence in kept), kept
    assert all(sentence.startswith("MISSED") for sentence in missed), missed


def test_a_load_takes_processor_time_and_ends() -> None:
    before = os.times()
    with full_load():
        time.sleep(0.3)
    after = os.times()
    assert after.children_user - before.children_user > 0.05


@pytest.mark.slow
def test_a_job_from_the_command_line_is_timed(tmp_path: Path) -> None:
    from PIL import Image
    from skimage import data

    photo = tmp_path / "astronaut.png"
    Image.fromarray(data.astronaut()).save(photo)
    values = command_line_row("draft", 512, "cpu", "astronaut", photo).values
    assert 0 < values[SHOWN] < values[TOTAL]
    assert values[PROCESSOR] > 1
