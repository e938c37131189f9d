"""The sidebar tab *Face*. Panels only draw."""
# Blender wants names such as RELIGHTIFY_PT_main, and reads class attributes as they are.
# ruff: noqa: N801, RUF012

from __future__ import annotations

import textwrap

import bpy

from . import scene_heads
from ._shared import RelightifyError
from .jobs import Job, State, time_left_text
from .operators import (
    RELIGHTIFY_OT_cancel,
    RELIGHTIFY_OT_pick_photo,
    RELIGHTIFY_OT_reconstruct,
    RELIGHTIFY_OT_set_expression,
)
from .session import Session, session_of

PIXELS_PER_LETTER = 7
THUMBNAIL_SCALE = 7.0


class FacePanel:
    """Where all panels of the add-on live."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Face"


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


class RELIGHTIFY_PT_light(FacePanel, bpy.types.Panel):
    """Relighting"""

    bl_label = "Light"
    bl_parent_id = "RELIGHTIFY_PT_main"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(scene_heads.head_collections(context.scene))

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.relightify
        layout.use_property_split = True
        layout.use_property_decorate = False
        for name in ("light", "light_rotation", "light_strength"):
            layout.prop(settings, name)
        if settings.light_error:
            _draw_text(layout, context, settings.light_error, "ERROR")


class RELIGHTIFY_PT_expression(FacePanel, bpy.types.Panel):
    """Expression of the active head"""

    bl_label = "Expression"
    bl_parent_id = "RELIGHTIFY_PT_main"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(scene_heads.head_collections(context.scene))

    def draw(self, context: bpy.types.Context) -> None:
        row = self.layout.row(align=True)
        name = RELIGHTIFY_OT_set_expression.bl_idname
        row.operator(name, text="Neutral").expression = "NEUTRAL"
        row.operator(name, text="Photo").expression = "PHOTO"


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
        _draw_text(layout, context, warning, "INFO")


def _draw_error(layout: bpy.types.UILayout, context: bpy.types.Context, error: RelightifyError) -> None:
    _draw_text(layout, context, error.message, "ERROR")
    if error.hint:
        _draw_text(layout, context, error.hint, "BLANK1")


def _draw_text(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str) -> None:
    """Text in as many lines as the sidebar needs; Blender's labels do not wrap."""
    scale = context.preferences.system.ui_scale
    letters = max(20, int((context.region.width / scale - 60) / PIXELS_PER_LETTER))
    column = layout.column(align=True)
    for index, line in enumerate(textwrap.wrap(text, letters)):
        column.label(text=line, icon=icon if index == 0 else "BLANK1")


CLASSES = (RELIGHTIFY_PT_main, RELIGHTIFY_PT_options, RELIGHTIFY_PT_light, RELIGHTIFY_PT_expression)
