"""The panel *Body*. Panels only draw."""
# Blender wants names such as RELIGHTIFY_PT_body, and reads class attributes as they are.
# ruff: noqa: N801, RUF012

from __future__ import annotations

import bpy

from ...body import attaching, humans
from ...scene import neck
from ..layout import HeadPanel, draw_text
from ..operators.body import (
    RELIGHTIFY_OT_attach_to_human,
    RELIGHTIFY_OT_detach_from_human,
    dressed_human,
    human_here,
)
from ..operators.head import RELIGHTIFY_OT_close_neck, RELIGHTIFY_OT_open_neck, head_of


class RELIGHTIFY_PT_body(HeadPanel, bpy.types.Panel):
    """A human of MPFB or MakeHuman for the active head"""

    bl_label = "Body"
    bl_order = 26
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, dressed = self.layout, dressed_human(context)
        if dressed is not None:
            draw_text(
                layout, context, f"{dressed.name} has the head of {attaching.attached_name(dressed)}", "CHECKMARK"
            )
            layout.operator(RELIGHTIFY_OT_attach_to_human.bl_idname, text="Attach Again", icon="FILE_REFRESH")
            layout.operator(RELIGHTIFY_OT_detach_from_human.bl_idname, icon="TRASH")
            return
        human = human_here(context)
        if human is not None:
            layout.label(text=human.name, icon="OUTLINER_OB_ARMATURE")
        elif humans.humans_of(context.scene):
            draw_text(layout, context, "Select the human that you mean.", "INFO")
        else:
            draw_text(layout, context, "Make a human with MPFB, or append one.", "INFO")
        row = layout.row()
        row.enabled = human is not None
        row.operator(RELIGHTIFY_OT_attach_to_human.bl_idname, icon="LINKED")
        head = head_of(context)
        if head is not None:
            closed = neck.is_closed(head)
            layout.operator(RELIGHTIFY_OT_open_neck.bl_idname if closed else RELIGHTIFY_OT_close_neck.bl_idname)


CLASSES = (RELIGHTIFY_PT_body,)
