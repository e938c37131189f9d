"""Operators on a whole head, and what all operators on a head have in common."""
# Blender wants names such as RELIGHTIFY_OT_delete_head, and reads class attributes as they are.
# ruff: noqa: N801, RUF012

import bpy

from ...scene import heads, neck
from ...scene.renewing import whole_head
from ...skeleton.armature import renew_skeleton
from ..fit_editing import is_corrected
from ..viewport import select_alone

CORRECTED = "This head is being corrected: press Apply or Cancel first"
LINKED = "This head is linked from another file: make a library override of it, or make it local"
OVERRIDDEN = "The mesh of this head is in another file: make it local (Object > Relations > Make Local)"


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
        if is_corrected(head_of(context)):
            cls.poll_message_set(CORRECTED)
            return False
        if cls.CHANGES_HEAD and cls.is_linked(head_of(context)):
            head = head_of(context)
            override = head is not None and head.override_library is not None
            cls.poll_message_set(OVERRIDDEN if override else LINKED)
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


class NeckOperator(HeadOperator):
    """What closing and opening the neck have in common."""

    CHANGES_HEAD = True
    CLOSED = False

    @classmethod
    def has_head(cls, context: bpy.types.Context) -> bool:
        head = head_of(context)
        return head is not None and neck.is_closed(head) == cls.CLOSED

    @classmethod
    def is_linked(cls, head: bpy.types.Object | None) -> bool:
        return head is not None and any((head.library, head.data.library, head.data.override_library))

    def execute(self, context: bpy.types.Context) -> set[str]:
        head = self.head(context)
        if head.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        (neck.open_neck if self.CLOSED else neck.close_neck)(head)
        renew_skeleton(head)
        return {"FINISHED"}


class RELIGHTIFY_OT_close_neck(NeckOperator):
    """Close the neck from below, for a bust; the cap follows all shapes and wears the neck's skin"""

    bl_idname = "relightify.close_neck"
    bl_label = "Close Neck"
    bl_options = {"REGISTER", "UNDO"}
    NO_HEAD = "There is no head with an open neck here"


class RELIGHTIFY_OT_open_neck(NeckOperator):
    """Take the cap of the neck away again"""

    bl_idname = "relightify.open_neck"
    bl_label = "Open Neck"
    bl_options = {"REGISTER", "UNDO"}
    NO_HEAD = "There is no head with a closed neck here"
    CLOSED = True


CLASSES = (
    RELIGHTIFY_OT_delete_head,
    RELIGHTIFY_OT_duplicate_head,
    RELIGHTIFY_OT_close_neck,
    RELIGHTIFY_OT_open_neck,
)
