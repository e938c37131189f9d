"""The pseudo-ground truth of test portraits is calibrated as the training data is."""

from __future__ import annotations

import numpy as np
import pytest

from backend.evaluation.skin.pseudo_truth import _gains
from backend.training.skin.calibration import photo_gains
from backend.training.skin.portraits import Person
from shared.errors import RelightifyError

PEOPLE = [
    Person("a/1", 20, "white"),
    Person("a/2", 25, "white"),
    Person("a/3", 30, "black"),
    Person("b/1", 30, "east_asian"),
    Person("b/2", 70, "white"),
]
TONES = {p.identifier: np.log(np.full(3, v)) for p, v in zip(PEOPLE, (0.2, 0.6, 0.05, 0.3, 0.4), strict=True)}


def test_people_are_calibrated_as_for_training() -> None:
    gains = _gains(PEOPLE, TONES)
    expected = photo_gains(PEOPLE[:3], TONES)
    for name, gain in expected.items():
        np.testing.assert_allclose(gains[name], gain)


def test_a_set_without_young_reference_people_takes_the_mean_gain_of_the_others() -> None:
    gains = _gains(PEOPLE, TONES)
    mean = np.mean([gains[p.identifier] for p in PEOPLE[:3]], axis=0)
    np.testing.assert_allclose(gains["b/1"], mean)
    np.testing.assert_allclose(gains["b/2"], mean)


def test_without_any_reference_people_it_is_an_error() -> None:
    with pytest.raises(RelightifyError, match="mean tone"):
        _gains(PEOPLE[2:4], TONES)
