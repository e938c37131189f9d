"""Operators of the panel *Expression*. (No postponed annotations here: Blender reads them.)"""
# Blender wants names such as RELIGHTIFY_OT_set_expression, and reads class attributes as they are.
# ruff: noqa: N801, RUF012
# pyright: reportInvalidTypeForm=false

import random
from collections.abc import Mapping
from pathlib import Path

import bpy
import numpy as np

from ... import compat
from ..._shared import RelightifyError
from ...expression import face_recording
from ...expression.arkit_csv import read_recording
from ...expression.shapes import GROUPS, group_shapes, random_expression
from ...scene import mesh
from ...scene.heads import EXPRESSION
from ...scene.keyframes import shape_path
from ...scene.renewing.replacing import SAME_WEIGHT
from ..viewport import ViewportDrop
from .head import HeadOperator, head_of

GROUP_ITEMS = [(group, group, f"The shapes of {group.lower()}") for group in GROUPS]
TURN_ITEMS = [
    ("AS_RECORDED", "As Recorded", "Positive angles turn to the subject's left, down, and to the right shoulder"),
    ("MIRRORED", "Mirrored", "Turn and tilt the other way round, as some recorders write them"),
    ("UPSIDE_DOWN", "Nod Reversed", "Nod the other way round, as some recorders write it"),
    ("BOTH", "Mirrored and Nod Reversed", "All three the other way round"),
]
TURN_SIGNS = {"AS_RECORDED": (1, 1, 1), "MIRRORED": (-1, 1, -1), "UPSIDE_DOWN": (1, -1, 1), "BOTH": (-1, -1, -1)}


def face_of(context: bpy.types.Context) -> bpy.types.Object | None:
    """The head whose expression is meant, if it still has shape keys."""
    head = head_of(context)
    return head if head is not None and mesh.expression_keys(head) else None


def set_weights(context: bpy.types.Context, head: bpy.types.Object, weights: Mapping[str, float]) -> str:
    """Set some shapes, with keyframes where the user records everything (auto keying).

    Returns:
        a sentence about shapes that drivers or keyframes hold where they were; empty where there are none.
    """
    keyed = context.scene.tool_settings.use_keyframe_insert_auto
    driven, animated = (set(paths) for paths in held_paths(head.data.shape_keys))
    stuck: dict[str, list[str]] = {"a driver": [], "keyframes": []}
    for key in mesh.expression_keys(head):
        if key.name not in weights:
            continue
        path, moves = shape_path(key.name), abs(key.value - weights[key.name]) > SAME_WEIGHT
        if moves and path in driven:
            stuck["a driver"].append(key.name)
        elif moves and path in animated and not keyed:
            stuck["keyframes"].append(key.name)
        key.value = weights[key.name]
        if keyed:
            key.keyframe_insert("value")
    return " ".join(held_text(holder, names) for holder, names in stuck.items() if names)


def held_paths(keys: bpy.types.Key) -> tuple[list[str], list[str]]:
    """The properties of shape keys that drivers move, and those that keyframes move."""
    drivers = keys.animation_data.drivers if keys.animation_data is not None else ()
    curves = compat.existing_curves(keys)
    return [d.data_path for d in drivers if not d.mute], [curve.data_path for curve in curves if not curve.mute]


def held_text(holder: str, names: list[str]) -> str:
    """What the user is told of shapes that do not stay where they were put."""
    shapes = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    if holder == "a driver":
        return f"{shapes}: held by a driver. Delete the driver (right-click the slider) to move it."
    return f"{shapes}: held by keyframes from the next frame on. Use Auto Keying, or clear the face animation."


class ExpressionOperator(HeadOperator):
    """What all operators on an expression need."""

    def set_weights(self, context: bpy.types.Context, weights: Mapping[str, float]) -> None:
        """Set shapes of the head, and say which are held by something else."""
        text = set_weights(context, self.head(context), weights)
        if text:
            self.report({"WARNING"}, text)

    NO_HEAD = "There is no head with shape keys here"
    CHANGES_HEAD = True

    @classmethod
    def has_head(cls, context: bpy.types.Context) -> bool:
        return face_of(context) is not None

    @classmethod
    def is_linked(cls, head: bpy.types.Object | None) -> bool:
        return head is not None and head.data.shape_keys is not None and head.data.shape_keys.library is not None


class RELIGHTIFY_OT_set_expression(ExpressionOperator):
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

    def execute(self, context: bpy.types.Context) -> set[str]:
        head = self.head(context)
        weights = {key.name: 0.0 for key in mesh.expression_keys(head)}
        if self.expression == "PHOTO":
            weights |= dict(head.get(EXPRESSION, {}))
        self.set_weights(context, weights)
        return {"FINISHED"}


class RELIGHTIFY_OT_reset_expression_group(ExpressionOperator):
    """Relax this part of the face"""

    bl_idname = "relightify.reset_expression_group"
    bl_label = "Reset Group"
    bl_options = {"REGISTER", "UNDO"}

    group: bpy.props.EnumProperty(name="Group", items=GROUP_ITEMS)

    def execute(self, context: bpy.types.Context) -> set[str]:
        self.set_weights(context, dict.fromkeys(group_shapes(self.group), 0.0))
        return {"FINISHED"}


class RELIGHTIFY_OT_random_expression(ExpressionOperator):
    """Make a face at random that a person could make"""

    bl_idname = "relightify.random_expression"
    bl_label = "Random Expression"
    bl_options = {"REGISTER", "UNDO"}

    seed: bpy.props.IntProperty(name="Seed", description="The same seed makes the same face", min=0)
    strength: bpy.props.FloatProperty(
        name="Strength", description="How strong the expression is", default=1.0, min=0.0, max=1.0, subtype="FACTOR"
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.seed = random.randrange(10000)
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        head = self.head(context)
        face = random_expression(np.random.default_rng(self.seed), self.strength)
        self.set_weights(context, {key.name: face.get(key.name, 0.0) for key in mesh.expression_keys(head)})
        return {"FINISHED"}


class RELIGHTIFY_OT_import_recording(ExpressionOperator):
    """Animate the head with the CSV of a take recorded by Live Link Face (ARKit mode)"""

    bl_idname = "relightify.import_recording"
    bl_label = "Import Face Recording"
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(name="Recording", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.csv", options={"HIDDEN"})
    start: bpy.props.IntProperty(name="Start Frame", description="Frame of the recording's first sample", default=1)
    rate: bpy.props.FloatProperty(
        name="Clock Rate",
        description="Frames a second of the timecodes in the file; 0 finds it out",
        default=0.0,
        min=0.0,
        soft_max=120.0,
    )
    use_head: bpy.props.BoolProperty(
        name="Head Rotation", description="Turn the head as recorded, about the top of the neck", default=True
    )
    head_turn: bpy.props.EnumProperty(name="Turn", description="Which way the head turns", items=TURN_ITEMS)
    use_eye_rotations: bpy.props.BoolProperty(
        name="Eyes From Rotations",
        description="Turn the eyes by the recorded angles instead of the recorded look values",
        default=False,
    )
    use_frame_range: bpy.props.BoolProperty(
        name="Set Frame Range", description="Make the scene as long as the recording", default=True
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.start = context.scene.frame_start
        if self.filepath:
            # A file that was dropped onto the viewport; only the settings are still to be chosen.
            return context.window_manager.invoke_props_dialog(self)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(self, "start")
        layout.prop(self, "rate")
        layout.prop(self, "use_head")
        row = layout.row()
        row.enabled = self.use_head
        row.prop(self, "head_turn")
        layout.prop(self, "use_eye_rotations")
        layout.prop(self, "use_frame_range")

    def execute(self, context: bpy.types.Context) -> set[str]:
        head, scene = self.head(context), context.scene
        path = Path(bpy.path.abspath(self.filepath))
        try:
            names = [key.name for key in mesh.expression_keys(head)]
            recording = read_recording(read_file(path), path.name, names, self.rate or None)
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        options = face_recording.PlayOptions(
            start=self.start,
            fps=scene.render.fps / scene.render.fps_base,
            head_turn=TURN_SIGNS[self.head_turn] if self.use_head else (0, 0, 0),
            eyes_from_rotations=self.use_eye_rotations,
        )
        last = face_recording.play(head, recording, options)
        if self.use_frame_range:
            scene.frame_start, scene.frame_end = self.start, last
        # Blender shows new curves only once the frame is set.
        scene.frame_set(self.start)
        for warning in recording.warnings:
            self.report({"WARNING"}, warning)
        self.report({"INFO"}, f"{path.name}: {len(recording.seconds)} samples on frames {self.start} to {last}.")
        return {"FINISHED"}


class RELIGHTIFY_OT_clear_recording(ExpressionOperator):
    """Remove all keyframes of the shapes and of the recorded head rotation; the face stays as it is now"""

    bl_idname = "relightify.clear_recording"
    bl_label = "Clear Face Animation"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        if not face_recording.clear(self.head(context)):
            self.report({"INFO"}, "This head is not animated.")
        return {"FINISHED"}


class RELIGHTIFY_FH_recording(ViewportDrop, bpy.types.FileHandler):
    """Recordings dropped onto the viewport"""

    bl_idname = "RELIGHTIFY_FH_recording"
    bl_label = "Face recording"
    bl_import_operator = RELIGHTIFY_OT_import_recording.bl_idname
    bl_file_extensions = ".csv"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return super().poll_drop(context) and face_of(context) is not None


def read_file(path: Path) -> bytes:
    """The bytes of a recording.

    Raises:
        RelightifyError: ``bad_recording`` where the file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise RelightifyError(
            "bad_recording", f"{path.name or path} cannot be read: {error.strerror}.", "Choose the CSV of a take."
        ) from error


CLASSES = (
    RELIGHTIFY_OT_set_expression,
    RELIGHTIFY_OT_reset_expression_group,
    RELIGHTIFY_OT_random_expression,
    RELIGHTIFY_OT_import_recording,
    RELIGHTIFY_OT_clear_recording,
    RELIGHTIFY_FH_recording,
)
