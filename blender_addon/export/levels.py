"""Coarser copies of a head for games, with all its shapes, weights, texture coordinates and materials."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path

import bmesh
import bpy
import numpy as np

from .._shared import RelightifyError
from ..anatomy.detail_levels import COARSER_LEVELS, level_corners, topology

# How levels are written: the head alone, a file for each level, or together as the format groups them.
NONE, FILES, TOGETHER = "NONE", "FILES", "TOGETHER"
LEVELS = tuple(range(COARSER_LEVELS + 1))
# The part of the picture's height down to which each level is shown, where the format says so.
COVERAGES = (0.5, 0.2, 0.1, 0.01)


def level_name(name: str, level: int) -> str:
    """What a level's object or file is called: Unity groups objects of such names by itself."""
    return f"{name}_LOD{level}"


def groups_of(levels: str, *, in_one_file: bool) -> list[tuple[int, ...]]:
    """Which levels go into a file together."""
    if levels == NONE:
        return [(0,)]
    return [LEVELS] if in_one_file else [(level,) for level in LEVELS]


def file_name(target: Path, level: int) -> str:
    """The name of a level's file; the finest one has that of the export."""
    return f"{level_name(target.stem, level)}{target.suffix}" if level else target.name


def make_coarser(mesh: bpy.types.Mesh, parts: Sequence[str], level: int) -> None:
    """Replace the faces of a head's mesh by those of a level; vertices that none of them has are gone.

    Args:
        mesh: a copy of a head's mesh, of nobody's yet.
        parts: the part of each of its material slots.
        level: 1, 2 or 3.

    Raises:
        RelightifyError: ``no_levels`` where the mesh has other faces than the head came with.
    """
    corners = _corners_of(mesh, parts, level)
    work = bmesh.new()
    try:
        work.from_mesh(mesh)
        work.faces.ensure_lookup_table()
        old = list(work.faces)
        loops = [list(face.loops) for face in old]
        kept = set()
        for row in corners.tolist():
            picked = [loops[corner // 4][corner % 4] for corner in row if corner >= 0]
            vertices = [loop.vert for loop in picked]
            same = work.faces.get(vertices)
            if same is not None:
                kept.add(same)
                continue
            face = work.faces.new(vertices, old[row[0] // 4])
            for loop, source in zip(face.loops, picked, strict=True):
                loop.copy_from(source)
            kept.add(face)
        bmesh.ops.delete(work, geom=[face for face in old if face not in kept], context="FACES")
        work.to_mesh(mesh)
    finally:
        work.free()
    mesh.update()


def _corners_of(mesh: bpy.types.Mesh, parts: Sequence[str], level: int) -> np.ndarray:
    """A level's faces [N, 4] as corner 4 * face + i of a mesh that has all parts of a head, or some.

    Raises:
        RelightifyError: ``no_levels``.
    """
    slots, sizes = np.empty(len(mesh.polygons), np.int32), np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("material_index", slots)
    mesh.polygons.foreach_get("loop_total", sizes)
    corners = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    whole = topology()
    found = {str(parts[slot]) for slot in np.unique(slots).tolist() if slot < len(parts)}
    faces, quads = whole.of_parts(found)
    if (sizes != 4).any() or not np.array_equal(corners.reshape(-1, 4), quads):
        raise RelightifyError(
            "no_levels",
            "The mesh of this head was edited, so that its levels of detail do not fit.",
            "Export it without levels, or undo the edits.",
        )
    place = np.full(len(whole.quads), -1)
    place[faces] = np.arange(len(faces))
    level_faces = level_corners(level)
    here = level_faces[place[level_faces[:, 0] // 4] >= 0]
    return np.where(here >= 0, 4 * place[here // 4] + here % 4, -1)


def group_in_fbx(objects: Sequence[bpy.types.Object], scene: bpy.types.Scene, name: str) -> None:
    """Hang levels on what Blender's exporter writes as a group of levels, for Unreal, Unity and Maya."""
    group = bpy.data.objects.new(name, None)
    scene.collection.objects.link(group)
    # By this property the exporter knows what kind of node an empty is.
    group["fbx_type"] = "LodGroup"
    group.parent = objects[0].parent
    for thing in objects:
        thing.parent = group


def group_in_gltf(path: Path, names: Sequence[str]) -> None:
    """Have a .glb or .gltf file show one of its levels at a time, by the extension MSFT_lod.

    Args:
        path: the file, with a node for each level.
        names: the nodes' names, the finest first.
    """
    document, rest = _gltf_parts(path)
    nodes = {node.get("name"): number for number, node in enumerate(document["nodes"])}
    first, *others = (nodes[name] for name in names)
    finest = document["nodes"][first]
    finest.setdefault("extensions", {})["MSFT_lod"] = {"ids": others}
    finest.setdefault("extras", {})["MSFT_screencoverage"] = list(COVERAGES)
    used = document.setdefault("extensionsUsed", [])
    document["extensionsUsed"] = sorted({*used, "MSFT_lod"})
    # The other levels are reached by the first alone.
    for owner, key in ((document["scenes"], "nodes"), (document["nodes"], "children")):
        for thing in owner:
            if key in thing:
                thing[key] = [number for number in thing[key] if number not in others]
                if not thing[key]:
                    del thing[key]
    _write_gltf(path, document, rest)


def _gltf_parts(path: Path) -> tuple[dict, bytes]:
    """The document of a glTF file, and the chunks that follow it in a binary one."""
    data = path.read_bytes()
    if path.suffix != ".glb":
        return json.loads(data), b""
    (length,) = struct.unpack("<I", data[12:16])
    return json.loads(data[20 : 20 + length]), data[20 + length :]


def _write_gltf(path: Path, document: dict, rest: bytes) -> None:
    text = json.dumps(document, separators=(",", ":")).encode()
    if path.suffix != ".glb":
        path.write_bytes(text)
        return
    text += b" " * (-len(text) % 4)
    head = b"glTF" + struct.pack("<II", 2, 20 + len(text) + len(rest))
    path.write_bytes(head + struct.pack("<I", len(text)) + b"JSON" + text + rest)


def variants_of(stem: str, files: Sequence[str]) -> str:
    """The text of a USD file that shows one of several files, as the variants of a variant set ``LOD``.

    Args:
        stem: name of the prim.
        files: names of the files beside it, the finest first.
    """
    levels = "".join(
        f'        "LOD{level}" (\n            prepend references = @./{name}@\n        ) {{\n        }}\n'
        for level, name in enumerate(files)
    )
    return (
        '#usda 1.0\n(\n    defaultPrim = "' + stem + '"\n    metersPerUnit = 1\n    upAxis = "Y"\n)\n\n'
        f'def Xform "{stem}" (\n    prepend variantSets = "LOD"\n'
        '    variants = {\n        string LOD = "LOD0"\n    }\n)\n'
        f'{{\n    variantSet "LOD" = {{\n{levels}    }}\n}}\n'
    )
