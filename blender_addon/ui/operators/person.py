"""The list of photos of one person in the panel: adding, ordering, taking off. (No postponed annotations here.)"""
# Blender wants names such as RELIGHTIFY_OT_add_photos, and reads class attributes as they are.
# ruff: noqa: N801, RUF012
# pyright: reportInvalidTypeForm=false

from collections.abc import Sequence
from pathlib import Path

import bpy

from ...scene.photos.photo_source import FILE, PERSON, photo_key
from ..photo_choice import EXTENSIONS, IMAGE_FILTER, look_through
from ..tab import show_tab
from ..viewport import ViewportDrop, redraw_panels
from .people import SeveralFiles


def add_to_list(context: bpy.types.Context, paths: Sequence[str]) -> str:
    """Put files on the panel's list of photos of one person, each once, and choose the first of them there.

    Returns:
        A sentence about files that are on the list already or are no photos; empty where there are none.
    """
    settings = context.scene.relightify
    settings.source = PERSON
    known = {photo_key(item.path, None) for item in settings.photos}
    twice, unreadable, added = [], [], []
    for path in paths:
        if Path(path).suffix.lower() not in EXTENSIONS:
            unreadable.append(Path(path).name)
        elif photo_key(path, None) in known:
            twice.append(Path(path).name)
        else:
            known.add(photo_key(path, None))
            settings.photos.add().path = path
            added.append(path)
    if added:
        settings.photo_index = len(settings.photos) - len(added)
        look_through(added, context)
    told = [f"On the list already: {', '.join(twice)}."] if twice else []
    told += [f"No photos that can be read: {', '.join(unreadable)}."] if unreadable else []
    return " ".join(told)


class RELIGHTIFY_OT_add_photos(SeveralFiles, bpy.types.Operator):
    """Add photos of one person, which make one head together: from the front and from both sides is best"""

    bl_idname = "relightify.add_photos"
    bl_label = "Add Photos of One Person"
    bl_options = {"REGISTER", "UNDO"}

    filter_glob: bpy.props.StringProperty(default=IMAGE_FILTER, options={"HIDDEN"})
    keep_photo: bpy.props.BoolProperty(
        name="Keep Photo",
        description="Begin the list with the one photo that the panel has",
        default=False,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        if properties.keep_photo:
            return "Add further photos of this person: two to eight make a better head than one"
        return "Add photos of one person, which make one head together: from the front and from both sides is best"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.paths():  # they were dropped
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings, paths = context.scene.relightify, self.paths()
        if settings.source != PERSON:
            # What was listed at another time may be of another person.
            if self.keep_photo and settings.source == FILE and settings.photo:
                paths = [settings.photo, *paths]
            settings.photos.clear()
        face = settings.face if settings.source == FILE else -1
        told = add_to_list(context, paths)
        if self.keep_photo and settings.photos and settings.photos[0].path == settings.photo:
            settings.photos[0].face = face
        if told:
            self.report({"WARNING"}, told)
        show_tab(context)
        redraw_panels()
        return {"FINISHED"}


class RELIGHTIFY_OT_remove_photo(bpy.types.Operator):
    """Take this photo off the list"""

    bl_idname = "relightify.remove_photo"
    bl_label = "Remove"
    bl_options = {"REGISTER", "UNDO"}

    index: bpy.props.IntProperty(name="Photo", description="Which one of the list; -1 takes all off", min=-1)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(context.scene.relightify.photos)

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return "Take all photos off the list" if properties.index < 0 else "Take this photo off the list"

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.relightify
        if self.index < 0:
            settings.photos.clear()
        elif self.index < len(settings.photos):
            settings.photos.remove(self.index)
        settings.photo_index = max(0, min(settings.photo_index, len(settings.photos) - 1))
        redraw_panels()
        return {"FINISHED"}


class RELIGHTIFY_OT_move_photo(bpy.types.Operator):
    """Move this photo up or down; the first gives the head its camera, light and expression"""

    bl_idname = "relightify.move_photo"
    bl_label = "Move Photo"
    bl_options = {"REGISTER", "UNDO"}

    index: bpy.props.IntProperty(name="Photo", description="Which one of the list", min=0)
    by: bpy.props.IntProperty(name="By", description="By how many rows, up where it is negative", default=-1)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return len(context.scene.relightify.photos) > 1

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.relightify
        there = self.index + self.by
        if not (0 <= self.index < len(settings.photos) and 0 <= there < len(settings.photos)):
            return {"CANCELLED"}
        settings.photos.move(self.index, there)
        settings.photo_index = there
        redraw_panels()
        return {"FINISHED"}


class RELIGHTIFY_FH_photos(ViewportDrop, bpy.types.FileHandler):
    """Images dropped onto a 3D viewport, as those of one person"""

    bl_idname = "RELIGHTIFY_FH_photos"
    bl_label = "Photos of One Person"
    bl_import_operator = RELIGHTIFY_OT_add_photos.bl_idname
    bl_file_extensions = ";".join(EXTENSIONS)


CLASSES = (
    RELIGHTIFY_OT_add_photos,
    RELIGHTIFY_OT_remove_photo,
    RELIGHTIFY_OT_move_photo,
    RELIGHTIFY_FH_photos,
)
