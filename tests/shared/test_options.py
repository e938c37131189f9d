"""What a user may choose."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import RelightifyError
from shared.options import JobOptions


@pytest.mark.parametrize(
    "wrong",
    [
        {"detail_strength": -0.1},
        {"detail_strength": 2.5},
        {"detail_strength": float("nan")},
        {"detail_strength": "strong"},
        {"age": -1},
        {"age": True},
        {"extra_maps": 1},
        {"skin_tone": -2.5},
        {"skin_tone": float("nan")},
        {"skin_tone": "dark"},
    ],
)
def test_choices_that_make_no_sense_are_plain_errors(wrong: dict[str, Any]) -> None:
    with pytest.raises(RelightifyError) as raised:
        JobOptions(**wrong)
    assert raised.value.code == "bad_option"


def test_choices_are_kept() -> None:
    options = JobOptions(detail_strength=0.5, extra_maps=True, age=60, skin_tone=-0.5)
    assert (options.detail_strength, options.extra_maps, options.age, options.skin_tone) == (0.5, True, 60, -0.5)
