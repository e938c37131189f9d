"""What operators on a head have in common."""

import bpy

from ...scene import heads


class HeadOperator(bpy.types.Operator):
    """Can be run where there is a head; `NO_HEAD` says what is missing otherwise."""

    NO_HEAD = "Reconstruct a face first"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not cls.has_head(context):
            cls.poll_message_set(cls.NO_HEAD)
            return False
        return True

    @classmethod
    def has_head(cls, context: bpy.types.Context) -> bool:
        """Whether there is a head that the operator can work on."""
        return heads.active_head(context.scene, context.active_object) is not None
