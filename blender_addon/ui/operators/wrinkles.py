"""Operators that add wrinkles to a head's shapes. (No postponed annotations here: Blender reads them.)"""
# Blender wants names such as RELIGHTIFY_OT_add_wrinkles, and reads class attributes as they are.
# ruff: noqa: N801, RUF012
# pyright: reportInvalidTypeForm=false

import bpy

from ..._shared import RelightifyError
from ...scene import heads
from ...scene.renewing.replacing import own_materials
from ...scene.skin import wrinkles
from .head import HeadOperator, head_of


class RELIGHTIFY_OT_add_wrinkles(HeadOperator):
    """Have skin fold where raised brows, frowns and smiles squeeze it: maps of furrows that the shapes mix in"""

    bl_idname = "relightify.add_wrinkles"
    bl_label = "Add Wrinkles"
    bl_options = {"REGISTER", "UNDO"}
    CHANGES_HEAD = True

    strength: bpy.props.FloatProperty(
        name="Strength",
        description="How deep wrinkles are: 1 for a grown-up",
        default=1.0,
        min=0.0,
        soft_max=2.0,
        max=4.0,
    )
    seed: bpy.props.IntProperty(name="Seed", description="Another number, other furrows", min=0)

    def execute(self, context: bpy.types.Context) -> set[str]:
        manager, head = context.window_manager, self.head(context)
        manager.progress_begin(0, 100)
        try:
            heads.require_own(head)
            own_materials(head)
            wrinkles.add_wrinkles(head, self.seed, self.strength, lambda part: manager.progress_update(100 * part))
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        finally:
            manager.progress_end()
        return {"FINISHED"}


class RELIGHTIFY_OT_remove_wrinkles(HeadOperator):
    """Take the wrinkles out of the skin again"""

    bl_idname = "relightify.remove_wrinkles"
    bl_label = "Remove Wrinkles"
    bl_options = {"REGISTER", "UNDO"}
    CHANGES_HEAD = True
    NO_HEAD = "No head has wrinkles"

    @classmethod
    def has_head(cls, context: bpy.types.Context) -> bool:
        head = head_of(context)
        return head is not None and wrinkles.has_wrinkles(head)

    def execute(self, context: bpy.types.Context) -> set[str]:
        head = self.head(context)
        own_materials(head)
        wrinkles.remove_wrinkles(head)
        return {"FINISHED"}


CLASSES = (RELIGHTIFY_OT_add_wrinkles, RELIGHTIFY_OT_remove_wrinkles)
