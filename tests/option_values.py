"""Values for any option of a job, made from its declaration, so that tests cover options that are added later."""

from __future__ import annotations

from typing import Any

from shared.option_kinds import Choice, Number, Option
from shared.options import JOB_OPTIONS


def other_value(option: Option) -> Any:
    """An allowed and offered value that is not the default."""
    if isinstance(option, Choice):
        return next(value for value in option.offered if value != option.default)
    if isinstance(option, Number):
        # Beside the lower end, so that it fits a step of Blender's and is no default.
        value = option.low + option.step * (1 if option.low + option.step != option.default else 2)
        return int(value) if option.whole else float(value)
    return not option.default


def wrong_values(option: Option) -> list[Any]:
    """Values that must be refused: of wrong types, and out of range."""
    wrong: list[Any] = ["nonsense", [], {}, float("nan"), float("inf"), b"1"]
    if isinstance(option, Number):
        wrong += [True, option.low - 1, option.high + 1, *([1.0] if option.whole else [])]
        wrong += [] if option.unset else [None]
    elif isinstance(option, Choice):
        wrong += [None, True, *(float(value) for value in option.values if isinstance(value, int))]
    else:
        wrong += [None, 0, 1, "true"]
    return wrong


WRONG = [(name, value) for name, option in JOB_OPTIONS.items() for value in wrong_values(option)]
