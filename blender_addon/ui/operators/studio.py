"""Operators of studio lights, turntable and render settings. (No postponed annotations here: Blender reads them.)"""
# Blender wants names such as RELIGHTIFY_OT_add_light_rig, and reads class attributes as they are.
# ruff: noqa: N801, RUF012
# pyright: reportInvalidTypeForm=false

from pathlib import Path

import bpy

from ..._shared import RelightifyError
from ...export.files import make_folder
from ...light import render_settings, rigs, turntable
from ...light.relight import PLAIN
from .head import HeadOperator

KIND_ITEMS = [
    ("MOVIE", "Movie", "One MP4 file"),
    ("FRAMES", "Frames", "A PNG file for each frame"),
]


class RELIGHTIFY_OT_add_light_rig(HeadOperator):
    """Light the head with key, fill and rim light; they follow it and fit its size"""

    bl_idname = "relightify.add_light_rig"
    bl_label = "Add Studio Lights"
    bl_options = {"REGISTER", "UNDO"}
    CHANGES_HEAD = True

    dim_world: bpy.props.BoolProperty(
        name="Plain World", description="Take the HDRI away, so that the lamps do the lighting", default=True
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        head = self.head(context)
        rig = rigs.add_rig(head, context.scene)
        rigs.shape_rig(head, rig.relightify_rig.shape())
        if self.dim_world:
            settings = context.scene.relightify_light
            settings.source, settings.strength = PLAIN, 1.0
        return {"FINISHED"}


class RELIGHTIFY_OT_remove_light_rig(HeadOperator):
    """Delete the studio lights of this head"""

    bl_idname = "relightify.remove_light_rig"
    bl_label = "Remove Studio Lights"
    bl_options = {"REGISTER", "UNDO"}
    CHANGES_HEAD = True

    def execute(self, context: bpy.types.Context) -> set[str]:
        rigs.remove_rig(self.head(context))
        return {"FINISHED"}


class RELIGHTIFY_OT_set_up_turntable(HeadOperator):
    """Make a full turn round the head as an animation that loops"""

    bl_idname = "relightify.set_up_turntable"
    bl_label = "Set Up Turntable"
    bl_options = {"REGISTER", "UNDO"}
    CHANGES_HEAD = True

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene, settings = context.scene, context.scene.relightify_turntable
        options = turntable.TurntableOptions(
            frames=settings.frames,
            start=settings.start,
            lens_mm=settings.lens,
            elevation=settings.elevation,
            clockwise=settings.clockwise,
            set_range=settings.set_range,
        )
        if settings.turns == "CAMERA":
            turntable.turn_camera(scene, self.head(context), options)
        elif not turntable.turn_light(scene, options):
            self.report({"ERROR"}, "There is no HDRI to turn. Choose one under Relight first.")
            return {"CANCELLED"}
        return {"FINISHED"}


class RELIGHTIFY_OT_remove_turntable(HeadOperator):
    """Remove the turning camera and stop the turning light"""

    bl_idname = "relightify.remove_turntable"
    bl_label = "Remove Turntable"
    bl_options = {"REGISTER", "UNDO"}
    CHANGES_HEAD = True

    def execute(self, context: bpy.types.Context) -> set[str]:
        turntable.remove_turntable(context.scene, self.head(context))
        turntable.stop_light(context.scene)
        return {"FINISHED"}


class RELIGHTIFY_OT_render_turntable(HeadOperator):
    """Render the frames of the scene to a movie or to pictures"""

    bl_idname = "relightify.render_turntable"
    bl_label = "Render Turntable"
    bl_options = {"REGISTER"}

    filepath: bpy.props.StringProperty(name="File", subtype="FILE_PATH", options={"SKIP_SAVE"})
    kind: bpy.props.EnumProperty(name="Write", items=KIND_ITEMS)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.filepath = "turntable"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene, path = context.scene, Path(bpy.path.abspath(self.filepath))
        if scene.camera is None:
            self.report({"ERROR"}, "The scene has no camera. Set up a turntable first.")
            return {"CANCELLED"}
        try:
            make_folder(path)
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        stem = str(path.with_suffix("")) if path.suffix.lower() in (".mp4", ".png") else str(path)
        if self.kind == "FRAMES":
            render_settings.set_frames_output(scene, f"{stem}_")
        else:
            try:
                render_settings.set_movie_output(scene, f"{stem}.mp4")
            except TypeError:
                self.report({"ERROR"}, "This Blender cannot write movies. Render frames instead.")
                return {"CANCELLED"}
        if bpy.app.background:
            bpy.ops.render.render(animation=True)
        else:
            # Returns at once; Blender's render window shows the frames and can be stopped.
            bpy.ops.render.render("INVOKE_DEFAULT", animation=True)
        return {"FINISHED"}


class RELIGHTIFY_OT_set_up_render(bpy.types.Operator):
    """Choose this engine, with settings that suit skin, eyes and lashes"""

    bl_idname = "relightify.set_up_render"
    bl_label = "Set Up Render"
    bl_options = {"REGISTER", "UNDO"}

    engine: bpy.props.EnumProperty(
        name="Engine",
        items=[
            (render_settings.EEVEE, "EEVEE", "Fast: soft shadows, ray tracing at the scale of a face"),
            (render_settings.CYCLES, "Cycles", "Exact: 128 samples, denoised"),
        ],
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        render_settings.set_up_engine(context.scene, self.engine)
        return {"FINISHED"}


CLASSES = (
    RELIGHTIFY_OT_add_light_rig,
    RELIGHTIFY_OT_remove_light_rig,
    RELIGHTIFY_OT_set_up_turntable,
    RELIGHTIFY_OT_remove_turntable,
    RELIGHTIFY_OT_render_turntable,
    RELIGHTIFY_OT_set_up_render,
)
