"""The panel *Relight*. Panels only draw."""
# Blender wants names such as RELIGHTIFY_PT_relight, and reads class attributes as they are.
# ruff: noqa: N801, RUF012

from __future__ import annotations

import bpy

from ...light import rigs, turntable
from ...light.relight import HDRI, IMAGE, PHOTO, PLAIN
from ...light.render_settings import CYCLES, EEVEE
from ...light.worlds import needs_packing
from ...scene import heads
from ..layout import FacePanel, draw_text
from ..operators.head import head_of
from ..operators.light import (
    RELIGHTIFY_OT_match_photo_camera,
    RELIGHTIFY_OT_match_photo_light,
    RELIGHTIFY_OT_pack_light,
)
from ..operators.studio import (
    RELIGHTIFY_OT_add_light_rig,
    RELIGHTIFY_OT_remove_light_rig,
    RELIGHTIFY_OT_remove_turntable,
    RELIGHTIFY_OT_render_turntable,
    RELIGHTIFY_OT_set_up_render,
    RELIGHTIFY_OT_set_up_turntable,
)
from ..properties.light import lit_photos

PREVIEW_SCALE = 4.0


class RELIGHTIFY_PT_relight(FacePanel, bpy.types.Panel):
    """Light of the scene"""

    bl_label = "Relight"
    bl_order = 10

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(heads.heads_of(context.view_layer))

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.relightify_light
        column = layout.column(align=True)
        column.operator(RELIGHTIFY_OT_match_photo_light.bl_idname, icon="LIGHT_SUN")
        column.operator(RELIGHTIFY_OT_match_photo_camera.bl_idname, icon="CAMERA_DATA")
        layout.row(align=True).prop(settings, "source", expand=True)
        if settings.source == HDRI:
            layout.template_icon_view(settings, "studio_light", show_labels=True, scale=PREVIEW_SCALE)
            layout.prop(settings, "studio_light", text="")
        elif settings.source == PHOTO and len(lit_photos(context)) > 1:
            layout.prop(settings, "photo_name", text="")
        elif settings.source == IMAGE:
            layout.template_ID(settings, "image", open="image.open")
            if settings.image is not None and needs_packing(settings.image):
                layout.operator(RELIGHTIFY_OT_pack_light.bl_idname, icon="PACKAGE")
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        if settings.source != PLAIN:
            column.prop(settings, "rotation")
        column.prop(settings, "strength")
        if settings.source in (HDRI, IMAGE):
            column.prop(settings, "show_backdrop")
        if settings.error:
            draw_text(layout, context, settings.error, "ERROR")


class RELIGHTIFY_PT_light_rig(FacePanel, bpy.types.Panel):
    """Key, fill and rim light"""

    bl_label = "Studio Lights"
    bl_parent_id = "RELIGHTIFY_PT_relight"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        rig = rigs.find_rig(head_of(context))
        if rig is None:
            layout.operator(RELIGHTIFY_OT_add_light_rig.bl_idname, icon="LIGHT_AREA")
            return
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        for name in ("brightness", "angle", "height", "ratio", "rim", "softness", "warmth"):
            column.prop(rig.relightify_rig, name)
        layout.operator(RELIGHTIFY_OT_remove_light_rig.bl_idname, text="Remove", icon="TRASH")


class RELIGHTIFY_PT_turntable(FacePanel, bpy.types.Panel):
    """A full turn as an animation"""

    bl_label = "Turntable"
    bl_parent_id = "RELIGHTIFY_PT_relight"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.relightify_turntable
        layout.row(align=True).prop(settings, "turns", expand=True)
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(settings, "frames")
        column.prop(settings, "start")
        if settings.turns == "CAMERA":
            column.prop(settings, "lens")
            column.prop(settings, "elevation")
        column.prop(settings, "clockwise")
        column.prop(settings, "set_range")
        row = layout.row(align=True)
        row.operator(RELIGHTIFY_OT_set_up_turntable.bl_idname, icon="FILE_REFRESH")
        if turntable.find_turntable(head_of(context)) is not None or turntable.light_turns(context.scene):
            row.operator(RELIGHTIFY_OT_remove_turntable.bl_idname, text="", icon="TRASH")
            layout.operator(RELIGHTIFY_OT_render_turntable.bl_idname, icon="RENDER_ANIMATION")


class RELIGHTIFY_PT_render(FacePanel, bpy.types.Panel):
    """Settings of the render engines"""

    bl_label = "Render Settings"
    bl_parent_id = "RELIGHTIFY_PT_relight"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.label(text="Set up for skin:")
        row = layout.row(align=True)
        is_cycles = context.scene.render.engine == "CYCLES"
        name = RELIGHTIFY_OT_set_up_render.bl_idname
        row.operator(name, text="EEVEE", depress="EEVEE" in context.scene.render.engine).engine = EEVEE
        row.operator(name, text="Cycles", depress=is_cycles).engine = CYCLES


CLASSES = (RELIGHTIFY_PT_relight, RELIGHTIFY_PT_light_rig, RELIGHTIFY_PT_turntable, RELIGHTIFY_PT_render)
