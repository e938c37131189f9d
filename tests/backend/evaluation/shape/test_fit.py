from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from backend.evaluation import command as cli
from backend.evaluation.shape import fit
from backend.evaluation.shape.fit_figures import contact_sheet
from shared.errors import RelightifyError
from tests.landmark_model import landmark_model

ROW = fit.FitRow("a", 0.01, 0.014, 0.05, 0.04, 50.0, False, 0.8, 0.3, 1.2, 1.5, "smile", 1.4)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    return parser.parse_args(arguments)


def test_people_of_the_training_split_are_left_out(tmp_path: Path) -> None:
    people = [
        {"id": f"set/{name}", "split": split} for name, split in (("1", "train"), ("2", "heldout"), ("3", "test"))
    ]
    (tmp_path / "index.json").write_text(json.dumps(people))
    (tmp_path / "set").mkdir()
    for name in ("1_neutral", "2_neutral", "2_smiling", "3_neutral"):
        (tmp_path / "set" / f"{name}.jpg").touch()
    assert [name for name, _ in fit.heldout_portraits(tmp_path)] == ["set/2_neutral", "set/2_smiling", "set/3_neutral"]


def test_summary_has_means_and_worst() -> None:
    total = fit.summary([ROW, replace(ROW, landmark_error=0.03, photometric_after=0.06)])
    assert total["mean"]["landmark_error"] == pytest.approx(0.02)
    assert total["worst"]["landmark_error"] == pytest.approx(0.03)
    assert total["photometric_not_worse"] == 0.5


def test_markdown_names_failures_and_says_where_the_focal_length_is_estimated() -> None:
    text = fit.as_markdown([ROW, replace(ROW, id="b", focal_known=True)], {"c": "No face was found."}, None)
    assert "No face was found." in text
    assert "50 (est.)" in text
    assert "| b | 1.00% | 0.0500 -> 0.0400 | 50 | 0.80 m |" in text


def test_figures_come_by_how_people_were_photographed() -> None:
    rows = [ROW, replace(ROW, how="looks up", landmark_error=0.02), replace(ROW, how="looks up", landmark_error=0.04)]
    assert fit.by_class(rows)[1].startswith("- looks up: 2 photos, landmarks 3.00%")


def test_wrong_order_of_distances_is_said_aloud() -> None:
    distances = {"photos": [], "pairs_mm": {}, "worst_mm": 1.0, "in_order": False}
    assert "WRONG" in fit.as_markdown([ROW], {}, distances)


def test_no_photos_is_an_error_that_says_what_to_name(tmp_path: Path) -> None:
    options = parse(["fit", "--photos", str(tmp_path), "--out", str(tmp_path / "out")])
    with pytest.raises(RelightifyError) as error:
        cli.run(options)
    assert error.value.code == "no_photos"
    assert "--photos" in error.value.hint


def test_contact_sheet_fills_its_last_row() -> None:
    sheet = contact_sheet([np.full((10, 20, 3), 200, np.uint8)] * 5, columns=4, width=20)
    assert sheet.shape == (20, 80, 3)
    assert sheet[10:, 20:].max() == 0


@pytest.mark.slow
def test_a_public_domain_portrait_is_fitted_and_shown(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    cv2.imwrite(str(photos / "astronaut.png"), cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR))
    cv2.imwrite(str(photos / "wall.png"), np.full((200, 200, 3), 128, np.uint8))
    options = parse(["fit", "--photos", str(photos), "--out", str(out)])
    with landmark_model():
        assert cli.run(options) == 0
    result = json.loads((out / "fit.json").read_text())
    assert [row["id"] for row in result["photos"]] == ["astronaut"]
    assert list(result["failures"]) == ["wall"]
    row = result["photos"][0]
    assert row["landmark_error"] < fit.WORST_LIMIT
    assert row["photometric_after"] <= row["photometric_before"]
    assert row["identity_max"] < 4
    assert (out / "overlays" / "astronaut.png").is_file()
    assert (out / "contact_sheet.png").is_file()
    assert "astronaut" in (out / "fit.md").read_text()
