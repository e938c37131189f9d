"""Tables, the completion task and the thirds of tone on small, known inputs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from backend.evaluation.completion import classical_fill, hide, mirroring
from backend.evaluation.kept_records import read_rows, write_rows
from backend.evaluation.skin import reflectance, tone
from backend.evaluation.skin.reflectance import Measured
from backend.evaluation.skin.tone import DARKEST, LIGHTEST, sorted_into_thirds, thirds, verdicts
from backend.evaluation.subjects import heldout_records, orbit_camera
from backend.evaluation.tables import Row, Table, mean_of, means, write_table
from backend.texture.maps import PartialTexture

SIDE = 64


def rows() -> list[Row]:
    return [
        Row("draft", "yaw 30", "a", {"PSNR": 20.0, "share": 0.5}),
        Row("draft", "yaw 30", "b", {"PSNR": 30.0, "share": float("nan")}),
        Row("baseline", "yaw 30", "a", {"PSNR": 10.0}),
    ]


def half_seen(texture: np.ndarray) -> PartialTexture:
    """The left half of a texture [S, S, 3] is seen."""
    visibility = np.zeros((SIDE, SIDE), np.float32)
    visibility[:, : SIDE // 2] = 1
    return PartialTexture((texture * visibility[..., None]).astype(np.float32), visibility)


def test_means_are_over_subjects_and_leave_out_what_was_not_measured() -> None:
    assert mean_of(rows(), "draft", "yaw 30", "PSNR") == 25.0
    assert mean_of(rows(), "draft", "yaw 30", "share") == 0.5
    assert np.isnan(mean_of(rows(), "baseline", "yaw 30", "share"))
    assert [r.subject for r in means(rows())] == ["2 subjects", "1 subjects"]


def test_rows_of_a_stopped_run_are_read_back(tmp_path: Path) -> None:
    stored = tmp_path / "out" / "rows.jsonl"
    assert read_rows(stored) == []
    for row in rows():
        write_rows([row], stored)
    assert repr(read_rows(stored)) == repr(rows())


def test_a_table_is_written_as_markdown_and_json(tmp_path: Path) -> None:
    write_table(Table("toy", "Toy", "On toys.", rows(), ["reached: all"], {"c": "no face"}), tmp_path)
    written = json.loads((tmp_path / "toy.json").read_text())
    assert written["rows"][1] == {"prior": "draft", "condition": "yaw 30", "subject": "b", "PSNR": 30.0, "share": None}
    assert written["means"][0]["PSNR"] == 25.0
    text = (tmp_path / "toy.md").read_text()
    assert "| yaw 30 | draft | 2 subjects | 25.00 | 0.500 |" in text
    assert "- c: no face" in text


def test_only_people_who_are_not_for_training_are_tested(tmp_path: Path) -> None:
    people = [{"id": n, "split": s} for n, s in (("a", "train"), ("b", "heldout"), ("c", "test"))]
    (tmp_path / "index.json").write_text(json.dumps(people))
    assert [r["id"] for r in heldout_records(tmp_path)] == ["b", "c"]
    (tmp_path / "index.json").write_text(json.dumps({"individuals": people}))
    assert [r["id"] for r in heldout_records(tmp_path)] == ["b", "c"]


def test_hiding_keeps_the_truth_and_takes_its_colours_away() -> None:
    texture = np.random.default_rng(0).random((SIDE, SIDE, 3)).astype(np.float32)
    partial = PartialTexture(texture, np.ones((SIDE, SIDE), np.float32))
    task = hide(partial, half_seen(texture).visibility, np.ones((SIDE, SIDE), bool))
    assert task.hidden[:, SIDE // 2 :].all()
    assert not task.hidden[:, : SIDE // 2].any()
    assert not task.partial.texture_srgb[task.hidden].any()
    np.testing.assert_array_equal(task.partial.texture_srgb[~task.hidden], texture[~task.hidden])


def test_mirroring_brings_back_a_symmetric_face() -> None:
    rng = np.random.default_rng(1)
    half = rng.random((SIDE, SIDE // 2, 3))
    texture = np.concatenate([half, half[:, ::-1]], axis=1)
    result = mirroring(half_seen(texture), np.ones((SIDE, SIDE), bool))
    inner = slice(8, SIDE // 2 - 8)
    np.testing.assert_allclose(result[8:-8, ::-1][:, inner], texture[8:-8, ::-1][:, inner], atol=0.02)


def test_the_membrane_continues_an_even_colour() -> None:
    texture = np.full((SIDE, SIDE, 3), [0.7, 0.5, 0.4])
    result = classical_fill(half_seen(texture), np.ones((SIDE, SIDE), bool))
    np.testing.assert_allclose(result, texture, atol=0.01)


@pytest.mark.parametrize("yaw", [0.0, 30.0, 90.0])
def test_the_orbiting_camera_looks_at_the_head_from_the_subjects_left(yaw: float) -> None:
    centre = np.array([0.0, -0.02, 0.03])
    camera = orbit_camera(centre, yaw)
    np.testing.assert_allclose(camera.project(centre[None])[0], camera.centre_px, atol=1e-6)
    towards = camera.position - centre
    assert np.degrees(np.arctan2(towards[0], towards[2])) == pytest.approx(yaw)
    assert np.linalg.det(camera.rotation) == pytest.approx(1.0)


def test_pictures_are_sorted_into_thirds_by_tone() -> None:
    fair, medium, dark = np.array([0.93, 0.81, 0.72]), np.array([0.75, 0.55, 0.43]), np.array([0.31, 0.2, 0.16])
    measured = [
        Measured(Row("draft", "portraits", name, {}), colour, error, 1.0)
        for name, colour, error in (("x", fair, 0.1), ("y", dark, 0.2), ("z", medium, 0.3))
    ]
    result = thirds(measured)
    assert [r.subject for r in result] == ["portraits y", "portraits z", "portraits x"]
    assert mean_of(result, "draft", DARKEST, "A_d error") == 0.2
    assert mean_of(result, "draft", LIGHTEST, "A_d error") == 0.1


def test_the_table_of_tones_writes_that_of_reflectance_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {"A_d": 25.0, "A_s": 30.0, "N": 40.0}
    measured = [
        Measured(Row("draft", "portraits", name, figures), np.full(3, level), 0.1, 1.0)
        for name, level in (("x", 0.8), ("y", 0.5), ("z", 0.3))
    ]
    monkeypatch.setattr(reflectance, "measure", lambda options: (measured, {}))
    assert tone.run(argparse.Namespace(out=tmp_path)) == 0
    for name, column in (("tone", "A_d error"), ("reflectance", "A_d")):
        written = json.loads((tmp_path / f"{name}.json").read_text())
        assert len(written["rows"]) == len(measured)
        assert column in (tmp_path / f"{name}.md").read_text()


def test_kinds_of_pictures_that_are_not_equally_hard_are_also_judged_apart() -> None:
    rows = [
        Row("draft", "", f"{kind} {number}", {"A_d error": error, "ITA": angle})
        for kind, error, angles in (("Cycles", 0.08, (-50, -40, 30)), ("portraits", 0.04, (-30, 50, 60)))
        for number, angle in enumerate(angles)
    ]
    told = verdicts(sorted_into_thirds(rows))
    assert [sentence.split(":")[0] for sentence in told] == ["MISSED", "reached", "reached"]
    assert "Cycles alone, draft" in told[1]
