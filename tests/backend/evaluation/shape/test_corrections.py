"""The table of corrections by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from backend.evaluation.shape.corrections import CHIN, DRAG, SOLVED, TWO, laid_upon, training_portraits, verdicts
from backend.evaluation.tables import Row


def test_only_people_of_the_training_split_are_taken_neutral_and_smiling_by_turns(tmp_path: Path) -> None:
    people = [{"id": f"set/{n}", "split": "heldout" if n == 1 else "train"} for n in range(4)]
    (tmp_path / "index.json").write_text(json.dumps(people))
    (tmp_path / "set").mkdir()
    for name in ("0_neutral", "1_neutral", "2_neutral", "2_smiling", "3_neutral"):
        (tmp_path / "set" / f"{name}.jpg").touch()
    found = [name for name, _ in training_portraits(tmp_path, 10)]
    assert found == ["set/0_neutral", "set/2_smiling", "set/3_neutral"]
    assert len(training_portraits(tmp_path, 2)) == 2


def test_points_are_laid_upon_others_whatever_their_size_and_turn() -> None:
    random = np.random.default_rng(0)
    points = random.normal(size=(20, 3))
    turn = Rotation.from_rotvec([0.3, -0.2, 0.5])
    other = 1.7 * turn.apply(points) + [1, 2, 3]
    np.testing.assert_allclose(laid_upon(points[:5], points, other), other[:5], atol=1e-9)


def test_verdicts_say_what_is_missed() -> None:
    drag = {"moved_px": 9.5, "pinned_px": 0.1, "far_px": 2.0, "stretch_mm": 3.0, "ms": 5.0}
    rows = [
        Row(SOLVED, DRAG, "a chin", drag),
        Row(SOLVED, DRAG, "a nose", {**drag, "pinned_px": 2.0}),
        Row(TWO, CHIN, "a", {"chin_mm": 1.2, "worst_mm": 3.0}),
    ]
    said = verdicts(rows)
    assert [sentence.split(":")[0] for sentence in said] == ["reached", "MISSED", "reached", "reached"]
