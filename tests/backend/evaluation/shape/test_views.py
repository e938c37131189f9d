"""What the table `views` says of its figures."""

from __future__ import annotations

from backend.evaluation.shape import views
from backend.evaluation.tables import Row


def rows(three: float, hidden_db: float, both: float, seconds: float) -> list[Row]:
    figures = {
        views.FRONT: {"profile": 1.0, "face": 1.0, "hidden": 20.0, "seen": 25.0, "seconds": 10.0},
        views.AROUND_VIEWS: {"profile": three, "face": three, "hidden": hidden_db, "seen": 25.0, "seconds": seconds},
        views.OTHER: {"profile": 1.0, "face": 1.0, "hidden": 20.0, "seen": 26.0, "seconds": 10.0},
        views.BOTH: {"profile": 1.0, "face": 1.0, "hidden": 20.0, "seen": both, "seconds": 15.0},
    }
    return [Row("draft", given, "a", values) for given, values in figures.items()]


def test_every_target_is_judged() -> None:
    sentences = views.verdicts(rows(three=0.6, hidden_db=23.5, both=26.0, seconds=21.0))
    assert len(sentences) == 5
    assert all(s.startswith("reached") for s in sentences)


def test_each_target_is_missed_for_itself() -> None:
    assert [s[:6] for s in views.verdicts(rows(0.8, 22.9, 25.9, 22.5))] == ["MISSED", "reache", *["MISSED"] * 3]


def test_without_all_sets_of_photos_nothing_is_judged() -> None:
    assert views.verdicts(rows(0.6, 23.5, 26.0, 21.0)[:2]) == []
