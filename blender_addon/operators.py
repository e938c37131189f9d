"""Operators: they start, poll and finish. (No postponed annotations here: Blender reads them.)"""
# Blender wants names such as RELIGHTIFY_OT_cancel, and reads class attributes as they are.
# ruff: noqa: N801, RUF012
# pyright: reportInvalidTypeForm=false

import time
from pathlib import Path

import bpy

from ._shared import JobOptions, RelightifyError
from .jobs import State
from .preferences import backend_choice
from .properties import FACE_TEXT, QUALITY_ITEMS, RESOLUTION_ITEMS
from .session import ImportOptions, Session, redraw_panels, session_of

IMAGE_FILTER = "*.jpg;*.jpeg;*.png;*.tif;*.tiff;*.webp;*.bmp;*.heic;*.heif;*.avif"
WAIT_SECONDS = 0.02


class RELIGHTIFY_OT_reconstruct(bpy.types.Operator):
    """Make a head with skin, eyes, expressions, camera and light out of one photo"""

    bl_idname = "relightify.reconstruct"
    bl_label = "Reconstruct Face"
    # No UNDO flag: the one undo step is pushed when the head is built, which is long after the button was pressed.
    bl_options = {"REGISTER"}

    filepath: bpy.props.StringProperty(name="Photo", subtype="FILE_PATH", options={"SKIP_SAVE"})
    face: bpy.props.IntProperty(name="Face", description=FACE_TEXT, default=-1, min=-1)
    quality: bpy.props.EnumProperty(name="Quality", items=QUALITY_ITEMS, default="draft")
    resolution: bpy.props.EnumProperty(name="Maps", items=RESOLUTION_ITEMS, default="1024")
    seed: bpy.props.IntProperty(name="Seed", min=0)
    use_camera: bpy.props.BoolProperty(name="Photo Camera", default=True)
    use_light: bpy.props.BoolProperty(name="Photo Light", default=True)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if session_of(context).busy:
            cls.poll_message_set("A photo is being reconstructed")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Start the job and let Blender go on; a timer watches it."""
        session = session_of(context)
        if not self._start(context, session):
            return {"CANCELLED"}
        session.watch()
        redraw_panels()
        return {"FINISHED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do the whole job before returning, for scripts and Blender without a window."""
        session = session_of(context)
        if not self._start(context, session):
            return {"CANCELLED"}
        try:
            while session.busy:
                session.pump()
                time.sleep(WAIT_SECONDS)
        finally:
            session.cancel()
        job = session.job
        if job is None or job.state is not State.DONE:
            self.report({"ERROR"}, str(job.error) if job is not None and job.error else "The job was cancelled.")
            return {"CANCELLED"}
        for warning in job.warnings:
            self.report({"WARNING"}, warning)
        return {"FINISHED"}

    def _start(self, context: bpy.types.Context, session: Session) -> bool:
        try:
            if not self.filepath:
                raise RelightifyError("no_photo", "No photo was chosen.", "Pick a photo first.")
            options = JobOptions(
                face=self.face if self.face >= 0 else None,
                quality=self.quality,
                resolution=int(self.resolution),
                seed=self.seed,
            )
            path = Path(bpy.path.abspath(self.filepath))
            session.start(backend_choice(context), path, options, ImportOptions(self.use_camera, self.use_light))
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return False
        return True


class RELIGHTIFY_OT_cancel(bpy.types.Operator):
    """Stop the reconstruction"""

    bl_idname = "relightify.cancel"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return session_of(context).busy

    def execute(self, context: bpy.types.Context) -> set[str]:
        session_of(context).cancel()
        redraw_panels()
        return {"FINISHED"}


class RELIGHTIFY_OT_pick_photo(bpy.types.Operator):
    """Choose the photograph of a face"""

    bl_idname = "relightify.pick_photo"
    bl_label = "Pick Photo"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    filepath: bpy.props.StringProperty(name="Photo", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default=IMAGE_FILTER, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.scene.relightify.photo = self.filepath
        return {"FINISHED"}


CLASSES = (
    RELIGHTIFY_OT_reconstruct,
    RELIGHTIFY_OT_cancel,
    RELIGHTIFY_OT_pick_photo,
)
