"""What the add-on remembers while it is enabled: the line to the backend, the current jobs, the installation.

One `Session` is made by `register` and closed by `unregister`; it hangs on `bpy.types.WindowManager` in between,
because Blender itself makes panels and operators and hands them nothing but the context.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import bpy

from .._shared import Detect, JobOptions, Reconstruct, RelightifyError, Result, Welcome, new_job_id
from ..install.run import Setup
from ..scene.heads import ImportedHead, is_head_collection
from ..scene.importer import import_head
from ..scene.parts import FULL
from ..scene.photo_source import PhotoSource
from ..scene.replacing import replace_head
from ..scene.samples import forget_samples, keep_samples
from ..ui import previews
from ..ui.properties.light import adopt_photo_light
from . import jobs
from .jobs import Event, Job, State
from .line import BackendChoice, BackendLink

log = logging.getLogger(__name__)

ATTRIBUTE = "relightify_session"
TICK_SECONDS = 0.1


@dataclass(frozen=True)
class ImportOptions:
    """What to do with a finished head.

    Args:
        use_camera: add the photo's camera and look through it.
        use_light: make the photo's light the scene's world.
        parts: `parts.FULL` or `parts.SKIN`.
        target: name of the collection of the head that is to be renewed; empty for a new head.
    """

    use_camera: bool = True
    use_light: bool = True
    parts: str = FULL
    target: str = ""


@dataclass(frozen=True)
class Request:
    """A job and everything that its import needs."""

    photo: PhotoSource
    scene_name: str
    options: JobOptions
    import_options: ImportOptions


@dataclass(frozen=True)
class FaceSearch:
    """The search for the faces of a photo.

    Args:
        key: the photo, see `photo_source.photo_key`.
        job: where the search is; its `faces` are the outcome.
    """

    key: str
    job: Job


class Session:
    """The line to the backend and what goes over it. Used on Blender's main thread only.

    Args:
        client: name and version for the backend's log.
    """

    def __init__(self, client: str) -> None:
        self.job: Job | None = None
        self.search: FaceSearch | None = None
        self.imported: ImportedHead | None = None
        self.welcome: Welcome | None = None
        self.link_error: RelightifyError | None = None
        self.setup = Setup()
        self.previews = previews.Previews()
        self._client = client
        self._link: BackendLink | None = None
        self._left: list[BackendLink] = []
        self._request: Request | None = None
        self._setup_state = self.setup.state
        self._waiting_for_welcome = False

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
        return self._link is not None and self._link.alive()

    @property
    def checking(self) -> bool:
        """Whether an answer of the backend is being waited for."""
        return self._waiting_for_welcome

    # --- what operators ask for ---------------------------------------------------------------------------------

    def start(self, choice: BackendChoice, photo: PhotoSource, options: JobOptions, request: ImportOptions) -> None:
        """Begin a job; `pump` moves it on.

        Raises:
            RelightifyError: ``busy``, another job is under way; whatever is wrong with the options.
        """
        if self.busy:
            raise RelightifyError("busy", "Another photo is being reconstructed.", "Wait for it or cancel it.")
        message = Reconstruct(new_job_id(), photo.data, options, photo.file_name)
        link = self._link_to(choice)
        self._request = Request(photo, bpy.context.scene.name, options, request)
        self.job = Job(message.job_id, photo.name, options)
        self.imported = None
        self.previews.show_live(None)
        link.submit(message)

    def find_faces(self, choice: BackendChoice, photo: PhotoSource) -> None:
        """Begin to look for the faces in a photo; an older search is given up.

        Raises:
            RelightifyError: the photo is too large.
        """
        message = Detect(new_job_id(), photo.data, photo.file_name)
        link = self._link_to(choice)
        if self.search is not None and self.searching:
            link.cancel(self.search.job.job_id)
        self.search = FaceSearch(photo.key, Job(message.job_id, photo.name))
        self.previews.show_faces(None)
        link.submit(message)

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
        if self.job is not None and self.busy and self._link is not None:
            self.job = jobs.cancelling(self.job)
            self._link.cancel(self.job.job_id)

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
        """Let go of the backend and of everything that Blender holds for us."""
        if bpy.app.timers.is_registered(self.tick):
            bpy.app.timers.unregister(self.tick)
        self.setup.close()
        self.release()
        self.wait_for_release()
        self.previews.close()

    # --- what the timer does ------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Have Blender call `tick` until nothing is under way any more."""
        if not bpy.app.timers.is_registered(self.tick):
            bpy.app.timers.register(self.tick, first_interval=TICK_SECONDS, persistent=True)

    def tick(self) -> float | None:
        """The timer: moves everything on, and redraws what shows it."""
        if self.pump():
            redraw_panels()
        under_way = self.busy or self.searching or self.checking or self.setup.state.busy or self.setup.looking()
        return TICK_SECONDS if under_way else None

    def pump(self) -> bool:
        """Take what came from the backend and build the head when it is there.

        Returns:
            Whether anything changed that a panel shows.
        """
        changed = self._setup_state is not self.setup.state or self.setup.looking()
        self._setup_state = self.setup.state
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
            before, self.job = self.job, jobs.advance(self.job, event)
            if self.job.preview is not before.preview:
                self.previews.show_live(self.job.preview)
        if self.search is not None:
            self.search = replace(self.search, job=jobs.advance(self.search.job, event))
            if self.search.job.faces is not None and self.search.job.faces is event:
                self.previews.show_faces(self.search.job.faces)

    def _end_jobs(self, error: RelightifyError) -> None:
        """Fail what is under way, but for a result that is here already."""
        failed = jobs.Failed(error)
        if self.job is not None and self.job.state is not State.IMPORTING:
            self.job = jobs.advance(self.job, failed)
        if self.search is not None:
            self.search = replace(self.search, job=jobs.advance(self.search.job, failed))

    def _import(self, job: Job) -> None:
        request, result = self._request, job.result
        if request is None or result is None:
            raise RuntimeError("a job is being imported without a result")
        scene = bpy.data.scenes.get(request.scene_name) or bpy.context.scene
        try:
            self.imported = build_result(scene, job.name, result, request)
            select_alone(scene, self.imported.head)
            if request.import_options.use_camera and not request.import_options.target:
                look_through_camera(scene)
        except RelightifyError as error:
            self.job = jobs.advance(job, jobs.Failed(error))
        except Exception as error:
            log.exception("the head could not be built")
            wrong = RelightifyError("internal", f"The head cannot be built: {error}.", "Please report this.")
            self.job = jobs.advance(job, jobs.Failed(wrong))
        else:
            push_undo("Reconstruct Face")
            self.job = jobs.advance(job, jobs.Imported((*result.warnings, *self.imported.warnings)))
        self._request = None

    def _link_to(self, choice: BackendChoice) -> BackendLink:
        """The line to the backend, a new one where there is none or another backend is wanted.

        Raises:
            RelightifyError: ``busy``, the line to another backend is still needed.
        """
        if self._link is None or not self._link.alive() or self._link.choice != choice:
            if self.busy and self._link is not None and self._link.alive():
                raise RelightifyError("busy", "Another backend is still at work.", "Wait for it or cancel it.")
            self.release()
            self.link_error = None
            self._link = BackendLink(choice, self._client)
        return self._link


def session_of(context: bpy.types.Context) -> Session:
    """The session of the enabled add-on."""
    return getattr(bpy.types.WindowManager, ATTRIBUTE)


def build_result(scene: bpy.types.Scene, name: str, result: Result, request: Request) -> ImportedHead:
    """Build the head of a finished job in a scene, in the place of an older one where asked.

    Raises:
        RelightifyError: ``bad_result`` where a map is missing, or what `import_head` raises.
    """
    maps = {key: bytes(value) for key, value in result.maps.items()}
    wanted = request.import_options
    old = next((c for c in scene.collection.children_recursive if c.name == wanted.target), None)
    if old is not None:
        forget_samples(old)
    try:
        new = import_head(
            scene,
            name,
            result.mesh,
            maps,
            # The backend sends the photo along where it had to turn or convert it.
            maps.get("photo", request.photo.data),
            use_camera=wanted.use_camera,
            use_light=wanted.use_light,
            parts=wanted.parts,
            original=request.photo.data,
            options={k: v for k, v in asdict(request.options).items() if v is not None},
        )
        if wanted.use_light:
            adopt_photo_light(scene)
    except KeyError as error:
        raise RelightifyError(
            "bad_result", f"The backend's result has no {error}.", "Use the add-on and the backend of the same release."
        ) from error
    done = replace_head(old, new) if old is not None and is_head_collection(old) else new
    keep_samples(done.collection, maps)
    return done


def select_alone(scene: bpy.types.Scene, head: bpy.types.Object) -> None:
    """Make the head the active object and the only selected one, unless the user is in the middle of something.

    A timer has no window of its own, so the view layer is that of the window that shows the scene.
    """
    windows = [w for w in bpy.context.window_manager.windows if w.scene == scene]
    layer = windows[0].view_layer if windows else scene.view_layers[0]
    # The layer does not know its new objects before that.
    layer.update()
    busy = layer.objects.active is not None and layer.objects.active.mode != "OBJECT"
    if busy or head.name not in layer.objects:
        return
    for thing in layer.objects:
        thing.select_set(False, view_layer=layer)
    head.select_set(True, view_layer=layer)
    layer.objects.active = head


def look_through_camera(scene: bpy.types.Scene) -> None:
    """Show the scene's camera in the first viewport of the window that shows the scene."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D" and window.scene == scene:
                area.spaces.active.region_3d.view_perspective = "CAMERA"
                return


def push_undo(message: str) -> None:
    """One undo step for what was done outside of an operator; Blender without a window has no undo."""
    windows = bpy.context.window_manager.windows
    if bpy.app.background or not windows:
        return
    with bpy.context.temp_override(window=windows[0]):
        bpy.ops.ed.undo_push(message=message)


def wait(session: Session, under_way: Callable[[], bool], sleep: Callable[[float], None]) -> None:
    """Move everything on until nothing is under way, for scripts and Blender without a window."""
    while under_way():
        session.pump()
        sleep(0.02)


def redraw_panels() -> None:
    """Have the sidebars of all 3D viewports, and the preferences, drawn anew."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "PREFERENCES", "IMAGE_EDITOR"):
                area.tag_redraw()
