"""Which steps of an installation are done, so that a second try goes on where the first one failed.

A step is known by its content: its commands, the files that it depends on, and all steps ahead of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .plan import Step

FILE_NAME = "steps.json"


@dataclass(frozen=True)
class DoneSteps:
    """What is remembered.

    Args:
        done: keys of the steps that are done, in order.
        failed: key of the step that failed last, empty where none did.
    """

    done: tuple[str, ...] = ()
    failed: str = ""


def step_keys(steps: Sequence[Step], seed: str) -> list[str]:
    """What each step is known by.

    Args:
        steps: of the plan, in order.
        seed: what the whole depends on: path and version of the Python that it is built on.
    """
    keys, above = [], seed
    for step in steps:
        digest = hashlib.sha256(above.encode())
        digest.update(json.dumps([step.text, step.attempts]).encode())
        for path in step.inputs:
            digest.update(path.read_bytes())
        above = digest.hexdigest()
        keys.append(above)
    return keys


def recall(folder: Path) -> DoneSteps:
    """What is remembered in a folder; nothing where that cannot be read."""
    try:
        content = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        return DoneSteps(tuple(map(str, content["done"])), str(content["failed"]))
    except (OSError, ValueError, KeyError, TypeError):
        return DoneSteps()


def remember(folder: Path, steps: DoneSteps) -> None:
    """Write down which steps are done."""
    (folder / FILE_NAME).write_text(json.dumps(asdict(steps)), encoding="utf-8")


def forget(folder: Path) -> None:
    """Note that none is."""
    (folder / FILE_NAME).unlink(missing_ok=True)


def done_count(remembered: DoneSteps, keys: Sequence[str]) -> int:
    """How many of the steps are done, from the first one on.

    None is where one was done with other content: pip takes a package of the same version for the one that is wanted,
    although it may be another build.
    """
    done = len(remembered.done)
    return done if list(remembered.done) == list(keys[:done]) else 0
