"""The table `reflectance`: what a stopped run has measured is read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backend.evaluation.skin.reflectance import Measured, read_back, write_down
from backend.evaluation.tables import Row


def test_what_a_stopped_run_measured_is_read_back_as_it_was(tmp_path: Path) -> None:
    measured = [
        Measured(Row("draft", "Cycles", name, {"A_d": 23.5, "N": float("nan")}), np.array([0.5, 0.4, 0.3]), 0.05, 4.0)
        for name in ("one", "two")
    ]
    stored = tmp_path / "out" / "rows.jsonl"
    assert read_back(stored) == []
    for one in measured:
        write_down([one], stored)
    found = read_back(stored)
    assert [m.row.subject for m in found] == ["one", "two"]
    assert found[0].row.values["A_d"] == 23.5
    assert np.isnan(found[0].row.values["N"])
    np.testing.assert_array_equal(found[1].tone_srgb, measured[1].tone_srgb)
    assert (found[1].error, found[1].tone_error) == (0.05, 4.0)
