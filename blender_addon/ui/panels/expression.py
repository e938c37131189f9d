"""The panel *Expression*. Panels only draw."""
# Blender wants names such as RELIGHTIFY_PT_expression, and reads class attributes as they are.
# ruff: noqa: N801

from __future__ import annotations

import bpy

from ... import compat
from ...expression.shapes import GROUPS, SIDES, label, sides
from ...scene import heads
from ...scene.skin.wrinkles import has_wrinkles
from ..layout import FacePanel, draw_text
from ..operators.expression import (
    RELIGHTIFY_OT_clear_recording,
    RELIGHTIFY_OT_import_recording,
    RELIGHTIFY_OT_random_expression,
    RELIGHTIFY_OT_reset_expression_group,
    RELIGHTIFY_OT_set_expression,
    face_of,
)
from ..operators.wrinkles import RELIGHTIFY_OT_add_wrinkles, RELIGHTIFY_OT_remove_wrinkles

# Room for the words; the rest of a line is for one slider or two.
LABEL_FACTOR = 0.36


class RELIGHTIFY_PT_expression(FacePanel, bpy.types.Panel):
    """Expression of the active head"""

    bl_label = "Expression"
    bl_order = 20

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(heads.heads_of(context.view_layer))

    def draw(self, context: bpy.types.Context) -> None:
        layout, head = self.layout, face_of(context)
        if head is None:
            draw_text(layout, context, "This head has no shape keys any more.", "INFO")
            return
        if len(heads.heads_of(context.view_layer)) > 1:
            layout.label(text=head.name, icon="USER")
        row = layout.row(align=True)
        name = RELIGHTIFY_OT_set_expression.bl_idname
        row.operator(name, text="Neutral").expression = "NEUTRAL"
        row.operator(name, text="Photo").expression = "PHOTO"
        row.operator(RELIGHTIFY_OT_random_expression.bl_idname, text="Random")
        for group, patterns in GROUPS.items():
            header, body = layout.panel(f"relightify_{group}", default_closed=True)
            header.label(text=group)
            reset = header.operator(
                RELIGHTIFY_OT_reset_expression_group.bl_idname, text="", icon="LOOP_BACK", emboss=False
            )
            reset.group = group
            if body is not None:
                _draw_sliders(body, head.data.shape_keys.key_blocks, patterns)
        row = layout.row(align=True)
        row.operator(RELIGHTIFY_OT_import_recording.bl_idname, text="Import Recording", icon="IMPORT")
        if compat.existing_curves(head.data.shape_keys):
            row.operator(RELIGHTIFY_OT_clear_recording.bl_idname, text="", icon="TRASH")
        row = layout.row(align=True)
        folded = has_wrinkles(head)
        row.operator(
            RELIGHTIFY_OT_add_wrinkles.bl_idname,
            text="Make Wrinkles Again" if folded else "Add Wrinkles",
            icon="MOD_CLOTH",
        )
        if folded:
            row.operator(RELIGHTIFY_OT_remove_wrinkles.bl_idname, text="", icon="TRASH")


def _draw_sliders(layout: bpy.types.UILayout, keys: bpy.types.bpy_prop_collection, patterns: tuple[str, ...]) -> None:
    """A line for each shape; left and right share one. The sliders are the shape keys' own, so they can be keyed."""
    column = layout.column(align=True)
    if any(pattern.endswith("*") for pattern in patterns):
        split = column.split(factor=LABEL_FACTOR, align=True)
        split.label(text="")
        row = split.row(align=True)
        for side in SIDES:
            row.label(text=side)
    for pattern in patterns:
        split = column.split(factor=LABEL_FACTOR, align=True)
        split.alignment = "RIGHT"
        split.label(text=label(pattern))
        row = split.row(align=True)
        for name in sides(pattern):
            if name in keys:
                row.prop(keys[name], "value", text="", slider=True)


CLASSES = (RELIGHTIFY_PT_expression,)
