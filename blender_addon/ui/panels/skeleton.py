"""The panel *Skeleton*. Panels only draw."""
# Blender wants names such as RELIGHTIFY_PT_skeleton, and reads class attributes as they are.
# ruff: noqa: N801, RUF012

from __future__ import annotations

import bpy

from ...skeleton import following
from ...skeleton.armature import armature_of, fits_likeness, lent_armature
from ..layout import HeadPanel, draw_text
from ..operators.head import head_of
from ..operators.skeleton import (
    EYES_ITEMS,
    JAW_ITEMS,
    RELIGHTIFY_OT_add_eye_aim,
    RELIGHTIFY_OT_add_skeleton,
    RELIGHTIFY_OT_fit_bones,
    RELIGHTIFY_OT_name_bones,
    RELIGHTIFY_OT_open_jaw_by,
    RELIGHTIFY_OT_remove_eye_aim,
    RELIGHTIFY_OT_remove_skeleton,
    RELIGHTIFY_OT_turn_eyes_by,
)


class RELIGHTIFY_PT_skeleton(HeadPanel, bpy.types.Panel):
    """Bones of the active head"""

    bl_label = "Skeleton"
    bl_order = 25
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, head = self.layout, head_of(context)
        armature = armature_of(head)
        if head is None or armature is None:
            if head is not None and lent_armature(head) is not None:
                draw_text(layout, context, "This copy hangs on the bones of the other head. Give it its own:", "INFO")
            layout.operator(RELIGHTIFY_OT_add_skeleton.bl_idname, icon="ARMATURE_DATA")
            return
        row = layout.row(align=True)
        row.operator_menu_enum(RELIGHTIFY_OT_name_bones.bl_idname, "naming", text="Bone Names")
        row.operator(RELIGHTIFY_OT_remove_skeleton.bl_idname, text="", icon="TRASH")
        if not fits_likeness(head):
            layout.operator(RELIGHTIFY_OT_fit_bones.bl_idname, icon="ERROR")
        layout.prop(armature, "show_in_front", text="Bones in Front")
        _draw_switch(layout, "Eyes", RELIGHTIFY_OT_turn_eyes_by.bl_idname, EYES_ITEMS, following.eyes_by(armature))
        _draw_switch(layout, "Jaw", RELIGHTIFY_OT_open_jaw_by.bl_idname, JAW_ITEMS, following.jaw_by(armature))
        if following.aim_of(head) is None:
            layout.operator(RELIGHTIFY_OT_add_eye_aim.bl_idname, icon="HIDE_OFF")
        else:
            layout.operator(RELIGHTIFY_OT_remove_eye_aim.bl_idname, icon="HIDE_ON")


def _draw_switch(
    layout: bpy.types.UILayout, text: str, operator: str, items: list[tuple[str, str, str]], chosen: str
) -> None:
    """A row of buttons of which one is pressed."""
    split = layout.split(factor=0.36)
    split.alignment = "RIGHT"
    split.label(text=f"{text} By")
    row = split.row(align=True)
    for value, label, _ in items:
        row.operator(operator, text=label, depress=value == chosen).by = value


CLASSES = (RELIGHTIFY_PT_skeleton,)
