"""What the add-on remembers while it is enabled: the line to the backend, the current jobs, the installation.

One `Session` is made by `register` and closed by `unregister`; it hangs on `bpy.types.WindowManager` in between,
because Blender itself makes panels and operators and hands them nothing but the context.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import bpy

from .._shared import Detect, Reconstruct, RelightifyError, Result, Welcome
from ..install.run import Setup
from . import jobs
from .jobs import Event, Job, State
from .line import BackendChoice, BackendLink

log = logging.getLogger(__name__)

ATTRIBUTE = "relightify_session"
TICK_SECONDS = 0.1


class Built(Protocol):
    """What was built of a result; all that matters here is what could not be done."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for the user."""
        ...


Build = Callable[[Job, Result], Built]


@dataclass(frozen=True)
class FaceSearch:
    """The search for the faces of a photo.

    Args:
        key: the photo, as whoever asked tells photos apart.
        job: where the search is; its `faces` are the outcome.
    """

    key: str
    job: Job


class Session:
    """The line to the backend and what goes over it. Used on Blender's main thread only.

    Args:
        client: name and version for the backend's log.
        redraw: has Blender draw anew what shows the session.
    """

    def __init__(self, client: str, redraw: Callable[[], None]) -> None:
        self.job: Job | None = None
        self.search: FaceSearch | None = None
        self.imported: Built | None = None
        self.welcome: Welcome | None = None
        self.link_error: RelightifyError | None = None
        self.setup = Setup()
        self._client = client
        self._redraw = redraw
        self._link: BackendLink | None = None
        self._left: list[BackendLink] = []
        self._build: Build | None = None
        self._setup_state = self.setup.state
        self._waiting_for_welcome = False
        # Counts the files that were opened, so that a result does not land in another one unasked.
        self._file = self._started_in = 0

    @property
    def busy(self) -> bool:
        """Whether a head is under way."""
        return self.job is not None and not self.job.ended

    @property
    def searching(self) -> bool:
        """Whether a search for faces is under way."""
        return self.search is not None and not self.search.job.ended

    @property
    def linked(self) -> bool:
        """Whether there is a line to a backend, which then holds its models in memory."""
        return self._link is not None and self._link.usable()

    @property
    def checking(self) -> bool:
        """Whether an answer of the backend is being waited for."""
        return self._waiting_for_welcome

    # --- what operators ask for ---------------------------------------------------------------------------------

    def start(self, choice: BackendChoice, request: Reconstruct, name: str, build: Build) -> None:
        """Begin a job; `pump` moves it on.

        Args:
            choice: which backend does it.
            request: what the backend is asked for.
            name: the photo's name without its ending.
            build: makes of the result what is to stand in Blender.

        Raises:
            RelightifyError: ``busy``, another job is under way.
        """
        if self._link is not None and not self._link.usable():
            self.pump()  # what was under way on a line that is dead has failed, whether or not the timer has seen it
            if self.busy and self.job is not None and self.job.state not in (State.IMPORTING, State.HELD):
                self.release()
        if self.busy:
            raise RelightifyError("busy", "Another photo is being reconstructed.", "Wait for it or cancel it.")
        link = self._link_to(choice)
        self._build, self._started_in = build, self._file
        self.job = Job(request.job_id, name, request.options)
        self.imported = None
        link.submit(request)

    def find_faces(self, choice: BackendChoice, request: Detect, name: str, key: str) -> None:
        """Begin to look for the faces in a photo; an older search is given up.

        Args:
            choice: which backend does it.
            request: what the backend is asked for.
            name: the photo's name without its ending.
            key: tells this photo from others, see `FaceSearch`.
        """
        link = self._link_to(choice)
        if self.search is not None and self.searching:
            link.cancel(self.search.job.job_id)
        self.search = FaceSearch(key, Job(request.job_id, name))
        link.submit(request)

    def check(self, choice: BackendChoice) -> None:
        """Reach the backend, starting it if need be; `welcome` or `link_error` is the outcome."""
        self.welcome = None
        self.release()
        self._waiting_for_welcome = True
        self._link_to(choice)

    def forget_outcome(self) -> None:
        """Forget how the last job ended; one that is under way goes on."""
        if not self.busy:
            self.job = None

    def cancel(self) -> None:
        """Stop the current job; it ends when the backend has confirmed it."""
        if self.job is not None and self.job.state is State.HELD:
            self.job = jobs.advance(self.job, jobs.Failed(RelightifyError("cancelled", "The result was discarded.")))
            self._build = None
        elif self.job is not None and self.busy and self._link is not None:
            self.job = jobs.cancelling(self.job)
            self._link.cancel(self.job.job_id)

    def accept(self) -> None:
        """Have a result that waits for the user's word built in the file that is open now."""
        if self.job is not None:
            self._started_in = self._file
            self.job = jobs.accepted(self.job)

    def another_file(self) -> None:
        """Take note that another file has been opened."""
        self._file += 1

    def release(self) -> None:
        """Let go of the backend, and end it where it was started here; does not wait for that."""
        if self._link is not None:
            self._link.leave()
            self._left = [link for link in (*self._left, self._link) if link.alive()]
            self._link = None
        self._end_jobs(RelightifyError("backend_ended", "The backend was shut down.", "Try again."))

    def wait_for_release(self) -> None:
        """Wait until backends that were let go of have ended; may be called from any thread."""
        for link in self._left:
            link.close()

    def close(self) -> None:
        """Let go of the backend, and wait until it has ended."""
        if bpy.app.timers.is_registered(self.tick):
            bpy.app.timers.unregister(self.tick)
        self.setup.close()
        self.release()
        self.wait_for_release()

    # --- what the timer does ------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Have Blender call `tick` until nothing is under way any more."""
        if not bpy.app.timers.is_registered(self.tick):
            bpy.app.timers.register(self.tick, first_interval=TICK_SECONDS, persistent=True)

    def tick(self) -> float | None:
        """The timer: moves everything on, and redraws what shows it."""
        if self.pump():
            self._redraw()
        under_way = self.busy or self.searching or self.checking or self.setup.state.busy or self.setup.looking()
        return TICK_SECONDS if under_way else None

    def pump(self) -> bool:
        """Take what came from the backend and build the head when its result is there.

        Returns:
            Whether anything changed that a panel shows.
        """
        changed = self._setup_state is not self.setup.state or self.setup.looking()
        self._setup_state = self.setup.state
        if self.job is not None and self.job.state is State.IMPORTING and self._file != self._started_in:
            self.job = jobs.held(self.job)
            return True
        if self.job is not None and self.job.state is State.IMPORTING:
            # One tick later than the result, so that the panel could say what Blender is busy with.
            self._import(self.job)
            return True
        if self._link is None:
            return changed
        before = self.job, self.search, self.welcome, self.link_error
        alive = self._link.alive()
        for event in self._link.events():
            self._take(event)
        if not alive:
            # It was gone before its last words were read above, so jobs that have not ended by them never will.
            self._end_jobs(RelightifyError("backend_lost", "The line to the backend was closed.", "Try again."))
            self._waiting_for_welcome = False
            self.welcome = None
        return changed or before != (self.job, self.search, self.welcome, self.link_error)

    def _take(self, event: Event) -> None:
        if isinstance(event, Welcome):
            self.welcome, self.link_error, self._waiting_for_welcome = event, None, False
        if isinstance(event, jobs.Failed):
            self.link_error = event.error
        if self.job is not None:
            self.job = jobs.advance(self.job, event)
        if self.search is not None:
            self.search = replace(self.search, job=jobs.advance(self.search.job, event))

    def _end_jobs(self, error: RelightifyError) -> None:
        """Fail what is under way, but for a result that is here already."""
        failed = jobs.Failed(error)
        if self.job is not None and self.job.state not in (State.IMPORTING, State.HELD):
            self.job = jobs.advance(self.job, failed)
        if self.search is not None:
            self.search = replace(self.search, job=jobs.advance(self.search.job, failed))

    def _import(self, job: Job) -> None:
        build, result = self._build, job.result
        if build is None or result is None:
            raise RuntimeError("a job is being imported without a result")
        try:
            self.imported = build(job, result)
        except RelightifyError as error:
            self.job = jobs.advance(job, jobs.Failed(error))
        except Exception as error:
            log.exception("the head could not be built")
            wrong = RelightifyError("internal", f"The head cannot be built: {error}.", "Please report this.")
            self.job = jobs.advance(job, jobs.Failed(wrong))
        else:
            self.job = jobs.advance(job, jobs.Imported((*result.warnings, *self.imported.warnings)))
        self._build = None

    def _link_to(self, choice: BackendChoice) -> BackendLink:
        """The line to the backend, a new one where there is none or another backend is wanted.

        Raises:
            RelightifyError: ``busy``, the line to another backend is still needed.
        """
        if self._link is None or not self._link.usable() or self._link.choice != choice:
            if self.busy and self._link is not None and self._link.usable():
                raise RelightifyError("busy", "Another backend is still at work.", "Wait for it or cancel it.")
            self.release()
            self.link_error = None
            self._link = BackendLink(choice, self._client)
        return self._link


@bpy.app.handlers.persistent
def on_load(_path: object) -> None:
    """Handler of Blender's: another file is open, or the same one anew."""
    session: Session | None = getattr(bpy.types.WindowManager, ATTRIBUTE, None)
    if session is not None:
        session.another_file()


def session_of(context: bpy.types.Context) -> Session:
    """The session of the enabled add-on."""
    return getattr(bpy.types.WindowManager, ATTRIBUTE)


def wait(session: Session, under_way: Callable[[], bool], sleep: Callable[[float], None]) -> None:
    """Move everything on until nothing is under way, for scripts and Blender without a window."""
    while under_way():
        session.pump()
        sleep(0.02)
