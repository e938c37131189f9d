"""What people read while a job runs."""

from __future__ import annotations

from itertools import pairwise

import pytest

from shared.stages import METHOD, stage_span, stage_text


def test_the_stages_of_the_method_fill_the_progress_bar_in_order() -> None:
    spans = [stage_span(stage.name) for stage in METHOD]
    assert spans[0][0] == 0
    assert spans[-1][1] == pytest.approx(1)
    for (_, end), (begin, _) in pairwise(spans):
        assert begin == pytest.approx(end)


def test_unknown_stages_are_shown_as_they_are_but_are_no_part_of_the_method() -> None:
    assert stage_text("polishing") == "polishing"
    with pytest.raises(KeyError):
        stage_span("polishing")
