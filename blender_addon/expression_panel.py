"""The panel *Expression*. Panels only draw."""
# Blender wants names such as RELIGHTIFY_PT_expression, and reads class attributes as they are.
# ruff: noqa: N801

from __future__ import annotations

import bpy

from . import scene_heads
from .expression_operators import RELIGHTIFY_OT_set_expression
from .panel_layout import FacePanel


class RELIGHTIFY_PT_expression(FacePanel, bpy.types.Panel):
    """Expression of the active head"""

    bl_label = "Expression"
    bl_order = 20

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(scene_heads.head_collections(context.scene))

    def draw(self, context: bpy.types.Context) -> None:
        row = self.layout.row(align=True)
        name = RELIGHTIFY_OT_set_expression.bl_idname
        row.operator(name, text="Neutral").expression = "NEUTRAL"
        row.operator(name, text="Photo").expression = "PHOTO"


CLASSES = (RELIGHTIFY_PT_expression,)
