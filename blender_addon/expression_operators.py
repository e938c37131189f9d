"""Operators of the panel *Expression*. (No postponed annotations here: Blender reads them.)"""
# Blender wants names such as RELIGHTIFY_OT_set_expression, and reads class attributes as they are.
# ruff: noqa: N801, RUF012
# pyright: reportInvalidTypeForm=false

import bpy

from . import scene_heads


class RELIGHTIFY_OT_set_expression(bpy.types.Operator):
    """Relax the face or dial the photo's expression in again"""

    bl_idname = "relightify.set_expression"
    bl_label = "Set Expression"
    bl_options = {"REGISTER", "UNDO"}

    expression: bpy.props.EnumProperty(
        name="Expression",
        items=[
            ("NEUTRAL", "Neutral", "Relax the face"),
            ("PHOTO", "Photo", "The expression of the photo"),
        ],
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return scene_heads.active_head(context.scene, context.active_object) is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        collection = scene_heads.active_head(context.scene, context.active_object)
        if collection is None:
            self.report({"ERROR"}, "There is no head in this scene.")
            return {"CANCELLED"}
        if self.expression == "PHOTO":
            scene_heads.set_photo_expression(collection)
        else:
            scene_heads.set_neutral_expression(collection)
        return {"FINISHED"}


CLASSES = (RELIGHTIFY_OT_set_expression,)
