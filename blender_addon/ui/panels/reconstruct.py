"""The sidebar tab *Face*. Panels only draw."""
# Blender wants names such as RELIGHTIFY_PT_main, and reads class attributes as they are.
# ruff: noqa: N801, RUF012

from __future__ import annotations

import bpy

from ..._shared import RANDOM_QUALITIES, Faces
from ...install.run import Phase
from ...link.choice import backend_ready
from ...link.jobs import Job, State, time_left_text
from ...link.session import Session, session_of
from ...scene.heads import PHOTO, own_face
from ...scene.photos.photo_source import FILE, IMAGE, PEOPLE, PERSON
from ...scene.skin.samples import SHOWN, sample_numbers
from .. import photo_choice
from ..layout import FacePanel, draw_text
from ..operators.backend import RELIGHTIFY_OT_open_preferences
from ..operators.head import RELIGHTIFY_OT_delete_head, RELIGHTIFY_OT_duplicate_head, head_of
from ..operators.people import RELIGHTIFY_OT_pick_people
from ..operators.person import RELIGHTIFY_OT_add_photos
from ..operators.photo import (
    RELIGHTIFY_OT_choose_face,
    RELIGHTIFY_OT_find_faces,
    RELIGHTIFY_OT_pick_photo,
    RELIGHTIFY_OT_use_image,
)
from ..operators.reconstruct import (
    RELIGHTIFY_OT_accept_result,
    RELIGHTIFY_OT_cancel,
    RELIGHTIFY_OT_reconstruct,
    RELIGHTIFY_OT_reconstruct_again,
    RELIGHTIFY_OT_show_sample,
)
from ..previews import addon_previews
from ..properties.job import draw_option, panel_value
from ..properties.reconstruct import fill_choices
from . import person
from .errors import draw_error
from .people import draw_people, draw_queue

THUMBNAIL_SCALE = 8.0
FACE_SCALE = 3.0
FACES_IN_A_ROW = 4


class RELIGHTIFY_PT_main(FacePanel, bpy.types.Panel):
    """Photo, button, progress and errors"""

    bl_label = "Relightify"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        settings, session = context.scene.relightify, session_of(context)
        if session.setup.state.phase is Phase.INSTALLING:
            state = session.setup.state
            layout.progress(factor=state.fraction, type="BAR", text=f"Installing the backend  {state.fraction:.0%}")
            layout.operator(RELIGHTIFY_OT_open_preferences.bl_idname, text="Show", icon="PREFERENCES")
            return
        if not backend_ready(context):
            _draw_no_backend(layout, context)
            return
        if session.queue.several:
            draw_queue(layout, context, session)
            if session.busy:
                draw_people(layout, settings)
                return
        elif session.busy and session.job is not None:
            if session.job.state is State.HELD:
                _draw_held(layout, context, session.job)
            else:
                _draw_progress(layout, session.job)
            return
        _draw_photo(layout, settings)
        if settings.source == PEOPLE:
            draw_people(layout, settings)
        else:
            if settings.source == PERSON:
                person.draw_list(layout, context, settings)
            _draw_faces(layout, context, settings, session)
            _draw_button(layout, settings, session)
        _draw_again(layout, context, settings)
        if not session.queue.several and not _told_by_search(session, settings):
            _draw_outcome(layout, context, session.job)


class RELIGHTIFY_PT_options(FacePanel, bpy.types.Panel):
    """Quality and what to import"""

    bl_label = "Options"
    bl_parent_id = "RELIGHTIFY_PT_main"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.relightify
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        draw_option(column, settings, "quality")
        quality, welcome = panel_value(settings, "quality"), session_of(context).welcome
        if welcome is not None and welcome.qualities and quality not in welcome.qualities:
            draw_text(layout, context, "This backend does not have this quality", "ERROR")
        draw_option(column, settings, "reflectance")
        draw_option(column, settings, "resolution")
        if quality in RANDOM_QUALITIES:
            draw_option(column, settings, "samples")
        for name in ("skin_tone", "skin_hue", "keep_marks", "detail_strength", "age", "seed", "extra_maps"):
            draw_option(column, settings, name)
        column = layout.column()
        column.prop(settings, "parts")
        column.prop(settings, "use_skeleton")
        column = layout.column(heading="Set Up")
        column.prop(settings, "use_camera")
        column.prop(settings, "use_light")
        column.prop(settings, "use_stage")


class RELIGHTIFY_PT_image(bpy.types.Panel):
    """The way from the Image Editor"""

    bl_label = "Relightify"
    bl_space_type = "IMAGE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Face"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.space_data.image is not None

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.operator(RELIGHTIFY_OT_use_image.bl_idname, icon="USER")


def _draw_no_backend(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    draw_text(layout, context, "The backend, which does the heavy work, has not been set up yet.", "INFO")
    row = layout.row()
    row.scale_y = 1.5
    row.operator(RELIGHTIFY_OT_open_preferences.bl_idname, icon="PREFERENCES")


def _draw_photo(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
    row = layout.row(align=True)
    row.prop(settings, "source", text="", icon_only=True)
    if settings.source == IMAGE:
        row.prop(settings, "image", text="")
    elif settings.source == PERSON:
        row.label(text="Photos of one person")
    elif settings.source == PEOPLE:
        row.operator(RELIGHTIFY_OT_pick_people.bl_idname, icon="FILEBROWSER")
    else:
        row.prop(settings, "photo", text="", placeholder="Pick or drop a photo")
        row.operator(RELIGHTIFY_OT_pick_photo.bl_idname, text="", icon="FILEBROWSER")
        if settings.photo:
            row.operator(RELIGHTIFY_OT_add_photos.bl_idname, text="", icon="ADD").keep_photo = True


def _draw_faces(
    layout: bpy.types.UILayout, context: bpy.types.Context, settings: bpy.types.PropertyGroup, session: Session
) -> None:
    """The photo, and its faces to choose from once they have been found."""
    key = photo_choice.settings_key(settings)
    if not key:
        return
    search = session.searches.of(key)
    faces = search.job.faces if search is not None else None
    owner = photo_choice.face_owner(settings)
    if faces is not None:
        chosen = owner.face if 0 <= owner.face < len(faces.problems) else 0
        layout.template_icon(icon_value=addon_previews().faces_icon(faces, chosen), scale=THUMBNAIL_SCALE)
        if len(faces.problems) > 1:
            _draw_choice(layout, owner, faces, chosen)
        if faces.problems[chosen]:
            draw_text(layout, context, faces.problems[chosen], "ERROR")
        return
    icon = _photo_icon(settings, key)
    if icon:
        layout.template_icon(icon_value=icon, scale=THUMBNAIL_SCALE)
    if search is not None and not search.job.ended:
        layout.label(text="Looking for faces", icon="VIEWZOOM")
    elif search is not None and search.job.error is not None:
        draw_error(layout.box(), context, search.job.error)
    else:
        layout.operator(RELIGHTIFY_OT_find_faces.bl_idname, icon="VIEWZOOM")


def _photo_icon(settings: bpy.types.PropertyGroup, key: str) -> int:
    if settings.source in (FILE, PERSON):
        return addon_previews().photo_icon(key)
    preview = settings.image.preview_ensure() if settings.image is not None else None
    return preview.icon_id if preview is not None else 0


def _draw_choice(layout: bpy.types.UILayout, owner: bpy.types.PropertyGroup, faces: Faces, chosen: int) -> None:
    """All faces, to choose by picture or by number."""
    layout.template_icon_view(owner, "face_picture", show_labels=True, scale=FACE_SCALE, scale_popup=FACE_SCALE)
    grid = layout.grid_flow(row_major=True, columns=min(FACES_IN_A_ROW, len(faces.problems)), align=True)
    for index, problem in enumerate(faces.problems):
        button = grid.operator(
            RELIGHTIFY_OT_choose_face.bl_idname,
            text=str(index + 1),
            depress=index == chosen,
            icon="ERROR" if problem else "NONE",
        )
        button.index, button.problem = index, problem


def _draw_button(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup, session: Session) -> None:
    column = layout.column()
    column.scale_y = 1.5
    column.enabled = bool(photo_choice.settings_key(settings))
    if settings.source == PERSON:
        column.enabled = bool(settings.photos) and not person.problem(settings)
        button = column.operator(RELIGHTIFY_OT_reconstruct.bl_idname, icon="USER", text=person.button_text(settings))
        fill_choices(button, settings)
        if settings.photos:
            person.fill_photos(button, settings)
        return
    button = column.operator(RELIGHTIFY_OT_reconstruct.bl_idname, icon="USER")
    fill_choices(button, settings)
    search = session.searches.of(photo_choice.settings_key(settings))
    if settings.face < 0 and search is not None:
        # What the panel shows as chosen.
        button.face = 0 if search.job.faces is not None else -1
    if settings.source == IMAGE:
        button.image = settings.image.name if settings.image is not None else ""
    else:
        button.filepath = settings.photo


def _draw_again(layout: bpy.types.UILayout, context: bpy.types.Context, settings: bpy.types.PropertyGroup) -> None:
    """The button that renews the active head, where there is one."""
    head = head_of(context)
    if head is None or head.get(PHOTO) is None:
        return
    row = layout.row(align=True)
    button = row.operator(
        RELIGHTIFY_OT_reconstruct_again.bl_idname, text=f"Redo {head.name}", icon="FILE_REFRESH", translate=False
    )
    row.operator(RELIGHTIFY_OT_duplicate_head.bl_idname, text="", icon="DUPLICATE")
    row.operator(RELIGHTIFY_OT_delete_head.bl_idname, text="", icon="TRASH")
    fill_choices(button, settings)
    # The panel's face is of the panel's photo.
    button.face = own_face(head)
    numbers = sample_numbers(head)
    if numbers:
        row = layout.row(align=True)
        row.label(text="Sample")
        for number in numbers:
            shown = head.get(SHOWN) == number
            row.operator(RELIGHTIFY_OT_show_sample.bl_idname, text=str(number), depress=shown).number = number


def _draw_progress(layout: bpy.types.UILayout, job: Job) -> None:
    layout.label(text=job.name, icon="USER", translate=False)
    icon = addon_previews().live_icon(job.preview)
    if icon:
        layout.template_icon(icon_value=icon, scale=THUMBNAIL_SCALE)
    layout.progress(factor=job.fraction, type="BAR", text=job.stage)
    row = layout.row()
    row.label(text=time_left_text(job.seconds_left))
    row.operator(RELIGHTIFY_OT_cancel.bl_idname, icon="X")


def _draw_held(layout: bpy.types.UILayout, context: bpy.types.Context, job: Job) -> None:
    text = f"The head of {job.name} is ready. It was started in another file than the one that is open now."
    draw_text(layout, context, text, "QUESTION")
    row = layout.row()
    row.operator(RELIGHTIFY_OT_accept_result.bl_idname, icon="IMPORT")
    row.operator(RELIGHTIFY_OT_cancel.bl_idname, text="Discard", icon="X")


def _told_by_search(session: Session, settings: bpy.types.PropertyGroup) -> bool:
    """Whether the search for faces, drawn above, has failed for the same reason as the job."""
    search, job = session.searches.of(photo_choice.settings_key(settings)), session.job
    if search is None or job is None:
        return False
    return search.job.error is not None and job.error is not None and search.job.error.code == job.error.code


def _draw_outcome(layout: bpy.types.UILayout, context: bpy.types.Context, job: Job | None) -> None:
    if job is None:
        return
    if job.state is State.FAILED and job.error is not None:
        draw_error(layout.box(), context, job.error)
    elif job.state is State.CANCELLED:
        layout.label(text="Cancelled", icon="INFO")
    for warning in job.warnings:
        draw_text(layout, context, warning, "INFO")


CLASSES = (RELIGHTIFY_PT_main, RELIGHTIFY_PT_options, RELIGHTIFY_PT_image)
