"""Operators of the likeness sliders. (No postponed annotations here: Blender reads them.)"""
# Blender wants names such as RELIGHTIFY_OT_add_likeness, and reads class attributes as they are.
# ruff: noqa: N801, RUF012

import bpy

from ...scene import likeness
from .head import HeadOperator, head_of


class LikenessOperator(HeadOperator):
    """What operators on the sliders need."""

    NO_HEAD = "There is no head with shape keys here"
    CHANGES_HEAD = True

    @classmethod
    def has_head(cls, context: bpy.types.Context) -> bool:
        head = head_of(context)
        return head is not None and head.data.shape_keys is not None

    @classmethod
    def is_linked(cls, head: bpy.types.Object | None) -> bool:
        return head is not None and (head.library is not None or head.data.library is not None)


class RELIGHTIFY_OT_add_likeness(LikenessOperator):
    """Give the head sliders for its features, as shape keys in millimetres"""

    bl_idname = "relightify.add_likeness"
    bl_label = "Add Likeness Sliders"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        likeness.add_likeness(self.head(context))
        return {"FINISHED"}


class RELIGHTIFY_OT_reset_likeness(LikenessOperator):
    """Make the head the one that was reconstructed"""

    bl_idname = "relightify.reset_likeness"
    bl_label = "Reset Likeness"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        likeness.reset_likeness(self.head(context))
        return {"FINISHED"}


CLASSES = (RELIGHTIFY_OT_add_likeness, RELIGHTIFY_OT_reset_likeness)
