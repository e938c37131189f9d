"""The panel *Relight*. Panels only draw."""
# Blender wants names such as RELIGHTIFY_PT_relight, and reads class attributes as they are.
# ruff: noqa: N801

from __future__ import annotations

import bpy

from . import scene_heads
from .panel_layout import FacePanel, draw_text
from .relight import HDRI, IMAGE, PLAIN
from .relight_operators import RELIGHTIFY_OT_match_photo_light

PREVIEW_SCALE = 5.0


class RELIGHTIFY_PT_relight(FacePanel, bpy.types.Panel):
    """Light of the scene"""

    bl_label = "Relight"
    bl_order = 10

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(scene_heads.head_collections(context.scene))

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.relightify_light
        layout.operator(RELIGHTIFY_OT_match_photo_light.bl_idname, icon="CAMERA_DATA")
        layout.row(align=True).prop(settings, "source", expand=True)
        if settings.source == HDRI:
            layout.template_icon_view(settings, "studio_light", show_labels=True, scale=PREVIEW_SCALE)
            layout.prop(settings, "studio_light", text="")
        elif settings.source == IMAGE:
            layout.template_ID(settings, "image", open="image.open")
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


CLASSES = (RELIGHTIFY_PT_relight,)
