"""Choosing a photo and a face in it: picker, drop, Image Editor. (No postponed annotations: Blender reads them.)"""
# Blender wants names such as RELIGHTIFY_OT_pick_photo, and reads class attributes as they are.
# ruff: noqa: N801, RUF012
# pyright: reportInvalidTypeForm=false

import time
from pathlib import Path

import bpy

from ..._shared import RelightifyError
from ...link.choice import backend_ready
from ...link.session import session_of, wait
from ...scene.photos.photo_source import FILE, IMAGE, PEOPLE, PERSON
from .. import photo_choice
from ..photo_choice import EXTENSIONS, IMAGE_FILTER
from ..properties.reconstruct import panel_choices
from ..tab import show_tab
from ..viewport import ViewportDrop, redraw_panels
from .people import SeveralFiles, choose_people
from .person import add_to_list


def choose_file(context: bpy.types.Context, filepath: str) -> None:
    """Make a file the panel's photo."""
    settings = context.scene.relightify
    settings.source = FILE
    settings.photo = filepath


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
        choose_file(context, self.filepath)
        return {"FINISHED"}


class RELIGHTIFY_OT_drop_photo(SeveralFiles, bpy.types.Operator):
    """Use the dropped image as the photo of a face, or several as photos of different people; where the panel has a
    list of photos, they go on that list"""

    bl_idname = "relightify.drop_photo"
    bl_label = "Use as Face Photo"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    filepath: bpy.props.StringProperty(name="Photo", subtype="FILE_PATH", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        dropped = self.paths() or [self.filepath]
        paths = [path for path in dropped if Path(path).suffix.lower() in EXTENSIONS]
        if not paths:
            self.report({"ERROR"}, f"{Path(dropped[0]).name} is not an image that can be read.")
            return {"CANCELLED"}
        if context.scene.relightify.source == PERSON:
            told = add_to_list(context, paths)
            if told:
                self.report({"WARNING"}, told)
        elif len(paths) > 1 or context.scene.relightify.source == PEOPLE:
            choose_people(context, paths)
        else:
            choose_file(context, paths[0])
        show_tab(context)
        return {"FINISHED"}


class RELIGHTIFY_OT_head_from_photo(bpy.types.Operator):
    """Choose a photo of a face and make a head of it, with the options of the tab Face"""

    bl_idname = "relightify.head_from_photo"
    bl_label = "Head from Photo"
    bl_options = {"REGISTER"}

    filepath: bpy.props.StringProperty(name="Photo", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default=IMAGE_FILTER, options={"HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not backend_ready(context):
            cls.poll_message_set("Set the backend up in the preferences of Relightify first")
            return False
        return bpy.ops.relightify.reconstruct.poll()

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        choose_file(context, self.filepath)
        show_tab(context)
        choices = panel_choices(context.scene.relightify)
        # In a window the job runs on while the artist does; a script gets the head.
        how = "EXEC_DEFAULT" if bpy.app.background else "INVOKE_DEFAULT"
        try:
            return bpy.ops.relightify.reconstruct(how, filepath=self.filepath, **choices)
        except RuntimeError as error:
            self.report({"ERROR"}, str(error).strip().removeprefix("Error: "))
            return {"CANCELLED"}


class RELIGHTIFY_FH_photo(ViewportDrop, bpy.types.FileHandler):
    """Images dropped onto a 3D viewport"""

    bl_idname = "RELIGHTIFY_FH_photo"
    bl_label = "Face Photo"
    bl_import_operator = RELIGHTIFY_OT_drop_photo.bl_idname
    bl_file_extensions = ";".join(EXTENSIONS)


class RELIGHTIFY_OT_use_image(bpy.types.Operator):
    """Take the image of this editor as the photo of a face"""

    bl_idname = "relightify.use_image"
    bl_label = "Use as Face Photo"
    bl_options = {"REGISTER", "UNDO"}

    image: bpy.props.StringProperty(
        name="Image", description="Name of the image; left empty, that of the Image Editor", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(bpy.data.images)

    def execute(self, context: bpy.types.Context) -> set[str]:
        space = context.space_data
        shown = space.image if space is not None and space.type == "IMAGE_EDITOR" else None
        image = bpy.data.images.get(self.image) if self.image else shown
        if image is None:
            self.report({"ERROR"}, f"There is no image {self.image!r}." if self.image else "No image is open here.")
            return {"CANCELLED"}
        settings = context.scene.relightify
        settings.source = IMAGE
        settings.image = image
        return {"FINISHED"}


class RELIGHTIFY_OT_find_faces(bpy.types.Operator):
    """Look for the faces in the photo, to choose one"""

    bl_idname = "relightify.find_faces"
    bl_label = "Find Faces"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not photo_choice.settings_key(context.scene.relightify):
            cls.poll_message_set("Pick a photo first")
            return False
        return not session_of(context).searching

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Begin, and let Blender go on; a timer watches it."""
        return {"FINISHED"} if self._start(context) else {"CANCELLED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Find them before returning, for scripts and Blender without a window."""
        if not self._start(context):
            return {"CANCELLED"}
        session = session_of(context)
        wait(session, lambda: session.searching, time.sleep)
        search = session.search
        if search is None or search.job.faces is None:
            error = search.job.error if search is not None else None
            self.report({"ERROR"}, str(error or "The search was cancelled."))
            return {"CANCELLED"}
        self.report({"INFO"}, f"Faces found: {len(search.job.faces.problems)}")
        return {"FINISHED"}

    def _start(self, context: bpy.types.Context) -> bool:
        try:
            photo_choice.find_faces(context.scene.relightify, context)
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return False
        return True


class RELIGHTIFY_OT_choose_face(bpy.types.Operator):
    """Reconstruct this face of the photo"""

    bl_idname = "relightify.choose_face"
    bl_label = "Choose Face"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    index: bpy.props.IntProperty(name="Face", description="In order of size, 0 is the largest", min=0)
    problem: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return properties.problem or f"Reconstruct face {properties.index + 1} of the photo"

    def execute(self, context: bpy.types.Context) -> set[str]:
        photo_choice.face_owner(context.scene.relightify).face = self.index
        redraw_panels()
        return {"FINISHED"}


CLASSES = (
    RELIGHTIFY_OT_pick_photo,
    RELIGHTIFY_OT_drop_photo,
    RELIGHTIFY_OT_head_from_photo,
    RELIGHTIFY_FH_photo,
    RELIGHTIFY_OT_use_image,
    RELIGHTIFY_OT_find_faces,
    RELIGHTIFY_OT_choose_face,
)
