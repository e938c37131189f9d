"""What may be said of corrected landmarks, and how it is told."""

from __future__ import annotations

import json

import pytest

from shared.corrections import MAX_CORRECTIONS, Correction, Corrections, read_corrections
from shared.errors import RelightifyError

PIN = Correction((3.5, 4.25), vertices=(1, 2, 3), weights=(0.5, 0.25, 0.25))
ALL = Corrections((Correction((1.0, 2.0), handle="chin"), Correction((5.0, 6.0), landmark=61), PIN))


def test_corrections_come_back_from_json_as_they_went() -> None:
    assert read_corrections(json.loads(json.dumps(ALL.plain()))) == ALL


def test_corrections_are_found_in_what_a_reconstruction_says() -> None:
    assert read_corrections({"format": 1, "corrections": ALL.plain()}) == ALL


@pytest.mark.parametrize(
    "wrong",
    [
        "chin",
        {"landmarks": []},
        [1],
        [{"handle": "chin"}],
        [{"handle": "chin", "pixel": "12"}],
        [{"handle": "chin", "pixel": [1]}],
        [{"handle": "chin", "pixel": [1, float("nan")]}],
        [{"handle": "chin", "pixel": [1, 1e9]}],
        [{"handle": "", "pixel": [1, 2]}],
        [{"handle": 3, "pixel": [1, 2]}],
        [{"handle": "chin", "landmark": 1, "pixel": [1, 2]}],
        [{"pixel": [1, 2]}],
        [{"landmark": 478, "pixel": [1, 2]}],
        [{"landmark": -1, "pixel": [1, 2]}],
        [{"landmark": True, "pixel": [1, 2]}],
        [{"vertices": [1, 2, 3], "pixel": [1, 2]}],
        [{"vertices": [1, 2], "weights": [0.5, 0.5], "pixel": [1, 2]}],
        [{"vertices": [1, 2, -3], "weights": [1, 0, 0], "pixel": [1, 2]}],
        [{"vertices": [1, 2, 3], "weights": [1, 1, 0], "pixel": [1, 2]}],
        [{"vertices": 7, "weights": [1, 0, 0], "pixel": [1, 2]}],
        [{"handle": "chin", "pixel": [1, 2], "colour": 3}],
        [{"handle": "chin", "pixel": [1, 2]}, {"handle": "chin", "pixel": [3, 4]}],
        [{"landmark": 1, "pixel": [n, 2]} for n in range(MAX_CORRECTIONS + 1)],
    ],
)
def test_what_is_malformed_is_an_error_that_says_how_it_should_be(wrong: object) -> None:
    with pytest.raises(RelightifyError) as error:
        read_corrections(wrong)
    assert error.value.code == "bad_corrections"
    assert "pixel" in error.value.hint


def test_a_point_that_is_corrected_again_takes_the_place_of_the_older_one() -> None:
    again = ALL.with_point(Correction((9.0, 9.0), handle="chin"))
    assert len(again.points) == 3
    assert again.points[-1].pixel == (9.0, 9.0)
    assert not Corrections((PIN,)).without(PIN)
