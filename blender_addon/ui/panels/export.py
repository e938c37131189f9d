"""The sub-panel *Export* of the Face tab. Panels only draw."""
# Blender wants names such as RELIGHTIFY_PT_export, and reads class attributes as they are.
# ruff: noqa: N801, RUF012

from __future__ import annotations

import bpy

from ...scene import heads
from ..operators.export import RELIGHTIFY_OT_bake_textures, RELIGHTIFY_OT_export
from ..properties.baking import BAKE_NAMES, draw_bake
from ..properties.export import CHOICE_NAMES, draw_choices


class RELIGHTIFY_PT_export(bpy.types.Panel):
    """What to export of the active head, and for what"""

    bl_label = "Export"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Face"
    bl_parent_id = "RELIGHTIFY_PT_main"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(heads.heads_of(context.view_layer))

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.relightify_export
        draw_choices(layout, settings)
        row = layout.row()
        row.scale_y = 1.25
        button = row.operator(RELIGHTIFY_OT_export.bl_idname, text="Export...", icon="EXPORT")
        for name in CHOICE_NAMES:
            setattr(button, name, getattr(settings, name))


class RELIGHTIFY_PT_bake(bpy.types.Panel):
    """The skin's textures for another UV map or another mesh"""

    bl_label = "Bake Textures"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Face"
    bl_parent_id = "RELIGHTIFY_PT_export"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.relightify_bake
        draw_bake(layout, settings, context)
        button = layout.operator(RELIGHTIFY_OT_bake_textures.bl_idname, text="Bake...", icon="TEXTURE")
        for name in BAKE_NAMES:
            setattr(button, name, getattr(settings, name))


CLASSES = (RELIGHTIFY_PT_export, RELIGHTIFY_PT_bake)
