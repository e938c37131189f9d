"""Operators on a head's skeleton. (No postponed annotations here: Blender reads them.)"""
# Blender wants names such as RELIGHTIFY_OT_add_skeleton, and reads class attributes as they are.
# ruff: noqa: N801, RUF012
# pyright: reportInvalidTypeForm=false

import bpy

from ...skeleton import following
from ...skeleton.armature import add_skeleton, armature_of, fit_to_likeness, remove_skeleton, rename_bones
from ...skeleton.following import BONES, SHAPES
from .head import HeadOperator, head_of

NAMING_ITEMS = [
    ("BLENDER", "Blender", "root, neck, head, jaw, eye.L, eye.R"),
    ("RIGIFY", "Rigify", "As in Rigify's human meta-rig: spine.004 and spine.006 are neck and head"),
    ("GLTF", "glTF Avatar", "Neck, Head, Jaw, LeftEye, RightEye, as VRM, Mixamo and Ready Player Me have them"),
    ("UNITY", "Unity Humanoid", "Names by which Unity's humanoid avatar finds the bones"),
    ("UNREAL", "Unreal", "neck_01 and head of the mannequin, MetaHuman's names for jaw and eyes"),
]
EYES_ITEMS = [
    (SHAPES, "Shapes", "The eyeLook shapes turn the eyes: sliders and recordings"),
    (BONES, "Bones", "The bones of the eyes turn them, posed by hand or by the aim, and the lids follow"),
]
JAW_ITEMS = [
    (SHAPES, "Shape", "The shape jawOpen moves the jaw all by itself"),
    (BONES, "Bone", "The shape jawOpen turns the jaw's bone, and adds what a bone cannot do"),
]


def is_linked(head: bpy.types.Object | None) -> bool:
    """Whether the head's mesh, which gets weights and other shapes, is another file's, overridden or not."""
    return head is not None and any((head.library, head.data.library, head.data.override_library))


class SkeletonOperator(HeadOperator):
    """Can be run where the head has a skeleton."""

    CHANGES_HEAD = True
    NO_HEAD = "There is no head with a skeleton"

    @classmethod
    def has_head(cls, context: bpy.types.Context) -> bool:
        return armature_of(head_of(context)) is not None

    @classmethod
    def is_linked(cls, head: bpy.types.Object | None) -> bool:
        return is_linked(head)

    def armature(self, context: bpy.types.Context) -> bpy.types.Object:
        """The armature, which `poll` has seen."""
        armature = armature_of(self.head(context))
        if armature is None:
            raise RuntimeError("the operator was run where its poll is false")
        return armature


class RELIGHTIFY_OT_add_skeleton(HeadOperator):
    """Give the head bones for root, neck, head, jaw and eyes, with skin weights"""

    bl_idname = "relightify.add_skeleton"
    bl_label = "Add Skeleton"
    bl_options = {"REGISTER", "UNDO"}
    CHANGES_HEAD = True
    NO_HEAD = "There is no head without a skeleton here"

    naming: bpy.props.EnumProperty(name="Bone Names", description="What the bones are called", items=NAMING_ITEMS)

    @classmethod
    def has_head(cls, context: bpy.types.Context) -> bool:
        head = head_of(context)
        return head is not None and armature_of(head) is None and head.data.shape_keys is not None

    @classmethod
    def is_linked(cls, head: bpy.types.Object | None) -> bool:
        return is_linked(head)

    def execute(self, context: bpy.types.Context) -> set[str]:
        head = self.head(context)
        add_skeleton(context.scene, head, self.naming)
        return {"FINISHED"}


class RELIGHTIFY_OT_remove_skeleton(SkeletonOperator):
    """Take the skeleton away with its weights and its aim; the shapes turn eyes and jaw again"""

    bl_idname = "relightify.remove_skeleton"
    bl_label = "Remove Skeleton"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        remove_skeleton(self.head(context))
        return {"FINISHED"}


class RELIGHTIFY_OT_name_bones(SkeletonOperator):
    """Call the bones as another program does; weights, drivers and animation go along"""

    bl_idname = "relightify.name_bones"
    bl_label = "Name Bones"
    bl_options = {"REGISTER", "UNDO"}

    naming: bpy.props.EnumProperty(name="Bone Names", description="What the bones are called", items=NAMING_ITEMS)

    def execute(self, context: bpy.types.Context) -> set[str]:
        rename_bones(self.armature(context), self.naming)
        return {"FINISHED"}


class RELIGHTIFY_OT_fit_bones(SkeletonOperator):
    """Move the bones to where the likeness sliders have eyes, jaw and skull; poses and animation stay"""

    bl_idname = "relightify.fit_bones"
    bl_label = "Fit Bones to Likeness"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        fit_to_likeness(self.head(context))
        return {"FINISHED"}


class RELIGHTIFY_OT_turn_eyes_by(SkeletonOperator):
    """Choose who turns the eyes: the shapes, or bones that the lids follow"""

    bl_idname = "relightify.turn_eyes_by"
    bl_label = "Turn Eyes By"
    bl_options = {"REGISTER", "UNDO"}

    by: bpy.props.EnumProperty(name="By", items=EYES_ITEMS)

    def execute(self, context: bpy.types.Context) -> set[str]:
        following.set_eyes_by(self.head(context), self.armature(context), self.by)
        return {"FINISHED"}


class RELIGHTIFY_OT_open_jaw_by(SkeletonOperator):
    """Choose what opens the jaw: the shape alone, or a bone that it turns; it looks the same fully open"""

    bl_idname = "relightify.open_jaw_by"
    bl_label = "Open Jaw By"
    bl_options = {"REGISTER", "UNDO"}

    by: bpy.props.EnumProperty(name="By", items=JAW_ITEMS)

    def execute(self, context: bpy.types.Context) -> set[str]:
        following.set_jaw_by(self.head(context), self.armature(context), self.by)
        return {"FINISHED"}


class RELIGHTIFY_OT_add_eye_aim(SkeletonOperator):
    """Put an empty half a metre ahead of the eyes that both follow; bones then turn the eyes"""

    bl_idname = "relightify.add_eye_aim"
    bl_label = "Add Eye Aim"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        head = self.head(context)
        if following.aim_of(head) is not None:
            self.report({"INFO"}, "The eyes have an aim already.")
            return {"CANCELLED"}
        if not following.has_eyes(self.armature(context)):
            self.report({"ERROR"}, "This head has no eyes to aim. Import it with Full Head.")
            return {"CANCELLED"}
        following.add_aim(context.scene, head, self.armature(context))
        return {"FINISHED"}


class RELIGHTIFY_OT_remove_eye_aim(SkeletonOperator):
    """Take the aim away; the bones of the eyes are posed by hand"""

    bl_idname = "relightify.remove_eye_aim"
    bl_label = "Remove Eye Aim"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        following.remove_aim(self.head(context))
        return {"FINISHED"}


CLASSES = (
    RELIGHTIFY_OT_add_skeleton,
    RELIGHTIFY_OT_remove_skeleton,
    RELIGHTIFY_OT_name_bones,
    RELIGHTIFY_OT_fit_bones,
    RELIGHTIFY_OT_turn_eyes_by,
    RELIGHTIFY_OT_open_jaw_by,
    RELIGHTIFY_OT_add_eye_aim,
    RELIGHTIFY_OT_remove_eye_aim,
)
