"""Photos of different people, a head for each: choosing them, and what waits. (No postponed annotations here.)"""
# Blender wants names such as RELIGHTIFY_OT_pick_people, and reads class attributes as they are.
# ruff: noqa: N801, RUF012
# pyright: reportInvalidTypeForm=false

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import bpy

from ..._shared import JobOptions, Reconstruct, RelightifyError
from ...link.choice import backend_choice
from ...link.job_queue import Build, Wanted
from ...link.jobs import State
from ...link.session import Session, session_of, wait
from ...scene.photos.photo_source import FILE, PEOPLE, chosen_photo
from ..photo_choice import IMAGE_FILTER
from ..properties.job import job_options
from ..viewport import redraw_panels
from .arrival import ImportOptions, bring_in
from .background import BackgroundOperator
from .reconstruct import ChoicesOperator


class SeveralFiles:
    """The files of an operator, as Blender's file browser and a drop give them."""

    directory: bpy.props.StringProperty(name="Folder", subtype="DIR_PATH", options={"SKIP_SAVE"})
    files: bpy.props.CollectionProperty(type=bpy.types.OperatorFileListElement, name="Photos", options={"SKIP_SAVE"})

    def paths(self) -> list[str]:
        """Paths of the files, in order, each once."""
        names = [file.name for file in self.files if file.name]
        return list(dict.fromkeys(str(Path(self.directory) / name) for name in names))


def choose_people(context: bpy.types.Context, paths: Sequence[str]) -> None:
    """Put files on the panel's list of photos of different people, each once."""
    settings = context.scene.relightify
    settings.source = PEOPLE
    known = {item.path for item in settings.people}
    for path in paths:
        if path not in known:
            settings.people.add().path = path


def wanted_head(path: str, options: JobOptions, scene_uid: int, wanted: ImportOptions) -> Wanted:
    """The head of a photo in a file, which is read when its turn comes.

    Args:
        path: the file.
        options: what is asked for.
        scene_uid: session number of the scene that gets the head.
        wanted: what to do with it.
    """

    def prepare(job_id: str) -> tuple[Reconstruct, Build]:
        photo = chosen_photo(path, None)
        build = partial(bring_in, scene_uid=scene_uid, photos=(photo,), wanted=wanted)
        return Reconstruct(job_id, photo.data, options, photo.file_name), build

    return Wanted(Path(path).stem, options, prepare, path)


class RELIGHTIFY_OT_pick_people(SeveralFiles, bpy.types.Operator):
    """Choose photos of different people: each becomes a head of its own"""

    bl_idname = "relightify.pick_people"
    bl_label = "Add Photos of Different People"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    filter_glob: bpy.props.StringProperty(default=IMAGE_FILTER, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        choose_people(context, self.paths())
        redraw_panels()
        return {"FINISHED"}


class RELIGHTIFY_OT_remove_person(bpy.types.Operator):
    """Take this photo off the list"""

    bl_idname = "relightify.remove_person"
    bl_label = "Remove"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    index: bpy.props.IntProperty(name="Photo", description="Which one of the list; -1 takes all off", min=-1)

    def execute(self, context: bpy.types.Context) -> set[str]:
        people = context.scene.relightify.people
        if self.index < 0:
            people.clear()
        else:
            people.remove(self.index)
        return {"FINISHED"}


class RELIGHTIFY_OT_reconstruct_people(SeveralFiles, ChoicesOperator, bpy.types.Operator):
    """Make a head of each of several photos of different people, one after the other, set side by side"""

    bl_idname = "relightify.reconstruct_people"
    bl_label = "Reconstruct Heads"
    # No UNDO flag: each head is a step of its own, pushed when it is built.
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if session_of(context).setup.state.busy:
            cls.poll_message_set("The backend is being installed or removed")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make all of them before returning, for scripts and Blender without a window."""
        session = session_of(context)
        before = {entry.job.job_id for entry in session.queue.entries}
        if not self._start(context, session):
            return {"CANCELLED"}
        try:
            wait(session, lambda: session.busy, time.sleep)
        finally:
            session.cancel()
        jobs = [entry.job for entry in session.queue.entries if entry.job.job_id not in before]
        told = [f"{job.name}: {job.error}" for job in jobs if job.error is not None]
        if not any(job.state is State.DONE for job in jobs):
            self.report({"ERROR"}, "\n".join(told) or "The jobs were cancelled.")
            return {"CANCELLED"}
        told += [f"{job.name}: {warning}" for job in jobs for warning in job.warnings]
        for sentence in told:
            self.report({"WARNING"}, sentence)
        return {"FINISHED"}

    def _start(self, context: bpy.types.Context, session: Session) -> bool:
        try:
            paths = self.paths()
            if not paths:
                raise RelightifyError("no_photo", "No photos were chosen.", "Pick some first.")
            # Which face is a question of one photo.
            options = replace(job_options(self), face=None)
            wanted = ImportOptions(
                self.use_camera, self.use_light, self.use_stage, self.parts, self.use_skeleton, one_of_many=True
            )
            # The first may set the scene's stage, the others must not take it from each other.
            choices = [wanted, *[replace(wanted, use_stage=False)] * (len(paths) - 1)]
            uid = context.scene.session_uid
            heads = [wanted_head(path, options, uid, choice) for path, choice in zip(paths, choices, strict=True)]
            session.add(backend_choice(context), heads)
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return False
        people = context.scene.relightify.people
        for index in reversed(range(len(people))):
            if people[index].path in paths:
                people.remove(index)
        return True


class RELIGHTIFY_OT_try_again(BackgroundOperator, bpy.types.Operator):
    """Try this photo once more"""

    bl_idname = "relightify.try_again"
    bl_label = "Try Again"
    bl_options = {"INTERNAL"}

    job_id: bpy.props.StringProperty(
        name="Job", description="Which one of the queue; left empty, all that have failed", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(session_of(context).queue.of(State.FAILED, State.CANCELLED))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Try before returning, for scripts and Blender without a window."""
        session = session_of(context)
        if not self._start(context, session):
            return {"CANCELLED"}
        wait(session, lambda: session.busy, time.sleep)
        return {"FINISHED"}

    def _start(self, context: bpy.types.Context, session: Session) -> bool:
        try:
            session.try_again(backend_choice(context), self.job_id)
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return False
        return True


class RELIGHTIFY_OT_photo_alone(bpy.types.Operator):
    """Take this photo out of the queue and show it alone, to choose a face in it"""

    bl_idname = "relightify.photo_alone"
    bl_label = "Show Photo Alone"
    bl_options = {"INTERNAL"}

    job_id: bpy.props.StringProperty(name="Job", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        session, settings = session_of(context), context.scene.relightify
        entry = session.queue.entry(self.job_id)
        if entry is None or not entry.job.ended or not entry.wanted.picture:
            return {"CANCELLED"}
        session.forget_ended(self.job_id)
        settings.source = FILE
        settings.photo = entry.wanted.picture
        redraw_panels()
        return {"FINISHED"}


class RELIGHTIFY_OT_show_notes(bpy.types.Operator):
    """Read what may have spoilt this head"""

    bl_idname = "relightify.show_notes"
    bl_label = "Notes"
    bl_options = {"INTERNAL"}

    problem: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return properties.problem

    def execute(self, context: bpy.types.Context) -> set[str]:
        for sentence in self.problem.splitlines():
            self.report({"INFO"}, sentence)
        return {"FINISHED"}


class RELIGHTIFY_OT_clear_queue(bpy.types.Operator):
    """Take what has ended off the queue; heads that were made stay in the scene"""

    bl_idname = "relightify.clear_queue"
    bl_label = "Clear"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        session_of(context).forget_ended()
        redraw_panels()
        return {"FINISHED"}


CLASSES = (
    RELIGHTIFY_OT_pick_people,
    RELIGHTIFY_OT_remove_person,
    RELIGHTIFY_OT_reconstruct_people,
    RELIGHTIFY_OT_try_again,
    RELIGHTIFY_OT_photo_alone,
    RELIGHTIFY_OT_show_notes,
    RELIGHTIFY_OT_clear_queue,
)
