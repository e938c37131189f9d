"""A row for each photo, whatever becomes of it."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from backend.evaluation.photos import table
from backend.evaluation.photos.measured import TILES, Figures, Laboratory, PhotoOutcome
from shared.errors import RelightifyError

FIGURES = Figures(0.8, 0.25, 0.03, float("nan"), 0.9, 0.012, (183, 139, 109), 31.0)
WARNING = "A hand seems to cover 12% of the face; what it hides will be guessed."


def laboratory_that_raises(error: Exception) -> Laboratory:
    def prepare(*_: object) -> None:
        raise error

    pipeline = SimpleNamespace(prepare=prepare, prior=lambda _: None, parameters=None)
    return Laboratory(cast(Any, pipeline), cast(Any, SimpleNamespace(space=SimpleNamespace(resolution=8))), "draft")


def test_a_refused_photo_is_a_row_with_its_code_and_sentence() -> None:
    refusal = RelightifyError("no_face", "No face was found.", "Use another photo.")
    outcome = laboratory_that_raises(refusal).outcome("dog.jpg", b"")
    row = table.row_of(outcome)
    assert (row["code"], row["file"]) == ("no_face", "dog.jpg")
    assert "No face was found." in row["message"]
    assert "seen" not in row


@pytest.mark.parametrize(("error", "code"), [(ValueError("odd"), "internal"), (MemoryError(), "out_of_memory")])
def test_no_fault_of_ours_stops_the_table(error: Exception, code: str) -> None:
    outcome = laboratory_that_raises(error).outcome("a.jpg", b"")
    assert outcome.code == code
    assert outcome.figures is None


def test_what_was_not_measured_is_left_out_of_the_row() -> None:
    row = table.row_of(PhotoOutcome("a.jpg", covered=(("a hand", 0.12),), warnings=(WARNING,), figures=FIGURES))
    assert row["covered"] == "a hand 12%"
    assert row["warnings"] == WARNING
    assert row["tone"] == "#b78b6d"
    assert float(row["made"]) == pytest.approx(0.2)
    assert float(row["painted kept"]) == pytest.approx(0.9)
    assert "marks kept" not in row


def test_photos_of_one_name_are_told_apart() -> None:
    named = table.names_of([Path("/shoot/a/1.jpg"), Path("/shoot/b/1.jpg"), Path("/shoot/b/2.jpg")])
    assert named == ["shoot_a_1.jpg", "shoot_b_1.jpg", "2.jpg"]


def test_table_and_sheet_have_every_photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("good.png", "bad.png"):
        (photos / name).write_bytes(b"bytes")

    class NoModels:
        def __init__(self, *_: object) -> None:
            self.model = self.rasteriser = None

        def prior(self, _: str) -> None:
            return None

        def uv_space(self, _: int) -> None:
            return None

    def outcome(_: Laboratory, name: str, data: bytes) -> PhotoOutcome:
        assert data == b"bytes"
        if name == "bad.png":
            return PhotoOutcome(name, "no_face", "No <face> was found.")
        tiles = tuple(np.full((8, 8, 3), 0.5) for _ in TILES)
        return PhotoOutcome(name, warnings=(WARNING,), figures=FIGURES, tiles=tiles)

    monkeypatch.setattr(table, "Pipeline", NoModels)
    monkeypatch.setattr(Laboratory, "outcome", outcome)
    parser = argparse.ArgumentParser()
    table.add_arguments(parser)
    out = tmp_path / "out"
    assert table.run(parser.parse_args(["--photos", str(photos), "--out", str(out)])) == 0
    with (out / table.CSV_NAME).open(encoding="utf-8", newline="") as file:
        assert [row["file"] for row in csv.DictReader(file)] == ["bad.png", "good.png"]
    sheet = (out / "index.html").read_text(encoding="utf-8")
    assert "No &lt;face&gt; was found." in sheet
    assert WARNING in sheet
    assert 'src="strips/good.png.jpg"' in sheet
    assert (out / "strips" / "good.png.jpg").is_file()
