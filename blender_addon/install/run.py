"""Carrying out the installation on a thread of its own; Blender's main thread only looks at its state. No Blender."""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import Enum
from pathlib import Path

from .._shared import CACHE_VARIABLE, RelightifyError
from . import machine, plan
from .done_steps import FILE_NAME as DONE_STEPS
from .done_steps import forget, recall
from .output import StepProgress
from .plan import SetupOptions
from .processes import STOP_SECONDS, Stopped
from .steps import Workshop, carry_out
from .time_left import TimeLeft

log = logging.getLogger(__name__)

RECORD = "backend.json"
LOG_NAME = "install.log"
TAIL_LINES = 200


class Phase(Enum):
    """Where an installation is."""

    IDLE = "idle"
    INSTALLING = "installing"
    REMOVING = "removing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class SetupState:
    """What the preferences show.

    Args:
        phase: where it is.
        step: what is being done.
        detail: more of that; may be empty.
        fraction: of the whole, in [0, 1].
        seconds_left: estimate, None while there is none.
        error: why it failed.
        tail: the last lines of the log.
    """

    phase: Phase = Phase.IDLE
    step: str = ""
    detail: str = ""
    fraction: float = 0.0
    seconds_left: float | None = None
    error: RelightifyError | None = None
    tail: tuple[str, ...] = ()

    @property
    def busy(self) -> bool:
        return self.phase in (Phase.INSTALLING, Phase.REMOVING)


@dataclass(frozen=True)
class InstalledBackend:
    """What an installation leaves behind.

    Args:
        wheel: name of the wheel's file; another name in the add-on means an update.
        wheel_sha: start of its checksum.
        variant: key of `plan.VARIANTS`.
        base_python: the interpreter it was built on.
        size_bytes: on the disk.
    """

    wheel: str
    wheel_sha: str
    variant: str
    base_python: str
    size_bytes: int


class Setup:
    """Installs and removes the backend. Its methods return at once; `state` says how far it is."""

    def __init__(self) -> None:
        self.state = SetupState()
        self.survey: machine.Survey | None = None
        self._thread: threading.Thread | None = None
        self._looking: threading.Thread | None = None
        self._stop = threading.Event()
        self._time_left = TimeLeft()
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)

    def look_around(self, folder: Path, python: Path | None, *, again: bool = False) -> None:
        """Fill in `survey` soon, unless it is there already."""
        if self._looking is not None and (self._looking.is_alive() or not again):
            return

        def look() -> None:
            self.survey = machine.survey(folder, python)

        self._looking = threading.Thread(target=look, name="relightify survey", daemon=True)
        self._looking.start()

    def looking(self) -> bool:
        """Whether `survey` is about to change."""
        return self._looking is not None and self._looking.is_alive()

    def install(self, options: SetupOptions, before: Callable[[], None] = lambda: None, *, fresh: bool = False) -> None:
        """Begin an installation, or go on with one that failed or was cancelled.

        Args:
            options: what to install, and how.
            fresh: do again what an earlier try has done.
            before: called first, on the thread: ends a backend that runs out of the folder.

        Raises:
            RelightifyError: ``busy``.
        """

        def install() -> None:
            before()
            self._install(options, fresh)

        self._begin(Phase.INSTALLING, install)

    def remove(self, folder: Path, before: Callable[[], None] = lambda: None) -> None:
        """Begin to remove everything that `install` made.

        Args:
            folder: as in `SetupOptions`.
            before: called first, on the thread: ends a backend that runs out of the folder.

        Raises:
            RelightifyError: ``busy``.
        """

        def remove() -> None:
            before()
            remove_folder(folder)
            self.state = SetupState()

        self._begin(Phase.REMOVING, remove)

    def cancel(self) -> None:
        """Stop soon; the steps that are done are remembered, so that a second try goes on there."""
        self._stop.set()

    def close(self) -> None:
        """Stop, and wait for the thread."""
        self._stop.set()
        for thread in (self._thread, self._looking):
            if thread is not None:
                thread.join(2 * STOP_SECONDS)

    def _begin(self, phase: Phase, work: Callable[[], None]) -> None:
        if self.state.busy:
            raise RelightifyError("busy", "The backend is being installed or removed.", "Wait for it or cancel it.")
        self._stop.clear()
        self._lines.clear()
        self.state = SetupState(phase, "Getting ready")

        def run() -> None:
            try:
                work()
            except Stopped:
                self._end(Phase.CANCELLED)
            except RelightifyError as error:
                self._end(Phase.FAILED, error)
            except OSError as error:
                text = f"A file cannot be written: {error.strerror or error}."
                self._end(Phase.FAILED, RelightifyError("cache_unwritable", text, "Check free space and permissions."))
            except Exception as error:
                log.exception("the installation failed")
                wrong = RelightifyError("internal", f"The add-on failed: {error}.", "Please report this.")
                self._end(Phase.FAILED, wrong)

        self._thread = threading.Thread(target=run, name="relightify setup", daemon=True)
        self._thread.start()

    def _end(self, phase: Phase, error: RelightifyError | None = None) -> None:
        self.state = replace(
            self.state, phase=phase, error=error, detail="", seconds_left=None, tail=tuple(self._lines)
        )

    # --- on the thread ------------------------------------------------------------------------------------------

    def _install(self, options: SetupOptions, fresh: bool) -> None:
        self.survey = machine.survey(options.folder, options.python)
        variant = plan.check(options, self.survey)
        assert self.survey.python is not None
        base = self.survey.python.path
        options.folder.mkdir(parents=True, exist_ok=True)
        (options.folder / RECORD).unlink(missing_ok=True)
        if fresh or not plan.environment_python(options.folder).exists():
            forget(options.folder)
        seed = f"{base} {self.survey.python.version}"
        self._time_left = TimeLeft()
        with (options.folder / LOG_NAME).open("w", encoding="utf-8", errors="replace") as file:
            variables = backend_environment(options.folder)
            shop = Workshop(options.folder, variables, file, self._stop, self._show, self._lines.append)
            carry_out(plan.plan(options, base, variant), seed, shop)
        forget(options.folder)
        size = plan.folder_bytes(options.folder)
        sha = wheel_checksum(options.wheel)
        record = InstalledBackend(options.wheel.name, sha, variant.kind, str(base), size)
        (options.folder / RECORD).write_text(json.dumps(asdict(record), indent=1), encoding="utf-8")
        self.state = replace(self.state, phase=Phase.DONE, step="Installed", detail="", fraction=1.0, seconds_left=None)

    def _show(self, text: str, progress: StepProgress, fraction: float) -> None:
        fraction = max(self.state.fraction, fraction)
        self.state = replace(
            self.state,
            step=text,
            detail=progress.detail,
            fraction=fraction,
            seconds_left=self._time_left.after(fraction, time.monotonic()),
            tail=tuple(self._lines)[-12:],
        )


def backend_environment(folder: Path) -> dict[str, str]:
    """Variables for an installed backend: what it fetches and writes stays in its folder, and goes with it."""
    if os.environ.get(CACHE_VARIABLE):
        return {}
    return {CACHE_VARIABLE: str(folder / "cache")}


def installed_backend(folder: Path) -> InstalledBackend | None:
    """What is installed in `folder`, None where nothing is, or where its Python has gone."""
    try:
        content = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        record = InstalledBackend(**content)
    except (OSError, ValueError, TypeError):
        return None
    # A link to Blender's own Python points nowhere once that Blender has been removed.
    return record if plan.environment_python(folder).exists() else None


def begun(folder: Path) -> bool:
    """Whether an installation that did not end has steps done, with which a second try would go on."""
    return bool(recall(folder).done) and plan.environment_python(folder).exists()


def wheel_checksum(wheel: Path) -> str:
    """The start of the SHA-256 of a file."""
    import hashlib

    return hashlib.sha256(wheel.read_bytes()).hexdigest()[:16]


def remove_folder(folder: Path) -> None:
    """Remove what an installation made, and nothing else in the folder.

    Raises:
        RelightifyError: ``cannot_remove``.
    """
    try:
        for name in (RECORD, LOG_NAME, DONE_STEPS):
            (folder / name).unlink(missing_ok=True)
        for name in (plan.environment_folder(folder).name, "cache"):
            if (folder / name).exists():
                shutil.rmtree(folder / name)
        if folder.exists() and not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        raise RelightifyError(
            "cannot_remove",
            f"Not everything could be removed: {error.strerror}.",
            f"Close programs that use the backend and try again, or delete {folder} yourself.",
        ) from error
