"""The kinds of option that a job can have: a number, a choice among few values, a flag.

A declaration holds all that command line, wire and Blender need to offer an option and to check what they are given;
`shared.options` declares the options themselves.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NoReturn

from .errors import RelightifyError

# Of a wrong value, as much as an error shows.
MAX_SHOWN = 40


@dataclass(frozen=True, kw_only=True)
class Option(ABC):
    """What every option has.

    Args:
        default: what a job that leaves the option out has.
        label: name in Blender's panel, in title case.
        help: half a sentence for artists, without a full stop: tooltip and help of the command line.
        shown: whether the panel has a row for it.
    """

    default: Any
    label: str
    help: str
    shown: bool = True

    @property
    @abstractmethod
    def allowed(self) -> str:
        """The values that may be given, in words that follow "Use"."""

    @abstractmethod
    def allows(self, value: object) -> bool:
        """Whether a job may have this value; the type counts, so that 512.0 is no size and True no number."""

    @abstractmethod
    def parse(self, text: str) -> object:
        """The value that a text on a command line stands for; whether it is allowed is seen later.

        Raises:
            ValueError: it stands for none.
        """

    def check(self, name: str, value: object) -> None:
        """Refuse a value that a job may not have.

        Raises:
            RelightifyError: ``bad_option``.
        """
        if not self.allows(value):
            self.refuse(name, value)

    def read(self, name: str, text: str) -> object:
        """The value that a text on a command line stands for.

        Raises:
            RelightifyError: ``bad_option``.
        """
        try:
            value = self.parse(text)
        except ValueError:
            self.refuse(name, text)
        self.check(name, value)
        return value

    def refuse(self, name: str, value: object) -> NoReturn:
        """Raise the error that names what is allowed."""
        shown = repr(value)
        shown = shown if len(shown) <= MAX_SHOWN else f"{shown[:MAX_SHOWN]}..."
        raise RelightifyError(
            "bad_option", f"The option {name.replace('_', ' ')} cannot be {shown}.", f"Use {self.allowed}."
        )


@dataclass(frozen=True)
class Unset:
    """How a number that need not be given looks where it is not.

    Args:
        text: what then holds, in the panel and on the command line.
        stand_in: number that stands for None in Blender, whose properties always have a value; no job has it.
        first: where the panel's number begins once the user gives one.
    """

    text: str
    stand_in: int
    first: float


@dataclass(frozen=True, kw_only=True)
class Number(Option):
    """A number in a range, both ends included.

    Args:
        low: least value.
        high: largest value.
        whole: only integers are allowed.
        unit: what is counted or measured, plural; empty for plain numbers.
        step: by which Blender's arrows change it; its decimals are those that are shown.
        slider: Blender draws it as a slider.
        unset: where the number may be left out, how that looks; the default then is None.
    """

    low: float
    high: float
    whole: bool = False
    unit: str = ""
    step: float = 1.0
    slider: bool = False
    unset: Unset | None = None

    @property
    def allowed(self) -> str:
        what = self.unit or ("a whole number" if self.whole else "a number")
        return f"{what} from {plain(self.low)} to {plain(self.high)}{', or leave it out' if self.unset else ''}"

    def allows(self, value: object) -> bool:
        if value is None:
            return self.unset is not None
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            return False
        # Neither inf nor NaN lies between.
        return self.low <= value <= self.high

    def parse(self, text: str) -> object:
        return int(text) if self.whole else float(text)


@dataclass(frozen=True)
class ChoiceItem:
    """One value of a choice.

    Args:
        value: what a job has.
        label: name in Blender's menu.
        help: half a sentence for artists, without a full stop.
        offered: False for what developers compare with: allowed, but in no menu and in no help.
    """

    value: str | int
    label: str
    help: str
    offered: bool = True


@dataclass(frozen=True, kw_only=True)
class Choice(Option):
    """One of a few values, all texts or all integers.

    Args:
        items: the values. A file of Blender holds a value's place in this order, so new ones come last.
    """

    items: tuple[ChoiceItem, ...]

    @property
    def values(self) -> tuple[Any, ...]:
        """All values, those that are not offered included."""
        return tuple(item.value for item in self.items)

    @property
    def offered(self) -> tuple[Any, ...]:
        """The values that users are told of."""
        return tuple(item.value for item in self.items if item.offered)

    @property
    def allowed(self) -> str:
        return ", ".join(map(str, self.offered))

    def allows(self, value: object) -> bool:
        return type(value) is type(self.default) and value in self.values

    def parse(self, text: str) -> object:
        return type(self.default)(text)


@dataclass(frozen=True, kw_only=True)
class Flag(Option):
    """Something that is wanted or not."""

    @property
    def allowed(self) -> str:
        return "true or false"

    def allows(self, value: object) -> bool:
        return isinstance(value, bool)

    def parse(self, text: str) -> object:
        if text not in ("true", "false"):
            raise ValueError(text)
        return text == "true"


def plain(number: float) -> str:
    """A number without zeros that say nothing: 2, 0.5, 4294967295."""
    return str(int(number)) if float(number).is_integer() else str(number)
