"""One call from a head in the scene to files that game engines and other programs read."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from .. import compat
from .._shared import RelightifyError
from ..scene.heads import units_per_metre
from ..skeleton.armature import armature_of
from ..skeleton.following import shapes_without_bones
from . import formats, levels, presets, skeleton, surfaces
from .dressing import Dress, dresses_of, material_name, put_on
from .files import check_room, checked_target, disk_full, is_whole, publish, staging_folder
from .mesh import APPLIED, CURRENT, NEUTRAL, bake_likeness, copied_mesh, freeze_expression, subdivide
from .presets import Preset
from .scene import borrowed_names, only_temporary_data, temporary_scene
from .shape_names import ARKIT, add_visemes, rename_shapes
from .skeleton import AUTO
from .textures import TextureChoices
from .wrinkles import write_wrinkles

EYES = ("eye_left", "eye_right")
MOUTH = ("teeth", "tongue")
LASHES = ("lashes",)

Report = Callable[[float], None]


@dataclass(frozen=True)
class ExportOptions:
    """What to export of a head, and how.

    Args:
        preset: one of `export.presets.PRESETS`.
        use_eyes: with the eyeballs.
        use_mouth: with teeth and tongue.
        use_lashes: with the lashes.
        expression: `export.mesh.CURRENT`, `NEUTRAL` or `APPLIED`.
        use_animation: with the action of the shape keys, if there is one, and with what moves the skeleton.
        use_skeleton: with the bones of a head that has any; else its shapes do all by themselves.
        shape_names: `export.shape_names.ARKIT` or `VRM`.
        use_visemes: with the fifteen visemes of Oculus Lipsync as further shapes.
        bone_names: `export.skeleton.AUTO` or `AS_IN_SCENE`.
        subdivisions: levels of Catmull-Clark subdivision.
        textures: which textures, and how they are stored and packed.
        use_tangents: write tangents into glTF.
        levels: of detail: `export.levels.NONE`, `FILES` or `TOGETHER`; USD has them in files of their own either way.
        use_wrinkles: write the head's wrinkle maps, if it has any, and their rule beside the other textures.
    """

    preset: str = "GLB"
    use_eyes: bool = True
    use_mouth: bool = True
    use_lashes: bool = True
    expression: str = CURRENT
    use_animation: bool = True
    use_skeleton: bool = True
    shape_names: str = ARKIT
    use_visemes: bool = False
    bone_names: str = AUTO
    subdivisions: int = 0
    textures: TextureChoices = TextureChoices()
    use_tangents: bool = False
    levels: str = levels.NONE
    use_wrinkles: bool = False


def export_head(
    context: bpy.types.Context, head: bpy.types.Object, filepath: str, options: ExportOptions, report: Report
) -> tuple[Path, ...]:
    """Write a head, at the origin and in true size, and leave the scene exactly as it was.

    Args:
        context: its window shows a temporary scene meanwhile.
        head: an imported head, in any mode.
        filepath: the file to write; its suffix follows the preset.
        options: what to export.
        report: gets the fraction done, 0 to 1.

    Returns:
        The files written, the main one first.

    Raises:
        RelightifyError: ``no_preset``, ``no_exporter``, ``no_window``, ``read_only``, ``disk_full``,
            ``nothing_left``, ``no_levels`` or ``export_failed``; the folder then holds what it held before.
    """
    preset = presets.preset_named(options.preset)
    formats.check_exporter(preset)
    target = checked_target(filepath, preset.suffix)
    if context.window is None:
        raise RelightifyError("no_window", "Blender has no window to export from.", "Run this from a window.")
    check_room(target)
    stem = presets.clean_stem(target.stem)
    grouped = levels.TOGETHER if preset.writer != presets.USD else None
    groups = levels.groups_of(options.levels, in_one_file=options.levels == grouped)
    every = [_object_name(preset, stem, options, level) for group in groups for level in group]
    names = (
        *((owner, name) for name in every for owner in (bpy.data.objects, bpy.data.meshes)),
        *((bpy.data.materials, material_name(preset, stem, part)) for part in surfaces.parts_of(head)),
        *((owner, preset.skeleton_name.format(stem=stem)) for owner in (bpy.data.objects, bpy.data.armatures)),
    )
    dresses: dict[int, Dress] = {}
    # Inside, the context's scene is a temporary one.
    metres = 1 / units_per_metre(context.scene)
    with staging_folder(target) as staging, borrowed_names(*names):
        out = staging / "out"
        out.mkdir()
        for number, group in enumerate(groups):
            part = lambda done, number=number: report((number + done) / len(groups))  # noqa: E731
            main = out / levels.file_name(target, group[0])
            with only_temporary_data(), temporary_scene(context.window, context.scene) as scene:
                _export_levels(head, scene, main, preset, stem, options, group, dresses, metres, part)
        if options.levels == levels.TOGETHER and preset.suffix == ".usdc":
            files = [levels.file_name(target, group[0]) for group in groups]
            (out / f"{target.stem}_LODs.usda").write_text(levels.variants_of(stem, files), encoding="utf-8")
        if options.use_wrinkles:
            folder = out / presets.texture_folder(stem)
            write_wrinkles(head, folder, preset, stem, options.textures, options.shape_names)
        return publish(out, target)


def _object_name(preset: Preset, stem: str, options: ExportOptions, level: int) -> str:
    name = preset.object_name.format(stem=stem)
    return name if options.levels == levels.NONE else levels.level_name(name, level)


def _export_levels(
    head: bpy.types.Object,
    scene: bpy.types.Scene,
    main: Path,
    preset: Preset,
    stem: str,
    options: ExportOptions,
    group: tuple[int, ...],
    dresses: dict[int, Dress],
    metres: float,
    report: Report,
) -> None:
    """Write one file with one level of a head or several; what its parts look like is found out with the first."""
    armature = armature_of(head)
    boned = armature if options.use_skeleton else None
    unboned = shapes_without_bones(head, armature) if armature is not None and boned is None else {}
    copies = {}
    for level in group:
        name = _object_name(preset, stem, options, level)
        copy, slots = _copy(head, scene, options, name, metres, unboned, level)
        copies[copy] = slots
    if boned is not None:
        _add_bones(list(copies), head, boned, scene, preset, stem, options, metres, lambda part: report(0.1 * part))
    for copy in copies:
        rename_shapes(copy, options.shape_names)
    report(0.1)
    if not dresses:
        copy, slots = next(iter(copies.items()))
        dresses |= dresses_of(
            copy, head, slots, preset, stem, options.textures, metres, lambda part: report(0.1 + 0.4 * part)
        )
    put_on(copies, dresses, main.parent, preset, stem, udim=options.textures.udim)
    report(0.6)
    if len(copies) > 1 and preset.writer == presets.FBX:
        levels.group_in_fbx(list(copies), scene, preset.object_name.format(stem=stem))
    animated = any(_is_animated(copy) for copy in copies)
    _write(preset, main, stem, options, animated=animated, boned=boned is not None, grouped=len(copies) > 1)
    if len(copies) > 1 and preset.writer == presets.GLTF:
        levels.group_in_gltf(main, [copy.name for copy in copies])
    report(0.95)


def _copy(
    head: bpy.types.Object,
    scene: bpy.types.Scene,
    options: ExportOptions,
    name: str,
    metres: float,
    shapes: Mapping[str, np.ndarray],
    level: int,
) -> tuple[bpy.types.Object, tuple[int, ...]]:
    """An exported object in the temporary scene, and the head's slot for each of its material slots."""
    unwanted = {
        *(() if options.use_eyes else EYES),
        *(() if options.use_mouth else MOUTH),
        *(() if options.use_lashes else LASHES),
    }
    parts = surfaces.parts_of(head)
    mesh, slots = copied_mesh(
        head,
        [slot for slot, part in enumerate(parts) if part in unwanted],
        options.expression,
        keep_animation=options.use_animation,
        metres=metres,
        shapes=shapes,
        level=level,
        parts=parts,
    )
    if not mesh.polygons:
        raise RelightifyError("nothing_left", "The head has no faces left to export.", "Undo what removed them.")
    mesh.name = name
    copy = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(copy)
    layer = scene.view_layers[0]
    layer.objects.active = copy
    copy.select_set(True)
    bake_likeness(copy)
    if options.expression == APPLIED:
        freeze_expression(copy)
    subdivide(copy, layer, 0 if level else options.subdivisions)
    if options.use_visemes:
        add_visemes(copy)
    return copy, slots


def _add_bones(
    copies: Sequence[bpy.types.Object],
    head: bpy.types.Object,
    armature: bpy.types.Object,
    scene: bpy.types.Scene,
    preset: Preset,
    stem: str,
    options: ExportOptions,
    metres: float,
    report: Report,
) -> None:
    """Hang exported meshes on a copy of the head's skeleton, which plays what the head's own does."""
    current = options.expression == CURRENT
    motion = None
    if options.use_animation and current:
        motion = skeleton.sampled_motion(head, armature, scene, report)
    scale = Matrix.Diagonal((*(metres * head.matrix_world.to_scale()), 1.0))
    names = [bone.name for bone in armature.data.bones]
    bones = skeleton.copied_armature(
        armature, scene, preset, stem, options.bone_names, scale=scale, posed=options.expression != NEUTRAL
    )
    called = {before: bone.name for before, bone in zip(names, bones.data.bones, strict=True)}
    for copy in copies:
        for group in list(copy.vertex_groups):
            if group.name in called:
                group.name = called[group.name]
            else:
                copy.vertex_groups.remove(group)
        copy.parent = bones
        copy.modifiers.new("Skeleton", "ARMATURE").object = bones
        if motion is not None:
            skeleton.write_motion(bones, copy, motion, called)
        elif preset.writer == presets.USD:
            # It knows a pose as motion only, and Blender reads none of a single frame.
            skeleton.hold_pose(bones, copy, scene.frame_current)
            scene.frame_start, scene.frame_end = scene.frame_current, scene.frame_current + 1
    bones.select_set(True)


def _write(
    preset: Preset, main: Path, stem: str, options: ExportOptions, *, animated: bool, boned: bool, grouped: bool
) -> None:
    """Run Blender's exporter and check what it wrote.

    Raises:
        RelightifyError: ``disk_full`` or ``export_failed``.
    """
    reason = ""
    try:
        formats.write(
            preset, main, stem, animated=animated, tangents=options.use_tangents, boned=boned, grouped=grouped
        )
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1].removeprefix("Error: ")
    if not reason and is_whole(main):
        return
    if "No space left" in reason or _disk_is_full(main.parent):
        raise disk_full(main.parent.parent)
    raise RelightifyError(
        "export_failed",
        f"Blender's exporter could not write {main.name}: {reason or 'the file is not complete'}.",
        "Try another preset; if none works, save the file and start Blender again.",
    )


def _disk_is_full(folder: Path) -> bool:
    """Whether not even a small file can be written any more."""
    probe = folder / "probe"
    try:
        with probe.open("wb") as file:
            file.write(bytes(1 << 16))
            os.fsync(file.fileno())
    except OSError:
        return True
    finally:
        probe.unlink(missing_ok=True)
    return False


def _is_animated(copy: bpy.types.Object) -> bool:
    moved = (copy.data.shape_keys, copy.parent)
    return any(owner is not None and bool(compat.existing_curves(owner)) for owner in moved)
