"""What the add-on remembers while it is enabled: the line to the backend and the current job.

One `Session` is made by `register` and closed by `unregister`; it hangs on `bpy.types.WindowManager` in between,
because Blender itself makes panels and operators and hands them nothing but the context.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import bpy

from . import jobs, previews
from ._shared import JobOptions, Reconstruct, RelightifyError, Result, new_job_id
from .importer import ImportedHead, import_head
from .jobs import Job, State
from .link import BackendChoice, BackendLink

log = logging.getLogger(__name__)

ATTRIBUTE = "relightify_session"
TICK_SECONDS = 0.1


@dataclass(frozen=True)
class ImportOptions:
    """What to do with a finished head.

    Args:
        use_camera: make the photo's camera the scene's camera.
        use_light: make the photo's light the scene's world.
    """

    use_camera: bool = True
    use_light: bool = True


@dataclass(frozen=True)
class Request:
    """A job and everything that its import needs."""

    photo: bytes
    scene_name: str
    import_options: ImportOptions


class Session:
    """The line to the backend and the current job. Used on Blender's main thread only.

    Args:
        client: name and version for the backend's log.
    """

    def __init__(self, client: str) -> None:
        self.job: Job | None = None
        self.imported: ImportedHead | None = None
        self.previews = previews.Previews()
        self._client = client
        self._link: BackendLink | None = None
        self._request: Request | None = None

    @property
    def busy(self) -> bool:
        """Whether a job is under way."""
        return self.job is not None and not self.job.ended

    def start(self, choice: BackendChoice, path: Path, options: JobOptions, request: ImportOptions) -> None:
        """Begin a job; `pump` moves it on.

        Raises:
            RelightifyError: ``busy``, another job is under way; ``no_photo``, the file cannot be read; whatever is
                wrong with the options.
        """
        if self.busy:
            raise RelightifyError("busy", "Another photo is being reconstructed.", "Wait for it or cancel it.")
        photo = read_photo_file(path)
        message = Reconstruct(new_job_id(), photo, options, path.name)
        if self._link is None or not self._link.alive() or self._link.choice != choice:
            self._close_link()
            self._link = BackendLink(choice, self._client)
        self._request = Request(photo, bpy.context.scene.name, request)
        self.job = Job(message.job_id, path.stem, options)
        self.imported = None
        self._link.submit(message)

    def pump(self) -> bool:
        """Take what came from the backend and build the head when it is there.

        Returns:
            Whether anything changed that the panel shows.
        """
        if self.job is None or self._link is None:
            return False
        before = self.job
        alive = self._link.alive()
        if before.state is State.IMPORTING:
            # One tick later than the result, so that the panel could say what Blender is busy with.
            self._import(before)
            return True
        for event in self._link.events():
            self.job = jobs.advance(self.job, event)
        if not self.job.ended and self.job.state is not State.IMPORTING and not alive:
            # It was gone before its last words were read above, so it ended without any about this job.
            lost = RelightifyError("backend_lost", "The line to the backend was closed.", "Try again.")
            self.job = jobs.advance(self.job, jobs.Failed(lost))
        if self.job.preview is not before.preview:
            self.previews.show_live(self.job.preview)
        return self.job is not before

    def cancel(self) -> None:
        """Stop the current job; it ends when the backend has confirmed it."""
        if self.job is not None and self.busy and self._link is not None:
            self.job = jobs.cancelling(self.job)
            self._link.cancel(self.job.job_id)

    def close(self) -> None:
        """Let go of the backend and of everything that Blender holds for us."""
        if bpy.app.timers.is_registered(self.tick):
            bpy.app.timers.unregister(self.tick)
        self._close_link()
        self.previews.close()

    def watch(self) -> None:
        """Have Blender call `tick` until the job has ended."""
        if not bpy.app.timers.is_registered(self.tick):
            bpy.app.timers.register(self.tick, first_interval=TICK_SECONDS, persistent=True)

    def tick(self) -> float | None:
        """The timer: moves the job on, redraws the panel."""
        if self.pump():
            redraw_panels()
        return TICK_SECONDS if self.busy else None

    def _import(self, job: Job) -> None:
        request, result = self._request, job.result
        if request is None or result is None:
            raise RuntimeError("a job is being imported without a result")
        scene = bpy.data.scenes.get(request.scene_name) or bpy.context.scene
        try:
            self.imported = build_result(scene, job.name, result, request)
        except RelightifyError as error:
            self.job = jobs.advance(job, jobs.Failed(error))
        except Exception as error:
            log.exception("the head could not be built")
            wrong = RelightifyError(
                "import_failed", f"The head could not be built: {error}.", "Please report this with Blender's console."
            )
            self.job = jobs.advance(job, jobs.Failed(wrong))
        else:
            push_undo("Reconstruct Face")
            self.job = jobs.advance(job, jobs.Imported((*result.warnings, *self.imported.warnings)))
        self._request = None

    def _close_link(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None


def session_of(context: bpy.types.Context) -> Session:
    """The session of the enabled add-on."""
    return getattr(bpy.types.WindowManager, ATTRIBUTE)


def read_photo_file(path: Path) -> bytes:
    """The bytes of a photo.

    Raises:
        RelightifyError: ``no_photo`` where the file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise RelightifyError(
            "no_photo", f"The photo {path.name or path} cannot be read: {error.strerror}.", "Choose another photo."
        ) from error


def build_result(scene: bpy.types.Scene, name: str, result: Result, request: Request) -> ImportedHead:
    """Build the head of a finished job in a scene.

    Raises:
        RelightifyError: ``bad_result`` where a map is missing, or what `import_head` raises.
    """
    maps = {key: bytes(value) for key, value in result.maps.items()}
    try:
        return import_head(
            scene,
            name,
            result.mesh,
            maps,
            # The backend sends the photo along where it had to turn or convert it.
            maps.get("photo", request.photo),
            use_camera=request.import_options.use_camera,
            use_light=request.import_options.use_light,
        )
    except KeyError as error:
        raise RelightifyError(
            "bad_result", f"The backend's result has no {error}.", "Use the add-on and the backend of the same release."
        ) from error


def push_undo(message: str) -> None:
    """One undo step for what was done outside of an operator; Blender without a window has no undo."""
    windows = bpy.context.window_manager.windows
    if bpy.app.background or not windows:
        return
    with bpy.context.temp_override(window=windows[0]):
        bpy.ops.ed.undo_push(message=message)


def redraw_panels() -> None:
    """Have the sidebars of all 3D viewports drawn anew."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()
