"""Several photos of one person in the tab *Face*: the list of them. Only draws."""
# Blender wants names such as RELIGHTIFY_UL_photos, and reads class attributes as they are.
# ruff: noqa: N801

from __future__ import annotations

from pathlib import Path

import bpy

from ..._shared import MOST_PHOTOS, Faces, RelightifyError, check_photo_size
from ...link.session import session_of
from ...scene.photos.photo_source import photo_key
from ..layout import draw_text
from ..operators.people import RELIGHTIFY_OT_show_notes
from ..operators.person import RELIGHTIFY_OT_add_photos, RELIGHTIFY_OT_move_photo, RELIGHTIFY_OT_remove_photo
from ..operators.reconstruct import faces_text
from ..previews import addon_previews

# Of the list before it is scrolled.
ROWS = 5
# The code of a photo that shows a head from the side alone.
IN_PROFILE = "face_in_profile"


class RELIGHTIFY_UL_photos(bpy.types.UIList):
    """Photos of one person"""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: bpy.types.PropertyGroup,
        item: bpy.types.PropertyGroup,
        icon: int,
        _active_data: bpy.types.PropertyGroup,
        _active_property: str,
        index: int = 0,
        _flt_flag: int = 0,
    ) -> None:
        """A row: the face, the photo's name, and what there is to say about it."""
        row = layout.row(align=True)
        row.label(text=file_of(item.path).name, icon_value=icon_of(context, item), translate=False)
        words, sign, note = row_words(context, item, index)
        if words:
            beside = row.row()
            beside.alignment = "RIGHT"
            beside.active = False
            beside.label(text=words)
        if sign:
            row.operator(RELIGHTIFY_OT_show_notes.bl_idname, text="", icon=sign, emboss=False).problem = note


def icon_of(context: bpy.types.Context, item: bpy.types.PropertyGroup) -> int:
    """Icon number of the face that is taken of a photo, or of the photo until its faces are known."""
    key = photo_key(item.path, None)
    search = session_of(context).searches.of(key)
    faces = search.job.faces if search is not None else None
    if faces is None:
        return addon_previews().photo_icon(key)
    return addon_previews().listed_icon(key, faces, shown_face(item, faces))


def row_words(context: bpy.types.Context, item: bpy.types.PropertyGroup, index: int) -> tuple[str, str, str]:
    """What a row says of its photo: a word or two, the icon of a sign or nothing, and the sentences behind the sign."""
    if not is_there(item.path):
        return "Missing", "ERROR", f"The file {item.path} is not there any more."
    search = session_of(context).searches.of(photo_key(item.path, None))
    trouble = search.problem if search is not None else None
    faces = search.job.faces if search is not None else None
    if item.left_out:
        return "Left out", "ERROR", item.note
    if trouble is not None:
        # Beside a photo of the face a profile can be used, though no face is found in it.
        if trouble.code == IN_PROFILE:
            return "Profile", "INFO", item.note or str(trouble)
        return "Unusable", "ERROR", str(trouble)
    if faces is not None and faces.problems[shown_face(item, faces)]:
        return "Unusable", "ERROR", faces.problems[shown_face(item, faces)]
    words = ""
    if faces is not None and len(faces.problems) > 1:
        words = f"Face {shown_face(item, faces) + 1} of {len(faces.problems)}"
    if search is not None and not search.job.ended:
        words = "Looking"
    return "Reference" if index == 0 else words, "INFO" if item.note else "", item.note


def shown_face(item: bpy.types.PropertyGroup, faces: Faces) -> int:
    """The face that is taken of a photo: the chosen one, else the largest."""
    return item.face if 0 <= item.face < len(faces.problems) else 0


def file_of(path: str) -> Path:
    """The file of a photo of the list."""
    return Path(bpy.path.abspath(path))


def is_there(path: str) -> bool:
    """Whether the file of a photo is there; reads nothing of it."""
    return file_of(path).is_file()


def draw_list(layout: bpy.types.UILayout, context: bpy.types.Context, settings: bpy.types.PropertyGroup) -> None:
    """The list with its buttons, and what keeps it from being sent or should be known."""
    photos = settings.photos
    if not photos:
        layout.operator(RELIGHTIFY_OT_add_photos.bl_idname, icon="ADD")
        draw_text(layout, context, f"Two to {MOST_PHOTOS} photos: from the front, and from both sides.", "INFO")
        return
    row = layout.row()
    rows = max(ROWS, min(len(photos), MOST_PHOTOS))
    row.template_list(RELIGHTIFY_UL_photos.__name__, "", settings, "photos", settings, "photo_index", rows=rows)
    column, index = row.column(align=True), settings.photo_index
    column.operator(RELIGHTIFY_OT_add_photos.bl_idname, text="", icon="ADD")
    column.operator(RELIGHTIFY_OT_remove_photo.bl_idname, text="", icon="REMOVE").index = index
    column.operator(RELIGHTIFY_OT_remove_photo.bl_idname, text="", icon="TRASH").index = -1
    column.separator()
    for by, icon in ((-1, "TRIA_UP"), (1, "TRIA_DOWN")):
        button = column.operator(RELIGHTIFY_OT_move_photo.bl_idname, text="", icon=icon)
        button.index, button.by = index, by
    text = problem(settings)
    if text:
        draw_text(layout, context, text, "ERROR")
    elif len(photos) == 1:
        draw_text(layout, context, f"Add one to {MOST_PHOTOS - 1} more photos of this person.", "INFO")


def problem(settings: bpy.types.PropertyGroup) -> str:
    """Why the photos of the list cannot be sent; empty where they can. Reads no file."""
    photos = settings.photos
    if len(photos) > MOST_PHOTOS:
        over = len(photos) - MOST_PHOTOS
        return f"A head is made from at most {MOST_PHOTOS} photos: take {over} off the list."
    missing = [file_of(item.path).name for item in photos if not is_there(item.path)]
    if missing:
        are, them = ("are", "them") if len(missing) > 1 else ("is", "it")
        return f"{' and '.join(missing)} {are} not there any more: take {them} off the list."
    try:
        check_photo_size(sum(file_of(item.path).stat().st_size for item in photos), len(photos))
    except RelightifyError as error:
        return str(error)
    except OSError as error:  # gone in between
        return f"A photo cannot be read: {error.strerror}."
    return ""


def button_text(settings: bpy.types.PropertyGroup) -> str:
    """What the button says that makes the head."""
    count = len(settings.photos)
    return f"Reconstruct Face from {count} Photos" if count > 1 else "Reconstruct Face"


def fill_photos(button: bpy.types.OperatorProperties, settings: bpy.types.PropertyGroup) -> None:
    """Give a button the photos of the list."""
    first, *further = settings.photos
    button.filepath, button.face = first.path, first.face
    for item in further:
        button.further.add().name = item.path
    button.further_faces = faces_text(item.face if item.face >= 0 else None for item in further)


CLASSES = (RELIGHTIFY_UL_photos,)
