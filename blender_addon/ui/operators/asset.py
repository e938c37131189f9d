"""The operator that makes a head an asset. (No postponed annotations here: Blender reads them.)"""
# Blender wants names such as RELIGHTIFY_OT_mark_asset, and reads class attributes as they are.
# ruff: noqa: N801, RUF012

import bpy

from ...scene.thumbnail import set_thumbnail
from .head import HeadOperator


class RELIGHTIFY_OT_mark_asset(HeadOperator):
    """Offer the head in the asset browser, with a rendered portrait as its thumbnail"""

    bl_idname = "relightify.mark_asset"
    bl_label = "Mark as Asset"
    bl_options = {"REGISTER", "UNDO"}
    CHANGES_HEAD = True

    def execute(self, context: bpy.types.Context) -> set[str]:
        head = self.head(context)
        head.asset_mark()
        head.asset_data.description = "Head made from a photo, with expressions, by Relightify"
        if "Relightify" not in head.asset_data.tags:
            head.asset_data.tags.new("Relightify")
        set_thumbnail(context.scene, head)
        return {"FINISHED"}


CLASSES = (RELIGHTIFY_OT_mark_asset,)
