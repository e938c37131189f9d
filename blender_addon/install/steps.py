"""Carrying out the steps of an installation, one way after the other, from the first that is not done yet."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from .._shared import RelightifyError
from . import machine
from .done_steps import DoneSteps, done_count, recall, remember, step_keys
from .failure import explain_failure
from .output import StepProgress, follow, is_progress
from .plan import RAW_PROGRESS, Command, Step, without_raw_progress
from .processes import Stopped, run_command

FAILURE_LINES = 60
# The first pip that tells its progress in numbers.
RAW_PROGRESS_SINCE = (24, 1)
# Reasons that another way would not change, and that must not be hidden behind what that way said.
LASTING = ("no_network", "disk_full")


@dataclass(frozen=True)
class Workshop:
    """What the steps work with.

    Args:
        folder: of the installation; what is done is remembered there.
        variables: set in the environment of every command.
        log: gets every line but those of progress.
        stop: set when the user asks to stop.
        show: called with the step's text, how far it is, and the fraction of the whole, in [0, 1].
        say: called with every line that is logged.
    """

    folder: Path
    variables: Mapping[str, str]
    log: TextIO
    stop: threading.Event
    show: Callable[[str, StepProgress, float], None]
    say: Callable[[str], None]


def carry_out(steps: Sequence[Step], seed: str, shop: Workshop) -> None:
    """Carry out the steps that are not done yet, and remember each one that is.

    Args:
        steps: of the plan, in order.
        seed: see `done_steps.step_keys`.
        shop: what they work with.

    Raises:
        RelightifyError: a step failed in every way.
        Stopped: the user has asked to stop.
    """
    keys, remembered = step_keys(steps, seed), recall(shop.folder)
    done = done_count(remembered, keys)
    whole = sum(step.share for step in steps)
    for number, (step, key) in enumerate(zip(steps, keys, strict=True)):
        start = sum(other.share for other in steps[:number]) / whole
        if number < done:
            shop.log.write(f"{step.text}: done already\n")
            continue
        try:
            _do(step, start, step.share / whole, shop)
        except RelightifyError:
            # What a check finds twice is a fault of the steps ahead of it: those begin anew.
            begin_anew = step.checks and remembered.failed == key
            remember(shop.folder, DoneSteps((), "") if begin_anew else DoneSteps(tuple(keys[:number]), key))
            raise
        remembered = DoneSteps(tuple(keys[: number + 1]))
        remember(shop.folder, remembered)
        shop.log.flush()


def _do(step: Step, start: float, share: float, shop: Workshop) -> None:
    """Try one way after the other; the last one's output says why it failed, unless an earlier one knew better."""
    output: deque[str] = deque(maxlen=FAILURE_LINES)
    failures: list[RelightifyError] = []
    for attempt in step.attempts:
        output.clear()
        code = _attempt(step, attempt, start, share, shop, output)
        if not code:
            return
        failures.append(explain_failure(step.text, list(output), step.hint, code))
    raise next((failure for failure in failures if failure.code in LASTING), failures[-1])


def _attempt(
    step: Step, commands: Sequence[Command], start: float, share: float, shop: Workshop, output: deque[str]
) -> int:
    """Run the commands as long as they succeed; returns the last exit status, and `output` gets the last lines."""
    progress = StepProgress()

    def take(line: str) -> None:
        nonlocal progress
        progress = follow(progress, line, step.download_bytes)
        if not is_progress(line):
            shop.log.write(line + "\n")
            output.append(line)
            shop.say(line)
        shop.show(step.text, progress, start + share * progress.fraction)

    shop.show(step.text, progress, start)
    for command in commands:
        if RAW_PROGRESS[0] in command and not tells_progress(command[0]):
            command = without_raw_progress(command)
        if shop.stop.is_set():
            raise Stopped
        shop.log.write(f"$ {' '.join(command)}\n")
        code = run_command(command, shop.folder, shop.variables, shop.stop, take)
        if code:
            take(f"({Path(command[0]).name} ended with exit status {code})")
            return code
    return 0


def tells_progress(python: str, run: machine.Run = machine.run_quietly) -> bool:
    """Whether the pip of a Python tells its progress in numbers; an older one refuses to run when asked to."""
    found = re.match(r"pip (\d+)\.(\d+)", run([python, "-m", "pip", "--version"]) or "")
    return found is not None and (int(found[1]), int(found[2])) >= RAW_PROGRESS_SINCE
