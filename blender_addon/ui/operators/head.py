"""Operators on a whole head, and what all operators on a head have in common."""
# Blender wants names such as RELIGHTIFY_OT_delete_head, and reads class attributes as they are.
# ruff: noqa: N801, RUF012

import bpy

from ...scene import heads, whole_head
from ..viewport import select_alone


def head_of(context: bpy.types.Context) -> bpy.types.Object | None:
    """The head that an artist means: the active one, or else see `heads.active_head`."""
    return heads.active_head(context.view_layer, context.active_object)


class HeadOperator(bpy.types.Operator):
    """Can be run where there is a head; `NO_HEAD` says what is missing otherwise."""

    NO_HEAD = "Reconstruct a face first"
    # Whether it writes into the head, which cannot be saved where that is linked.
    CHANGES_HEAD = False

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not cls.has_head(context):
            cls.poll_message_set(cls.NO_HEAD)
            return False
        if cls.CHANGES_HEAD and cls.is_linked(head_of(context)):
            cls.poll_message_set(
                "This head is linked from another file: make a library override of it, or make it local"
            )
            return False
        return True

    @classmethod
    def is_linked(cls, head: bpy.types.Object | None) -> bool:
        """Whether what the operator writes to is in another file."""
        return head is not None and head.library is not None

    @classmethod
    def has_head(cls, context: bpy.types.Context) -> bool:
        """Whether there is a head that the operator can work on."""
        return head_of(context) is not None

    def head(self, context: bpy.types.Context) -> bpy.types.Object:
        """The head, which `poll` has seen."""
        head = head_of(context)
        if head is None:
            raise RuntimeError("the operator was run where its poll is false")
        return head


class RELIGHTIFY_OT_delete_head(HeadOperator):
    """Delete the head with its camera, lights, photo light, materials and images"""

    bl_idname = "relightify.delete_head"
    bl_label = "Delete Head"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        head = self.head(context)
        name = head.name
        if head.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        whole_head.delete_head(context.scene, head)
        self.report({"INFO"}, f"Deleted {name}")
        return {"FINISHED"}


class RELIGHTIFY_OT_duplicate_head(HeadOperator):
    """Make another head like this one, with a camera, light, materials and images of its own"""

    bl_idname = "relightify.duplicate_head"
    bl_label = "Duplicate Head"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        head = self.head(context)
        if head.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        select_alone(context.scene, whole_head.duplicate_head(context.scene, head))
        return {"FINISHED"}


CLASSES = (RELIGHTIFY_OT_delete_head, RELIGHTIFY_OT_duplicate_head)
