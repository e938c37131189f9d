"""What the add-on remembers while it is enabled: the line to the backend, the current jobs, the installation.

One `Session` is made by `register` and closed by `unregister`; it hangs on `bpy.types.WindowManager` in between,
because Blender itself makes panels and operators and hands them nothing but the context.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

import bpy

from .._shared import Detect, Reconstruct, Refit, RelightifyError, Result, Welcome
from ..install.run import Setup
from . import jobs
from .ahead import Ahead
from .face_searches import FaceSearch, FaceSearches
from .job_queue import Build, Built, Entry, JobQueue, Prepare, Wanted
from .jobs import Event, Job, State
from .line import BackendChoice, BackendLink
from .refits import Refits

log = logging.getLogger(__name__)

ATTRIBUTE = "relightify_session"
TICK_SECONDS = 0.1


class Session:
    """The line to the backend and what goes over it. Used on Blender's main thread only.

    Args:
        client: name and version for the backend's log.
        redraw: has Blender draw anew what shows the session.
        prepare: does of a result what needs no Blender; called on another thread, so that Blender goes on meanwhile.
    """

    def __init__(self, client: str, redraw: Callable[[], None], prepare: Prepare) -> None:
        self.queue = JobQueue()
        self.searches = FaceSearches()
        self.imported: Built | None = None
        self.welcome: Welcome | None = None
        self.link_error: RelightifyError | None = None
        self.setup = Setup()
        self.refits = Refits()
        self._client = client
        self._redraw = redraw
        self._ahead = Ahead(prepare)
        self._link: BackendLink | None = None
        self._left: list[BackendLink] = []
        # Whether the present line has reached a backend.
        self._reached = False
        self._choice: BackendChoice | None = None
        self._setup_state = self.setup.state
        self._waiting_for_welcome = False
        # Counts the files that were opened, so that a result does not land in another one unasked.
        self._file = 0

    @property
    def job(self) -> Job | None:
        """The job to show where there is room for one, see `JobQueue.current`."""
        return self.queue.current

    @property
    def busy(self) -> bool:
        """Whether a head is under way."""
        return self.queue.busy

    @property
    def search(self) -> FaceSearch | None:
        """The search for faces that was asked for last."""
        return self.searches.latest

    @property
    def searching(self) -> bool:
        """Whether a search for faces is under way."""
        return self.searches.busy

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
        if self._link is not None and not self._link.usable():
            lost = RelightifyError("backend_lost", "The backend has ended.", "Try again.")
            self._end_jobs(lost, waiting=False)
        if self.busy:
            raise RelightifyError("busy", "Another photo is being reconstructed.", "Wait for it or cancel it.")

        def prepare(job_id: str) -> tuple[Reconstruct, Build]:
            return replace(request, job_id=job_id), build

        link = self._link_to(choice)
        self.imported = None
        job = Job(request.job_id, name, request.options)
        # Photos of a queue that could not be used stay until the artist has dealt with them.
        kept = self.queue.of(State.FAILED) if self.queue.several else ()
        self.queue = JobQueue((*kept, Entry(Wanted(name, request.options, prepare), job, self._file, build)))
        link.submit(request)

    def add(self, choice: BackendChoice, wanted: Sequence[Wanted]) -> None:
        """Have further heads made, after those that are under way; `pump` moves them on.

        Args:
            choice: which backend does it.
            wanted: the heads, in order.

        Raises:
            RelightifyError: ``busy``, another backend is at work.
        """
        self._link_to(choice)
        if not self.busy:
            self.queue = JobQueue(self.queue.of(State.FAILED) if self.queue.several else ())
        self.queue = self.queue.added(tuple(wanted), self._file)
        self._send()

    def try_again(self, choice: BackendChoice, job_id: str = "") -> None:
        """Try photos that could not be used once more.

        Args:
            choice: which backend does it.
            job_id: which; empty for all.

        Raises:
            RelightifyError: ``busy``, another backend is at work.
        """
        self._link_to(choice)
        failed = self.queue.of(State.FAILED, State.CANCELLED) if job_id else self.queue.of(State.FAILED)
        self.queue = self.queue.again(tuple(e for e in failed if job_id in ("", e.job.job_id)), self._file)
        self._send()

    def find_faces(self, choice: BackendChoice, request: Detect, name: str, key: str, *, beside: bool = False) -> None:
        """Begin to look for the faces in a photo.

        Args:
            choice: which backend does it.
            request: what the backend is asked for.
            name: the photo's name without its ending.
            key: tells this photo from others, see `FaceSearch`.
            beside: whether older searches go on; else they are given up.
        """
        link = self._link_to(choice)
        for job_id in self.searches.begin(request, name, key, beside=beside):
            link.cancel(job_id)
        link.submit(request)

    def refit(self, choice: BackendChoice, request: Refit) -> None:
        """Ask for a corrected head; `refits.latest` is the outcome. Of several requests only the newest counts.

        Args:
            choice: which backend does it.
            request: what the backend is asked for.

        Raises:
            RelightifyError: ``busy``, another backend is at work.
        """
        link = self._link_to(choice)
        now = self.refits.ask(request)
        if now is not None:
            link.submit(now)

    def check(self, choice: BackendChoice) -> None:
        """Reach the backend, starting it if need be; `welcome` or `link_error` is the outcome."""
        self.welcome = None
        self.release()
        self._waiting_for_welcome = True
        self._link_to(choice)

    def forget_outcome(self) -> None:
        """Forget how the last job ended; one that is under way goes on, and several stay until `forget_ended`."""
        if not self.busy and not self.queue.several:
            self.queue = JobQueue()

    def forget_ended(self, job_id: str = "") -> None:
        """Forget how a job of the queue ended, or with an empty id how all did; those under way go on."""
        gone = [e for e in self.queue.entries if e.job.ended and job_id in ("", e.job.job_id)]
        self.queue = JobQueue(tuple(entry for entry in self.queue.entries if entry not in gone))

    def cancel(self, job_id: str = "") -> None:
        """Stop a job, or with an empty id all; one ends when the backend has confirmed it."""
        for entry in self.queue.entries:
            job = entry.job
            if job.ended or job_id not in ("", job.job_id):
                continue
            if job.state in (State.HELD, State.WAITING):
                ended = jobs.advance(job, jobs.Failed(RelightifyError("cancelled", "It was not wanted any more.")))
                self.queue = self.queue.replaced(job.job_id, replace(entry, job=ended))
            elif self._link is not None:
                self.queue = self.queue.replaced(job.job_id, replace(entry, job=jobs.cancelling(job)))
                self._link.cancel(job.job_id)

    def accept(self) -> None:
        """Have results that wait for the user's word, and those that follow, built in the file that is open now."""
        self.queue = self.queue.accepted(self._file)

    def another_file(self) -> None:
        """Take note that another file has been opened."""
        self._file += 1

    def release(self) -> None:
        """Let go of the backend, and end it where it was started here; does not wait for that."""
        self._leave()
        self._end_jobs(RelightifyError("backend_ended", "The backend was shut down.", "Try again."), waiting=True)

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
        self._ahead.close()

    def _leave(self) -> None:
        if self._link is not None:
            self._link.leave()
            self._left = [link for link in (*self._left, self._link) if link.alive()]
            self._link = None

    # --- what the timer does ------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Have Blender call `tick` until nothing is under way any more."""
        if not bpy.app.timers.is_registered(self.tick):
            bpy.app.timers.register(self.tick, first_interval=TICK_SECONDS, persistent=True)

    def tick(self) -> float | None:
        """The timer: moves everything on, and redraws what shows it."""
        if self.pump():
            self._redraw()
        under_way = self.busy or self.searching or self.checking or self.refits.busy
        under_way = under_way or self.setup.state.busy or self.setup.looking()
        return TICK_SECONDS if under_way else None

    def pump(self) -> bool:
        """Take what came from the backend and build the head when its result is there.

        Returns:
            Whether anything changed that a panel shows.
        """
        changed = self._setup_state is not self.setup.state or self.setup.looking()
        self._setup_state = self.setup.state
        importing = next(iter(self.queue.of(State.IMPORTING)), None)
        if importing is not None and importing.file != self._file:
            self.queue = self.queue.with_held(self._file)
            return True
        result = importing.job.result if importing is not None else None
        # Without windows nobody waits for Blender to answer.
        if (
            importing is not None
            and result is not None
            and (bpy.app.background or self._ahead.is_ready(importing.job.job_id, result))
        ):
            self._import(importing, result)
            return True
        before = self.queue, self.searches.all, self.welcome, self.link_error, self.refits.latest
        if self._link is not None:
            self._listen(self._link)
        self._send()
        now = self.queue, self.searches.all, self.welcome, self.link_error, self.refits.latest
        return changed or any(one is not other for one, other in zip(before, now, strict=True))

    def _listen(self, link: BackendLink) -> None:
        alive = link.alive()
        for event in link.events():
            self._take(event)
        if not alive:
            # It was gone before its last words were read above, so jobs that have not ended by them never will. Photos
            # that still wait go to another backend, unless this one never came about.
            lost = RelightifyError("backend_lost", "The line to the backend was closed.", "Try again.")
            self._end_jobs(lost, waiting=not self._reached)
            self._waiting_for_welcome = False
            self.welcome = None

    def _send(self) -> None:
        """Send the photos whose turn is near."""
        while self._choice is not None and (entry := self.queue.to_send()) is not None:
            try:
                request, build = entry.wanted.prepare(entry.job.job_id)
                link = self._link_to(self._choice)
            except RelightifyError as error:
                changed = replace(entry, job=jobs.advance(entry.job, jobs.Failed(error)))
            else:
                link.submit(request)
                changed = replace(entry, job=jobs.sent(entry.job), build=build)
            self.queue = self.queue.replaced(entry.job.job_id, changed)

    def _take(self, event: Event) -> None:
        if isinstance(event, Welcome):
            self.welcome, self.link_error, self._waiting_for_welcome, self._reached = event, None, False, True
        if isinstance(event, jobs.Failed):
            self.link_error = event.error
            if not self._reached:
                self.queue = self.queue.failed(event.error, waiting=True)
        following = self.refits.take(event)
        if following is not None and self._link is not None:
            self._link.submit(following)
        self.queue = self.queue.advanced(event)
        self.searches.take(event)

    def _end_jobs(self, error: RelightifyError, *, waiting: bool) -> None:
        """Fail what is under way, but for results that are here already, and what waits where asked."""
        self.refits.fail(error)
        self.queue = self.queue.failed(error, waiting=waiting)
        self.searches.take(jobs.Failed(error))

    def _import(self, entry: Entry, result: Result) -> None:
        job, build = entry.job, entry.build
        if build is None:
            raise RuntimeError("a job is being imported that nothing builds")
        try:
            self.imported = build(job, result, self._ahead.take(job.job_id, result))
        except RelightifyError as error:
            ended = jobs.advance(job, jobs.Failed(error))
        except Exception as error:
            log.exception("the head could not be built")
            wrong = RelightifyError("internal", f"The head cannot be built: {error}.", "Please report this.")
            ended = jobs.advance(job, jobs.Failed(wrong))
        else:
            ended = jobs.advance(job, jobs.Imported(self.imported.warnings))
        self.queue = self.queue.replaced(job.job_id, replace(entry, job=ended))

    def _link_to(self, choice: BackendChoice) -> BackendLink:
        """The line to the backend, a new one where there is none or another backend is wanted.

        Raises:
            RelightifyError: ``busy``, the line to another backend is still needed.
        """
        if self._link is None or not self._link.usable() or self._link.choice != choice:
            usable = self._link is not None and self._link.usable()
            if self.busy and usable:
                raise RelightifyError("busy", "Another backend is still at work.", "Wait for it or cancel it.")
            self._leave()
            lost = RelightifyError("backend_lost", "The backend has ended.", "Try again.")
            self._end_jobs(lost, waiting=False)
            self.link_error, self._reached = None, False
            self._link, self._choice = BackendLink(choice, self._client), choice
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
