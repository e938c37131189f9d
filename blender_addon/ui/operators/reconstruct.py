"""Operators that make heads: they start, poll and finish. (No postponed annotations here: Blender reads them.)"""
# Blender wants names such as RELIGHTIFY_OT_cancel, and reads class attributes as they are.
# ruff: noqa: N801, RUF012
# pyright: reportInvalidTypeForm=false

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING

import bpy

from ..._shared import JOB_OPTIONS, Corrections, Number, Reconstruct, RelightifyError, further_keys, new_job_id
from ...link.choice import backend_choice
from ...link.jobs import State
from ...link.session import Session, session_of, wait
from ...scene import heads
from ...scene.heads import PHOTO
from ...scene.photos import head_photos
from ...scene.photos.photo_source import PhotoSource, chosen_photo, require_one_person
from ...scene.renewing.head_fit import kept_corrections
from ...scene.renewing.replacing import own_materials
from ...scene.skin import samples
from ..fit_editing import editing
from ..properties.job import job_options
from ..properties.reconstruct import IMPORT_NAMES, ImportChoices, JobChoices
from ..viewport import redraw_panels
from .arrival import ImportOptions, bring_in
from .background import BackgroundOperator
from .head import head_of

# What a button takes from the panel's settings.
SETTINGS = (*JOB_OPTIONS, *IMPORT_NAMES)


@dataclass(frozen=True)
class Sources:
    """What a head is made from.

    Args:
        photos: of one person.
        name: what the head is called.
        target: session number of the head to renew, 0 for a new one.
    """

    photos: tuple[PhotoSource, ...]
    name: str
    target: int = 0


class ChoicesOperator(JobChoices, ImportChoices, BackgroundOperator):
    """What operators with the options of a job have in common."""

    def draw(self, context: bpy.types.Context) -> None:
        """The options in the box of the last operation: what is not given is said in words."""
        layout = self.layout
        layout.use_property_split = True
        for name in SETTINGS:
            option = JOB_OPTIONS.get(name)
            if isinstance(option, Number) and option.unset is not None and getattr(self, name) == option.unset.stand_in:
                split = layout.split(factor=0.4)
                split.alignment = "RIGHT"
                split.label(text=option.label)
                split.label(text=option.unset.text)
            else:
                layout.prop(self, name)


class JobOperator(ChoicesOperator):
    """What operators that run one job have in common."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        session = session_of(context)
        if session.busy:
            cls.poll_message_set("A photo is being reconstructed")
        elif session.setup.state.busy:
            cls.poll_message_set("The backend is being installed or removed")
        elif editing() is not None:
            cls.poll_message_set("A head is being corrected: press Apply or Cancel first")
        else:
            return True
        return False

    if TYPE_CHECKING:  # each operator has its own

        def sources(self, context: bpy.types.Context) -> Sources:
            """The photos, and the head to renew if any.

            Raises:
                RelightifyError: there is no photo.
            """
            ...

    def corrections(self, context: bpy.types.Context) -> Corrections:
        """What a hand has corrected of the photo's fit."""
        return Corrections()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do the whole job before returning, for scripts and Blender without a window."""
        session = session_of(context)
        if not self._start(context, session):
            return {"CANCELLED"}
        try:
            wait(session, lambda: session.busy, time.sleep)
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
            sources = self.sources(context)
            require_one_person(sources.photos)
            options = job_options(self)
            first, further = replace(sources.photos[0], face=options.face), sources.photos[1:]
            wanted = ImportOptions(
                self.use_camera, self.use_light, self.use_stage, self.parts, self.use_skeleton, sources.target
            )
            choice = backend_choice(context)
            build = partial(bring_in, scene_uid=context.scene.session_uid, photos=(first, *further), wanted=wanted)
            request = Reconstruct(
                new_job_id(),
                first.data,
                options,
                first.file_name,
                dict(zip(further_keys(len(further)), (photo.data for photo in further), strict=True)),
                tuple(photo.face for photo in further),
                self.corrections(context),
            )
            session.start(choice, request, sources.name, build)
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return False
        return True


def read_faces(text: str) -> list[int | None]:
    """Faces of further photos from a text such as ``1,-``, None for the largest.

    Raises:
        RelightifyError: ``bad_option``.
    """
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    if not all(part == "-" or part.isdecimal() for part in parts):
        raise RelightifyError(
            "bad_option",
            f"{text!r} does not name faces.",
            "Give numbers from 0 on, with commas, and - for the largest.",
        )
    return [None if part == "-" else int(part) for part in parts]


def faces_text(faces: Iterable[int | None]) -> str:
    """What `read_faces` reads."""
    return ",".join("-" if face is None else str(face) for face in faces)


class RELIGHTIFY_OT_reconstruct(JobOperator, bpy.types.Operator):
    """Make a head with skin, eyes, expressions, camera and light out of a photo, or of several of one person"""

    bl_idname = "relightify.reconstruct"
    bl_label = "Reconstruct Face"
    # No UNDO flag: the one undo step is pushed when the head is built, which is long after the button was pressed.
    bl_options = {"REGISTER"}

    filepath: bpy.props.StringProperty(
        name="Photo", description="File of the photo", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    image: bpy.props.StringProperty(
        name="Image", description="Name of an image in this file to take instead of a photo", options={"SKIP_SAVE"}
    )

    further: bpy.props.CollectionProperty(
        name="Further Photos",
        description="Files of further photos of the person",
        type=bpy.types.OperatorFileListElement,
        options={"SKIP_SAVE"},
    )
    further_faces: bpy.props.StringProperty(
        name="Further Faces",
        description="Which face of each further photo, such as 1,- with - for the largest; may be shorter",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        if len(properties.further):
            return (
                "Make one head out of all photos on the list. The first gives it camera, light and expression; "
                "photos that do not fit the others are left out, and named"
            )
        return "Make a head with skin, eyes, expressions, camera and light out of the photo"

    def sources(self, context: bpy.types.Context) -> Sources:
        image = bpy.data.images.get(self.image) if self.image else None
        if self.image and image is None:
            raise RelightifyError("no_photo", f"There is no image {self.image!r}.", "Choose another image.")
        faces = read_faces(self.further_faces)
        further = [
            replace(chosen_photo(item.name, None), face=face)
            for item, face in zip_longest(self.further, faces[: len(self.further)])
        ]
        first = chosen_photo(self.filepath, image)
        return Sources((first, *further), first.name)


class RELIGHTIFY_OT_reconstruct_again(JobOperator, bpy.types.Operator):
    """Reconstruct the active head once more from its own photos, with other options and in its own place"""

    bl_idname = "relightify.reconstruct_again"
    bl_label = "Reconstruct Again"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        head = head_of(context)
        if head is None or head.get(PHOTO) is None:
            cls.poll_message_set("There is no head whose photo is known")
            return False
        return super().poll(context)

    def sources(self, context: bpy.types.Context) -> Sources:
        head = head_of(context)
        if head is None:
            raise RelightifyError("no_head", "There is no head in this scene.", "Reconstruct one first.")
        heads.require_own(head)
        photos = head_photos.sources_of(head)
        if photos:
            # The panel's face is of the panel's photo.
            self.face = -1 if photos[0].face is None else photos[0].face
        elif not self.properties.is_property_set("face"):
            self.face = heads.own_face(head)
        return Sources(photos or (chosen_photo("", head[PHOTO]),), head.name, head.session_uid)

    def corrections(self, context: bpy.types.Context) -> Corrections:
        head = head_of(context)
        return kept_corrections(head) if head is not None else Corrections()


class RELIGHTIFY_OT_show_sample(bpy.types.Operator):
    """Dress the active head in another completion of its photo"""

    bl_idname = "relightify.show_sample"
    bl_label = "Show Sample"
    bl_options = {"REGISTER", "UNDO"}

    number: bpy.props.IntProperty(name="Sample", description="Which completion, from 1", default=1, min=1)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        head = head_of(context)
        if head is None or not samples.sample_numbers(head):
            cls.poll_message_set("The active head has only one sample")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        head = head_of(context)
        try:
            if head is not None:
                heads.require_own(head)
                own_materials(head)
                samples.show_sample(head, self.number)
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class RELIGHTIFY_OT_cancel(bpy.types.Operator):
    """Stop the reconstruction"""

    bl_idname = "relightify.cancel"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    job_id: bpy.props.StringProperty(
        name="Job", description="Which one of the queue; left empty, all", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return session_of(context).busy

    def execute(self, context: bpy.types.Context) -> set[str]:
        session_of(context).cancel(self.job_id)
        redraw_panels()
        return {"FINISHED"}


class RELIGHTIFY_OT_accept_result(bpy.types.Operator):
    """Put the head, and those that follow, into this file, though they were started in another one"""

    bl_idname = "relightify.accept_result"
    bl_label = "Put It Here"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(session_of(context).queue.of(State.HELD))

    def execute(self, context: bpy.types.Context) -> set[str]:
        session = session_of(context)
        session.accept()
        if bpy.app.background:
            session.pump()
        else:
            session.watch()
        redraw_panels()
        return {"FINISHED"}


CLASSES = (
    RELIGHTIFY_OT_accept_result,
    RELIGHTIFY_OT_reconstruct,
    RELIGHTIFY_OT_reconstruct_again,
    RELIGHTIFY_OT_show_sample,
    RELIGHTIFY_OT_cancel,
)
