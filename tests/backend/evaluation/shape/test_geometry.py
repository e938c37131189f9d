"""What the table `geometry` says of its figures."""

from __future__ import annotations

from backend.evaluation.shape import geometry
from backend.evaluation.tables import Row, gain_over_people


def rows(fit: float, landmarks: float, mean: float) -> list[Row]:
    found = []
    for person, off in (("a", 0.0), ("b", 0.1), ("c", -0.1)):
        for yaw in (0, 30):
            for method, value in ((geometry.FIT, fit), (geometry.LANDMARKS, landmarks), (geometry.MEAN, mean)):
                own = value + (off if method == geometry.MEAN else 0.0)
                figures: dict[str, float] = {name: own for name in geometry.MEASURES}
                found.append(Row(method, f"yaw {yaw}", f"{person} yaw_{yaw}", figures))
    return found


def test_every_region_and_yaw_is_judged_against_the_mean_head() -> None:
    sentences = geometry.verdicts(rows(fit=1.0, landmarks=1.1, mean=1.4))
    assert len(sentences) == 5 * 2 + 5 * 3
    assert all(s.startswith("reached") for s in sentences)
    assert sum(s.startswith("MISSED") for s in geometry.verdicts(rows(fit=1.5, landmarks=1.6, mean=1.4))) == 10


def test_a_photometric_stage_that_makes_it_worse_is_missed() -> None:
    assert sum(s.startswith("MISSED") for s in geometry.verdicts(rows(fit=1.2, landmarks=1.1, mean=1.4))) == 15


def test_a_persons_pictures_count_once_in_a_gain() -> None:
    gain = gain_over_people(rows(1.0, 1.1, 1.4), "nose", geometry.MEAN, geometry.FIT)
    assert gain.count == 3
    assert abs(gain.mean - 0.4) < 1e-9
    assert abs(gain.error - 0.1 / 3**0.5) < 1e-9
