"""The sidebar tab *Face*. Panels only draw."""
# Blender wants names such as RELIGHTIFY_PT_main, and reads class attributes as they are.
# ruff: noqa: N801, RUF012

from __future__ import annotations

import bpy

from ._shared import RelightifyError
from .jobs import Job, State, time_left_text
from .operators import (
    RELIGHTIFY_OT_cancel,
    RELIGHTIFY_OT_pick_photo,
    RELIGHTIFY_OT_reconstruct,
)
from .panel_layout import FacePanel, draw_text
from .session import Session, session_of

THUMBNAIL_SCALE = 7.0


class RELIGHTIFY_PT_main(FacePanel, bpy.types.Panel):
    """Photo, button, progress and errors"""

    bl_label = "Relightify"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        settings, session = context.scene.relightify, session_of(context)
        row = layout.row(align=True)
        row.prop(settings, "photo", text="")
        row.operator(RELIGHTIFY_OT_pick_photo.bl_idname, text="", icon="FILE_IMAGE")
        if session.busy and session.job is not None:
            _draw_progress(layout, session, session.job)
        else:
            icon = session.previews.photo_icon(bpy.path.abspath(settings.photo))
            if icon:
                layout.template_icon(icon_value=icon, scale=THUMBNAIL_SCALE)
            _draw_button(layout, settings)
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
        for name in ("quality", "resolution", "face", "seed"):
            column.prop(settings, name)
        column = layout.column(heading="Set Up")
        column.prop(settings, "use_camera")
        column.prop(settings, "use_light")


def _draw_button(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
    column = layout.column()
    column.scale_y = 1.5
    column.enabled = bool(settings.photo)
    button = column.operator(RELIGHTIFY_OT_reconstruct.bl_idname, icon="USER")
    for name in ("face", "quality", "resolution", "seed", "use_camera", "use_light"):
        setattr(button, name, getattr(settings, name))
    button.filepath = settings.photo


def _draw_progress(layout: bpy.types.UILayout, session: Session, job: Job) -> None:
    icon = session.previews.live_icon()
    if icon:
        layout.template_icon(icon_value=icon, scale=THUMBNAIL_SCALE)
    layout.progress(factor=job.fraction, type="BAR", text=job.stage)
    row = layout.row()
    row.label(text=time_left_text(job.seconds_left))
    row.operator(RELIGHTIFY_OT_cancel.bl_idname, icon="X")


def _draw_outcome(layout: bpy.types.UILayout, context: bpy.types.Context, job: Job | None) -> None:
    if job is None:
        return
    if job.state is State.FAILED and job.error is not None:
        _draw_error(layout.box(), context, job.error)
    elif job.state is State.CANCELLED:
        layout.label(text="Cancelled", icon="INFO")
    for warning in job.warnings:
        draw_text(layout, context, warning, "INFO")


def _draw_error(layout: bpy.types.UILayout, context: bpy.types.Context, error: RelightifyError) -> None:
    draw_text(layout, context, error.message, "ERROR")
    if error.hint:
        draw_text(layout, context, error.hint, "BLANK1")


CLASSES = (RELIGHTIFY_PT_main, RELIGHTIFY_PT_options)
