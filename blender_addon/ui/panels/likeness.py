"""The panel *Likeness*: a hand on the fit, and sliders for the features. Panels only draw."""
# Blender wants names such as RELIGHTIFY_PT_likeness, and reads class attributes as they are.
# ruff: noqa: N801

from __future__ import annotations

import bpy

from ...scene import heads
from ...scene.likeness import likeness_keys
from ...scene.mesh import LIKENESS
from ...scene.renewing.head_fit import kept_corrections
from ..fit_editing import FitEditing, editing
from ..layout import FacePanel, draw_text
from ..operators.edit_fit import RELIGHTIFY_OT_edit_fit, RELIGHTIFY_OT_end_edit_fit, whose_handles
from ..operators.head import head_of
from ..operators.likeness import RELIGHTIFY_OT_add_likeness, RELIGHTIFY_OT_reset_likeness


class RELIGHTIFY_PT_likeness(FacePanel, bpy.types.Panel):
    """Where the features of the active head are"""

    bl_label = "Likeness"
    bl_order = 15

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(heads.heads_of(context.view_layer))

    def draw(self, context: bpy.types.Context) -> None:
        layout, head, now = self.layout, head_of(context), editing()
        if head is None:
            return
        if now is not None:
            _draw_editing(layout, context, now)
            return
        corrected = len(kept_corrections(head).points)
        row = layout.row()
        row.scale_y = 1.25
        text = f"Edit Fit ({corrected} corrected)" if corrected else "Edit Fit"
        row.operator(RELIGHTIFY_OT_edit_fit.bl_idname, text=text, icon="EMPTY_AXIS")
        for sentence in whose_handles(head):
            draw_text(layout, context, sentence, "INFO")
        keys = likeness_keys(head)
        if not keys:
            layout.operator(RELIGHTIFY_OT_add_likeness.bl_idname, icon="ADD")
            return
        column = layout.column(align=True)
        column.label(text="Millimetres")
        for key in keys:
            column.prop(key, "value", text=key.name.removeprefix(LIKENESS), slider=True)
        layout.operator(RELIGHTIFY_OT_reset_likeness.bl_idname, icon="LOOP_BACK")


def _draw_editing(layout: bpy.types.UILayout, context: bpy.types.Context, now: FitEditing) -> None:
    """What can be done while a head is being corrected."""
    layout.label(text=now.head.name, icon="USER", translate=False)
    for sentence in whose_handles(now.head):
        draw_text(layout, context, sentence, "INFO")
    count = len(now.corrections.points)
    layout.label(text="1 point corrected" if count == 1 else f"{count} points corrected")
    end = RELIGHTIFY_OT_end_edit_fit.bl_idname
    row = layout.row(align=True)
    undo = row.row(align=True)
    undo.enabled = now.can_undo
    undo.operator(end, text="Undo", icon="LOOP_BACK").how = "UNDO"
    row.operator(end, text="Reset All", icon="X").how = "RESET_ALL"
    row = layout.row(align=True)
    row.scale_y = 1.25
    row.operator(end, text="Apply", icon="CHECKMARK").how = "APPLY"
    row.operator(end, text="Cancel", icon="CANCEL").how = "CANCEL"


CLASSES = (RELIGHTIFY_PT_likeness,)
