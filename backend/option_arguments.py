"""The command line's arguments for the options of a job, from their declarations."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from shared.errors import RelightifyError
from shared.option_kinds import Choice, Flag, Number, Option, plain
from shared.options import JOB_OPTIONS, JobOptions


def add_option_arguments(parser: argparse.ArgumentParser, *names: str) -> None:
    """Declare an argument for each option of a job, or for those that are named."""
    for name in names or JOB_OPTIONS:
        option = JOB_OPTIONS[name]
        if isinstance(option, Flag):
            action = argparse.BooleanOptionalAction if option.default else "store_true"
            parser.add_argument(flag_of(name), action=action, default=option.default, help=help_of(option))
        else:
            parser.add_argument(
                flag_of(name), type=_reader(name, option), default=option.default, metavar=metavar_of(option),
                help=help_of(option),
            )  # fmt: skip


def options_of(parsed: argparse.Namespace) -> JobOptions:
    """The options of a parsed command line to which all of them were added.

    Raises:
        RelightifyError: ``bad_option``, they do not go together.
    """
    return JobOptions(**{name: getattr(parsed, name) for name in JOB_OPTIONS})


def flag_of(name: str) -> str:
    """`--detail-strength` for `detail_strength`."""
    return f"--{name.replace('_', '-')}"


def metavar_of(option: Option) -> str:
    """What stands for the value in the help; choices that are not offered are not told."""
    if isinstance(option, Choice):
        return f"{{{','.join(map(str, option.offered))}}}"
    unit = option.unit if isinstance(option, Number) else ""
    return unit.upper() or ("N" if isinstance(option, Number) and option.whole else "X")


def help_of(option: Option) -> str:
    """The artists' sentence, the range and the default."""
    facts: list[str] = []
    if isinstance(option, Number) and option.unset is not None:
        facts.append(f"default: {option.unset.text}")
    elif isinstance(option, Number):
        facts += [f"{plain(option.low)} to {plain(option.high)}", f"default: {plain(option.default)}"]
    elif isinstance(option, Choice):
        facts.append(f"default: {option.default}")
    sentence = option.help[0].lower() + option.help[1:]
    # argparse fills in what follows a percent sign.
    return " ".join([sentence, *([f"({', '.join(facts)})"] if facts else [])]).replace("%", "%%")


def _reader(name: str, option: Option) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return option.read(name, text)
        except RelightifyError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read
