"""The table `reflectance`: what a stopped run has measured is read back, and columns can be left out."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from backend.evaluation.kept_records import write_down
from backend.evaluation.skin import reflectance
from backend.evaluation.skin.contenders import MEAN, contenders
from backend.evaluation.skin.reflectance import Measured, as_record, measured_before
from backend.evaluation.tables import Row
from backend.pipeline import Pipeline
from shared.errors import RelightifyError


def test_what_a_stopped_run_measured_is_read_back_as_it_was(tmp_path: Path) -> None:
    measured = [
        Measured(Row("draft", "Cycles", name, {"A_d": 23.5, "N": float("nan")}), np.array([0.5, 0.4, 0.3]), 0.05, 4.0)
        for name in ("one", "two")
    ]
    stored = tmp_path / "out" / "rows.jsonl"
    assert measured_before(stored) == []
    for one in measured:
        write_down([as_record(one)], stored)
    found = measured_before(stored)
    assert [m.row.subject for m in found] == ["one", "two"]
    assert found[0].row.values["A_d"] == 23.5
    assert np.isnan(found[0].row.values["N"])
    np.testing.assert_array_equal(found[1].tone_srgb, measured[1].tone_srgb)
    assert (found[1].error, found[1].tone_error) == (0.05, 4.0)


def test_columns_are_left_out_by_name() -> None:
    pipeline = Pipeline("cpu")
    whole = [contender.name for contender in contenders(pipeline)]
    left = [contender.name for contender in contenders(pipeline, ["high, inferred"])]
    assert MEAN in left
    assert set(whole) - set(left) == {"high, inferred"}
    with pytest.raises(RelightifyError, match="no column higher") as caught:
        contenders(pipeline, ["higher"])
    assert "mean map" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("only", "expected"),
    [([], ["one area", "two"]), (["--only", "Cycles"], ["one area"]), (["--only", "portraits"], ["two"])],
)
def test_one_kind_of_pictures_is_measured_alone(
    only: list[str], expected: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    head = SimpleNamespace(name="one", pictures={"area": tmp_path / "one.png"}, truth=None)
    person = SimpleNamespace(name="two", photo=tmp_path / "two.jpg", truth=None)
    monkeypatch.setattr(reflectance, "cg_heads", lambda *_: [head])
    monkeypatch.setattr(reflectance, "portrait_truths", lambda *_: [person])
    monkeypatch.setattr(reflectance, "portraits_folder", lambda _: tmp_path)
    parser = argparse.ArgumentParser()
    reflectance.add_arguments(parser)
    options = parser.parse_args(["--out", str(tmp_path), *only])
    found = reflectance.cases(options, cast(Pipeline, SimpleNamespace(model=None, uv_space=lambda _: None)))
    assert [case.name for case in found] == expected
