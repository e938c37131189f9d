"""One call from a head in the scene to files that game engines and other programs read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from .. import compat
from .._shared import RelightifyError
from ..anatomy.parts import SKIN_PART as SKIN
from ..scene.colour import set_space
from ..scene.heads import units_per_metre
from ..skeleton.armature import armature_of
from ..skeleton.following import shapes_without_bones
from . import formats, presets, skeleton, surfaces
from .files import check_room, checked_target, disk_full, is_whole, publish, staging_folder
from .materials import export_material
from .mesh import APPLIED, CURRENT, NEUTRAL, bake_likeness, copied_mesh, freeze_expression, move_to_tile, subdivide
from .presets import Preset
from .scene import borrowed_names, only_temporary_data, temporary_scene
from .shape_names import ARKIT, add_visemes, rename_shapes
from .skeleton import AUTO
from .skin_light import with_skin_light
from .textures import EXR, Surface, Texture, TextureChoices, textures_of

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
            ``nothing_left`` or ``export_failed``; the folder then holds what it held before.
    """
    preset = presets.preset_named(options.preset)
    formats.check_exporter(preset)
    target = checked_target(filepath, preset.suffix)
    if context.window is None:
        raise RelightifyError("no_window", "Blender has no window to export from.", "Run this from a window.")
    check_room(target)
    metres = 1 / units_per_metre(context.scene)
    stem = presets.clean_stem(target.stem)
    armature = armature_of(head)
    boned = armature if options.use_skeleton else None
    names = (
        (bpy.data.objects, preset.object_name.format(stem=stem)),
        (bpy.data.meshes, preset.object_name.format(stem=stem)),
        *((bpy.data.materials, material_name(preset, stem, part)) for part in surfaces.parts_of(head)),
    )
    with (
        staging_folder(target) as staging,
        borrowed_names(*names),
        only_temporary_data(),
        temporary_scene(context.window, context.scene) as scene,
    ):
        out = staging / "out"
        out.mkdir()
        unboned = shapes_without_bones(head, armature) if armature is not None and boned is None else {}
        copy, slots = _copy(head, scene, options, names[0][1], metres, unboned)
        if boned is not None:
            _add_bones(copy, head, boned, scene, preset, options, metres, lambda part: report(0.1 * part))
        rename_shapes(copy, options.shape_names)
        report(0.1)
        _dress(copy, head, slots, out, preset, stem, options.textures, metres, report)
        main = out / target.name
        _write(preset, main, stem, options, animated=_is_animated(copy), boned=boned is not None)
        report(0.95)
        return publish(out, target)


def material_name(preset: Preset, stem: str, part: str) -> str:
    """Name of a part's material in the exported file."""
    return preset.material_name.format(stem=stem, part=presets.PART_LABELS.get(part, part))


def _copy(
    head: bpy.types.Object,
    scene: bpy.types.Scene,
    options: ExportOptions,
    name: str,
    metres: float,
    shapes: Mapping[str, np.ndarray],
) -> tuple[bpy.types.Object, tuple[int, ...]]:
    """The exported object, alone in the temporary scene, and the head's slot for each of its material slots."""
    unwanted = {
        *(() if options.use_eyes else EYES),
        *(() if options.use_mouth else MOUTH),
        *(() if options.use_lashes else LASHES),
    }
    left_out = [slot for slot, part in enumerate(surfaces.parts_of(head)) if part in unwanted]
    mesh, slots = copied_mesh(
        head, left_out, options.expression, keep_animation=options.use_animation, metres=metres, shapes=shapes
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
    subdivide(copy, layer, options.subdivisions)
    if options.use_visemes:
        add_visemes(copy)
    return copy, slots


def _add_bones(
    copy: bpy.types.Object,
    head: bpy.types.Object,
    armature: bpy.types.Object,
    scene: bpy.types.Scene,
    preset: Preset,
    options: ExportOptions,
    metres: float,
    report: Report,
) -> None:
    """Hang the exported mesh on a copy of the head's skeleton, which plays what the head's own does."""
    current = options.expression == CURRENT
    motion = None
    if options.use_animation and current:
        motion = skeleton.sampled_motion(head, armature, scene, report)
    scale = Matrix.Diagonal((*(metres * head.matrix_world.to_scale()), 1.0))
    names = [bone.name for bone in armature.data.bones]
    bones = skeleton.copied_armature(
        armature, scene, preset, options.bone_names, scale=scale, posed=options.expression != NEUTRAL
    )
    called = {before: bone.name for before, bone in zip(names, bones.data.bones, strict=True)}
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


def _dress(
    copy: bpy.types.Object,
    head: bpy.types.Object,
    slots: tuple[int, ...],
    out: Path,
    preset: Preset,
    stem: str,
    choices: TextureChoices,
    metres: float,
    report: Report,
) -> None:
    """Give the copy materials that the format's exporter can read, with textures written to files."""
    parts = surfaces.parts_of(head)
    kept = tuple(parts[slot] for slot in slots)
    # Those exporters write textures themselves, into the file or into the folder.
    copies = preset.writer == presets.GLTF or preset.suffix == ".usdz"
    folder = out.parent / "work" if copies else out / presets.texture_folder(stem)
    for index, slot in enumerate(slots):
        part = parts[slot]
        material = head.material_slots[slot].material if slot < len(head.material_slots) else None
        surface = surfaces.surface_of(material, part)
        # The copy is in metres; the material counts in units of the scene.
        red, green, blue = (metres * length if part == SKIN else 0.0 for length in surface.scatter)
        surface = replace(surface, scatter=(red, green, blue))
        if part == SKIN:
            surface = with_skin_light(surface, copy.data, kept, occlusion=choices.occlusion)
        if choices.udim:
            move_to_tile(copy.data, index, presets.tile_of(part))
            # From its own tile, a part sees its texture only where that is repeated.
            surface = replace(surface, repeats=True)
        textures = textures_of(surface, preset, stem, choices)
        beside = {role: textures.pop(role) for role in presets.BESIDE if role in textures}
        if preset.has_folder:
            _write_files(beside.values(), out / presets.texture_folder(stem))
        images = _write_textures(surface, textures, folder)
        copy.data.materials[index] = export_material(material_name(preset, stem, part), surface, images, preset)
        report(0.1 + 0.5 * (index + 1) / len(slots))


def _write_textures(surface: Surface, textures: Mapping[str, Texture], folder: Path) -> dict[str, bpy.types.Image]:
    """Write the files of a surface and load them as images of their names."""
    images = {}
    for texture, path in zip(textures.values(), _write_files(textures.values(), folder), strict=True):
        image = bpy.data.images.load(str(path))
        image.name = texture.name
        if texture.depth != EXR or not texture.srgb:
            # Colours in OpenEXR files are linear, and Blender takes them so.
            set_space(image, srgb=texture.srgb)
        # The alpha channel of Unity's maps is smoothness; it must not be multiplied in.
        image.alpha_mode = "STRAIGHT" if surface.opacity is not None else "CHANNEL_PACKED"
        images[texture.role] = image
    return images


def _write_files(textures: Iterable[Texture], folder: Path) -> list[Path]:
    """Write textures into a folder, which is made where there is anything to write."""
    paths = []
    for texture in textures:
        folder.mkdir(exist_ok=True)
        paths.append(folder / texture.file_name)
        paths[-1].write_bytes(texture.encoded())
    return paths


def _write(preset: Preset, main: Path, stem: str, options: ExportOptions, *, animated: bool, boned: bool) -> None:
    """Run Blender's exporter and check what it wrote.

    Raises:
        RelightifyError: ``disk_full`` or ``export_failed``.
    """
    reason = ""
    try:
        formats.write(preset, main, stem, animated=animated, tangents=options.use_tangents, boned=boned)
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
