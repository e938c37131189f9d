"""How long an installation will take yet."""

from __future__ import annotations

import pytest

from blender_addon.install.time_left import TimeLeft


def test_even_work_is_told_to_the_second() -> None:
    left = TimeLeft()
    told = [left.after(second / 100, float(second)) for second in range(101)]
    assert told[:5] == [None] * 5, "the first seconds tell little"
    assert told[50] == pytest.approx(50, abs=1)
    assert told[-1] == pytest.approx(0, abs=1)


def test_what_was_done_already_does_not_count_as_fast() -> None:
    """A second try starts at half: the other half takes 50 s, and ten of them have passed."""
    left = TimeLeft()
    told = [left.after(0.5 + second / 100, 1000.0 + second) for second in range(11)]
    assert told[-1] == pytest.approx(40, abs=1)


def test_bar_that_stands_still_tells_nothing() -> None:
    left = TimeLeft()
    assert [left.after(0.1, float(second)) for second in range(30)] == [None] * 30


def test_sudden_jump_comes_through_by_and_by() -> None:
    left = TimeLeft()
    for second in range(50):
        left.after(second / 100, float(second))
    jumped = [left.after(0.9, 50.0 + second) for second in range(5)]
    numbers = [number for number in jumped if number is not None]
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[-1] > 20, "not all at once"
