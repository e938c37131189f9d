"""The operators that write files. (No postponed annotations here: Blender reads them.)"""
# Blender wants names such as RELIGHTIFY_OT_export, and reads class attributes as they are.
# ruff: noqa: N801, RUF012
# pyright: reportInvalidTypeForm=false

from pathlib import Path

import bpy

from ..._shared import RelightifyError
from ...export.head import export_head
from ...export.maps import bake_maps
from ...export.presets import PRESETS, clean_stem
from ...skeleton.armature import fits_likeness
from ..properties.baking import BakeChoices, bake_options, bake_target, draw_bake
from ..properties.export import ExportChoices, draw_choices, options_of
from .head import HeadOperator


class RELIGHTIFY_OT_export(ExportChoices, HeadOperator):
    """Export the head with its textures and shape keys for a game engine or another program"""

    bl_idname = "relightify.export"
    bl_label = "Export Head"
    # No UNDO flag: the scene stays as it is.
    bl_options = {"REGISTER"}

    filepath: bpy.props.StringProperty(name="File", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.glb;*.gltf;*.fbx;*.usdc;*.usdz", options={"HIDDEN"})
    check_existing: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    NO_HEAD = "There is no head in this scene; reconstruct one first"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for a file name, beside the .blend file at first."""
        if not self.filepath:
            folder = Path(bpy.data.filepath).parent if bpy.data.filepath else Path.home()
            self.filepath = str(folder / clean_stem(self.head(context).name)) + PRESETS[self.preset].suffix
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def check(self, context: bpy.types.Context) -> bool:
        """Let the suffix in the file browser follow the preset."""
        path = Path(self.filepath)
        suffixes = {preset.suffix for preset in PRESETS.values()}
        if path.suffix not in suffixes or path.suffix == PRESETS[self.preset].suffix:
            return False
        self.filepath = str(path.with_suffix(PRESETS[self.preset].suffix))
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        manager = context.window_manager
        manager.progress_begin(0, 100)
        try:
            path = bpy.path.abspath(self.filepath)
            files = export_head(
                context, self.head(context), path, options_of(self), lambda part: manager.progress_update(100 * part)
            )
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        finally:
            manager.progress_end()
        if not fits_likeness(self.head(context)):
            self.report(
                {"WARNING"}, "The bones were not fitted to the likeness. Press Fit Bones to Likeness, then export."
            )
        main, *others = files
        self.report({"INFO"}, f"Exported {main}" + (f" and {len(others)} more files" if others else ""))
        return {"FINISHED"}

    def draw(self, context: bpy.types.Context) -> None:
        """The same choices in the file browser's side."""
        draw_choices(self.layout, self)


class RELIGHTIFY_OT_bake_textures(BakeChoices, HeadOperator):
    """Write the skin's textures for another UV map of the head, or for another mesh that lies on it"""

    bl_idname = "relightify.bake_textures"
    bl_label = "Bake Textures"
    # No UNDO flag: the scene stays as it is.
    bl_options = {"REGISTER"}

    directory: bpy.props.StringProperty(name="Folder", subtype="DIR_PATH", options={"SKIP_SAVE"})

    NO_HEAD = "There is no head in this scene; reconstruct one first"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for a folder."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        manager, head = context.window_manager, self.head(context)
        manager.progress_begin(0, 100)
        try:
            target = bake_target(context, head, self.target)
            folder = bpy.path.abspath(self.directory)
            files = bake_maps(
                context,
                head,
                target,
                folder,
                bake_options(self, target),
                lambda part: manager.progress_update(100 * part),
            )
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        finally:
            manager.progress_end()
        self.report({"INFO"}, f"Wrote {len(files)} textures to {files[0].parent}")
        return {"FINISHED"}

    def draw(self, context: bpy.types.Context) -> None:
        """The same choices in the file browser's side."""
        draw_bake(self.layout, self, context)


CLASSES = (RELIGHTIFY_OT_export, RELIGHTIFY_OT_bake_textures)
