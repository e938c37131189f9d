"""Operators that put a head on a human and take it off. (No postponed annotations here: Blender reads them.)"""
# Blender wants names such as RELIGHTIFY_OT_attach_to_human, and reads class attributes as they are.
# ruff: noqa: N801, RUF012
# pyright: reportInvalidTypeForm=false

import bpy

from ..._shared import RelightifyError
from ...body import attaching, humans
from ...scene import heads
from .head import HeadOperator, head_of

SIZES = [(str(size), f"{size} px", f"{size} texels a side") for size in (1024, 2048, 4096, 8192)]


def human_here(context: bpy.types.Context) -> bpy.types.Object | None:
    """The human that an artist means, or None where there is none or it is not clear which."""
    try:
        return humans.meant_human(context.scene, "", context.active_object, list(context.selected_objects))
    except RelightifyError:
        return None


def dressed_human(context: bpy.types.Context) -> bpy.types.Object | None:
    """The human with a head that is meant: see `human_here`, else the only one that has a head of ours."""
    human = human_here(context)
    if attaching.attached_name(human) is not None:
        return human
    found = [thing for thing in context.scene.objects if attaching.attached_name(thing) is not None]
    return found[0] if len(found) == 1 else None


class RELIGHTIFY_OT_attach_to_human(HeadOperator):
    """Put the head on a human of MPFB or MakeHuman: its shape, skin, eyes and teeth; bones, hair and clothes follow"""

    bl_idname = "relightify.attach_to_human"
    bl_label = "Attach to Human"
    bl_options = {"REGISTER", "UNDO"}

    human: bpy.props.StringProperty(
        name="Human", description="Name of the human, or nothing for the selected or the only one"
    )
    blend: bpy.props.FloatProperty(
        name="Neck",
        description="How far along the skin the human's neck becomes the head's at least",
        default=0.03,
        min=0.005,
        max=0.15,
        subtype="DISTANCE",
    )
    use_true_scale: bpy.props.BoolProperty(
        name="True Scale", description="Keep the head's size; else make it as large as the human's head", default=True
    )
    use_skin: bpy.props.BoolProperty(
        name="Skin", description="Bake the head's maps to the human's texture coordinates", default=True
    )
    resolution: bpy.props.EnumProperty(
        name="Maps", description="Size of the human's new maps", items=SIZES, default="4096"
    )
    use_parts: bpy.props.BoolProperty(
        name="Eyes and Mouth",
        description="Show the head's eyes, teeth, tongue and lashes, and hide the human's",
        default=True,
    )
    use_expressions: bpy.props.BoolProperty(
        name="Expressions", description="Give the human the head's shapes, which follow its sliders", default=True
    )

    @classmethod
    def has_head(cls, context: bpy.types.Context) -> bool:
        head = head_of(context)
        return head is not None and head.data.shape_keys is not None

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask what the human shall take."""
        return context.window_manager.invoke_props_dialog(self)

    def draw(self, context: bpy.types.Context) -> None:
        """The choices, in the dialogue and in Blender's panel of the last action."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop_search(self, "human", context.scene, "objects")
        for name in ("blend", "use_true_scale", "use_parts", "use_expressions", "use_skin"):
            layout.prop(self, name)
        row = layout.row()
        row.enabled = self.use_skin
        row.prop(self, "resolution")

    def execute(self, context: bpy.types.Context) -> set[str]:
        selected = [thing for thing in context.selected_objects if heads.is_head(thing)]
        head = selected[0] if len(selected) == 1 else self.head(context)
        options = attaching.AttachOptions(
            blend=self.blend,
            true_scale=self.use_true_scale,
            skin=self.use_skin,
            size=int(self.resolution),
            parts=self.use_parts,
            expressions=self.use_expressions,
        )
        try:
            human = humans.meant_human(context.scene, self.human, context.active_object, list(context.selected_objects))
            to_object_mode(head, human)
            done = attaching.attach(context.scene, head, human, options)
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        for warning in done.warnings:
            self.report({"WARNING"}, warning)
        self.report({"INFO"}, f"{head.name} is on {human.name}; their necks are {done.gap:.0f} mm apart and blended")
        return {"FINISHED"}


class RELIGHTIFY_OT_detach_from_human(bpy.types.Operator):
    """Take the head off the human, which is again what it was, and show the head again"""

    bl_idname = "relightify.detach_from_human"
    bl_label = "Detach from Human"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if dressed_human(context) is None:
            cls.poll_message_set("Select a human with a head attached")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        human = dressed_human(context)
        if human is None:
            raise RuntimeError("the operator was run where its poll is false")
        to_object_mode(human)
        attaching.detach(context.scene, human)
        return {"FINISHED"}


def to_object_mode(*things: bpy.types.Object) -> None:
    """Leave the mode that one of some objects is in: shape keys cannot be added in it."""
    if any(thing.mode != "OBJECT" for thing in things):
        bpy.ops.object.mode_set(mode="OBJECT")


CLASSES = (RELIGHTIFY_OT_attach_to_human, RELIGHTIFY_OT_detach_from_human)
