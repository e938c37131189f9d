"""Blender's own exporters with the settings that each preset wants."""

from __future__ import annotations

from pathlib import Path

import bpy

from .. import compat
from .._shared import RelightifyError
from . import presets
from .presets import Preset


def check_exporter(preset: Preset) -> None:
    """Make sure that this Blender has the exporter of a preset: two are add-ons, one is left out of some builds.

    Raises:
        RelightifyError: ``no_exporter``.
    """
    operators = {
        presets.GLTF: (bpy.ops.export_scene, "gltf", "glTF", "Switch on glTF 2.0 format in Preferences > Add-ons."),
        presets.FBX: (bpy.ops.export_scene, "fbx", "FBX", "Switch on FBX format in Preferences > Add-ons."),
        presets.USD: (bpy.ops.wm, "usd_export", "USD", "Use another preset, or Blender from blender.org."),
    }
    module, name, label, hint = operators[preset.writer]
    try:
        getattr(module, name).get_rna_type()
    except (KeyError, AttributeError) as error:
        raise RelightifyError("no_exporter", f"This Blender has no {label} exporter.", hint) from error


def write(preset: Preset, path: Path, stem: str, *, animated: bool, tangents: bool, boned: bool, grouped: bool) -> None:
    """Write the objects of the window's scene.

    Args:
        preset: format and engine.
        path: main file.
        stem: names the folder of textures that glTF writes itself.
        animated: whether to write the actions of shape keys and bones.
        tangents: whether glTF gets tangents; engines otherwise make the same ones (MikkTSpace).
        boned: whether the mesh hangs on an armature.
        grouped: whether levels of detail hang on an empty, in FBX.

    Raises:
        RuntimeError: Blender's exporter failed.
    """
    if preset.writer == presets.FBX:
        _write_fbx(path, animated, boned, grouped)
        return
    writer = _write_gltf if preset.writer == presets.GLTF else _write_usd
    writer(preset, path, stem, animated, tangents, boned)


def _write_gltf(preset: Preset, path: Path, stem: str, animated: bool, tangents: bool, boned: bool) -> None:
    bpy.ops.export_scene.gltf(
        filepath=str(path),
        export_format="GLB" if preset.suffix == ".glb" else "GLTF_SEPARATE",
        export_texture_dir="" if preset.suffix == ".glb" else presets.texture_folder(stem),
        export_image_format="AUTO",
        export_yup=True,
        use_active_scene=True,
        export_materials="EXPORT",
        export_morph=True,
        export_morph_normal=True,
        export_morph_animation=animated,
        export_animations=animated,
        # Frames of the action as they are, not shifted to where the scene begins.
        export_tangents=tangents,
        export_cameras=False,
        export_lights=False,
        export_extras=False,
        export_skins=boned,
        # As posed, not at rest.
        export_rest_position_armature=False,
        # Shapes and bones are one animation.
        export_animation_mode="ACTIVE_ACTIONS",
        # Or every action of the file that fits some armature is taken for this one's.
        export_anim_single_armature=False,
        export_def_bones=False,
        # Writing settings into the scene would leave a trace.
        will_save_settings=False,
    )


def _write_fbx(path: Path, animated: bool, boned: bool, grouped: bool) -> None:
    # Centimetres and y up in the vertices themselves, with no rotation or scale on the object: what Maya writes, and
    # what Unity and Unreal take without a transform left on the asset.
    bpy.ops.export_scene.fbx(
        filepath=str(path),
        object_types={"MESH", *(["ARMATURE"] if boned else []), *(["EMPTY"] if grouped else [])},
        global_scale=1.0,
        apply_unit_scale=True,
        apply_scale_options="FBX_SCALE_NONE",
        axis_forward="-Z",
        axis_up="Y",
        use_space_transform=True,
        bake_space_transform=True,
        use_mesh_modifiers=False,
        mesh_smooth_type="FACE",
        use_tspace=True,
        add_leaf_bones=False,
        path_mode="RELATIVE",
        embed_textures=False,
        bake_anim=animated,
        # Or the shape keys' animation is lost.
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False,
        bake_anim_simplify_factor=0.0,
    )


def _write_usd(preset: Preset, path: Path, stem: str, animated: bool, tangents: bool, boned: bool) -> None:
    bpy.ops.wm.usd_export(
        filepath=str(path),
        check_existing=False,
        # A pose is written as animation or not at all.
        export_animation=animated or boned,
        export_uvmaps=True,
        # "st" is the name that other programs look for.
        rename_uvmaps=True,
        export_normals=True,
        export_materials=True,
        generate_preview_surface=True,
        export_shapekeys=True,
        export_armatures=boned,
        export_hair=False,
        export_lights=False,
        export_cameras=False,
        convert_world_material=False,
        # Y up, looking along +z, as Apple's viewers and most engines want it.
        convert_orientation=True,
        export_global_forward_selection="NEGATIVE_Z",
        export_global_up_selection="Y",
        evaluation_mode="VIEWPORT",
        relative_paths=True,
        **compat.usd_keep_textures(),
    )
