"""What the photo's head has and a body does not show: its eyes, teeth, tongue and lashes, as a mesh of their own."""

from __future__ import annotations

from collections.abc import Mapping

import bpy
import numpy as np
from mathutils import Matrix

from .. import compat
from ..scene.heads import MADE, home_of
from ..scene.mesh import PARTS, UV_NAME, part_vertices
from ..scene.renewing.reshaping import vertex_ids
from .fitting import Placement
from .humans import SKIN_VERTICES

EYES = ("eye_left", "eye_right")
# A weight under this is none.
LEAST_WEIGHT = 1e-3


def build_parts(
    scene: bpy.types.Scene,
    head: bpy.types.Object,
    human: bpy.types.Object,
    neutral: np.ndarray,
    offsets: Mapping[str, np.ndarray],
    placement: Placement,
) -> tuple[bpy.types.Object, np.ndarray] | None:
    """The faces of a head that the base mesh's skin has not, on a human and in the head's own space.

    Args:
        scene: gets the object.
        head: whose materials the parts share.
        human: which they hang on.
        neutral: float [V, 3], the head's vertices.
        offsets: float [V, 3] of each shape, by name.
        placement: from head space to the human's.

    Returns:
        The object, and for each of its vertices the number of the head's, int [P]; None where the head has no parts.
    """
    ids = vertex_ids(head.data)
    # The skin's own faces are the human's already, and a cap would close what goes on.
    skin = head[PARTS].split(",").index("skin")
    others = [face for face in head.data.polygons if face.material_index != skin]
    faces = [face for face in others if not all(0 <= ids[v] < SKIN_VERTICES for v in face.vertices)]
    if not faces:
        return None
    used = np.unique(np.concatenate([np.array(face.vertices) for face in faces]))
    number = np.full(len(ids), -1)
    number[used] = np.arange(len(used))
    mesh = bpy.data.meshes.new(f"{head.name} parts")
    mesh.from_pydata(neutral[used].tolist(), [], [number[list(face.vertices)].tolist() for face in faces])
    for material in head.data.materials:
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", np.array([face.material_index for face in faces], np.int32))
    loops = np.concatenate([np.arange(face.loop_start, face.loop_start + face.loop_total) for face in faces])
    uv = np.empty(2 * len(head.data.loops), np.float32)
    head.data.uv_layers[UV_NAME].data.foreach_get("uv", uv)
    mesh.uv_layers.new(name=UV_NAME).data.foreach_set("uv", uv.reshape(-1, 2)[loops].ravel())
    mesh.shade_smooth()
    _crease_as(head.data, mesh, used)
    parts = bpy.data.objects.new(mesh.name, mesh)
    home_of(human, scene).objects.link(parts)
    parts[MADE], parts[PARTS] = True, head[PARTS]
    parts.parent, parts.matrix_basis = human, Matrix(placement.matrix().tolist())
    if offsets:
        compat.add_shape_key(parts, "Basis")
    for name, offset in offsets.items():
        key = compat.add_shape_key(parts, name)
        key.data.foreach_set("co", (neutral[used] + offset[used]).astype(np.float32).ravel())
    subdivision = parts.modifiers.new("Subdivision", "SUBSURF")
    subdivision.levels, subdivision.render_levels = 1, 2
    return parts, used


def bind_parts(
    head: bpy.types.Object,
    human: bpy.types.Object,
    rig: bpy.types.Object,
    parts: bpy.types.Object,
    used: np.ndarray,
    neutral: np.ndarray,
    placement: Placement,
) -> None:
    """Let the bones of a human's rig move the parts as they move what the human has in their places.

    An eyeball is rigid: it follows the bone at its centre, where the rig has one, else the skull's.

    Args:
        head: the parts come from it.
        human: with weights of the rig's bones.
        rig: its armature, which fits the head by now.
        parts: from `build_parts`.
        used: the head's vertex of each of theirs.
        neutral: float [V, 3], the head's vertices.
        placement: from head space to the human's.
    """
    names, weights = bone_weights(human, rig)
    if not names:
        return
    members_of = part_vertices(head)
    eye_bones = {}
    for part in EYES:
        if part in members_of:
            points = neutral[members_of[part]]
            radius = placement.scale * float(np.linalg.norm(points - points.mean(0), axis=1).mean())
            eye_bones[part] = _bone_at(rig, human, placement.points(points.mean(0)), radius, names)
    missing = [bone for bone in dict.fromkeys(eye_bones.values()) if bone is not None and bone not in names]
    names, weights = [*names, *missing], np.c_[weights, np.zeros((len(weights), len(missing)), np.float32)]
    ids = vertex_ids(head.data)
    skull = names.index(skull_bone(head, names, weights))
    taken = np.zeros((len(neutral), len(names)), np.float32)
    known = (ids >= 0) & (ids < len(human.data.vertices))
    taken[known] = weights[ids[known]]
    weighted = taken.sum(axis=1) > LEAST_WEIGHT
    for part, members in members_of.items():
        if part in eye_bones:
            bone = eye_bones[part]
            taken[members] = 0.0
            taken[members, skull if bone is None else names.index(bone)] = 1.0
            continue
        own = members[weighted[members]]
        near = own if len(own) else np.flatnonzero(weighted & known & (ids < SKIN_VERTICES))
        for vertex in members[~weighted[members]] if len(near) else ():
            taken[vertex] = taken[near[np.argmin(((neutral[near] - neutral[vertex]) ** 2).sum(1))]]
    of_part = taken[used]
    of_part /= np.maximum(of_part.sum(axis=1, keepdims=True), LEAST_WEIGHT)
    for column, name in enumerate(names):
        if of_part[:, column].max() > LEAST_WEIGHT:
            group = parts.vertex_groups.new(name=name)
            for vertex in np.flatnonzero(of_part[:, column] > LEAST_WEIGHT).tolist():
                group.add([vertex], float(of_part[vertex, column]), "REPLACE")
    modifier = parts.modifiers.new("Skeleton", "ARMATURE")
    modifier.object = rig
    parts.modifiers.move(len(parts.modifiers) - 1, 0)


def skull_bone(head: bpy.types.Object, names: list[str], weights: np.ndarray) -> str:
    """The bone that most of a head's skin follows.

    Args:
        head: a head.
        names: of bones, at least one.
        weights: float [V, B] of a human's vertices, see `bone_weights`.
    """
    ids = vertex_ids(head.data)
    return names[int(weights[np.unique(ids[(ids >= 0) & (ids < SKIN_VERTICES)])].sum(axis=0).argmax())]


def bone_weights(human: bpy.types.Object, rig: bpy.types.Object) -> tuple[list[str], np.ndarray]:
    """The bones that a human's vertices have weights of, and these, float32 [V, B]."""
    bones = {bone.name for bone in rig.data.bones}
    groups = {group.index: group.name for group in human.vertex_groups if group.name in bones}
    column = {index: place for place, index in enumerate(groups)}
    weights = np.zeros((len(human.data.vertices), len(groups)), np.float32)
    for vertex in human.data.vertices:
        for element in vertex.groups:
            if element.group in column:
                weights[vertex.index, column[element.group]] = element.weight
    used = weights.sum(axis=0) > 0
    return [name for name, found in zip(groups.values(), used, strict=True) if found], weights[:, used]


def _bone_at(
    rig: bpy.types.Object, human: bpy.types.Object, centre: np.ndarray, radius: float, weighted: list[str]
) -> str | None:
    """The deforming bone that begins within half a radius of a point of a human's space; rather one with weights."""
    to_human = np.array(human.matrix_world.inverted() @ rig.matrix_world)
    found = []
    for bone in rig.data.bones:
        distance = float(np.linalg.norm(to_human[:3, :3] @ np.array(bone.head_local) + to_human[:3, 3] - centre))
        if bone.use_deform and distance < radius / 2:
            found.append((bone.name not in weighted, distance, bone.name))
    return min(found)[2] if found else None


def _crease_as(source: bpy.types.Mesh, target: bpy.types.Mesh, used: np.ndarray) -> None:
    """Give the edges of a mesh the creases of those of another that it was taken from."""
    old = source.attributes.get("crease_edge")
    if old is None:
        return
    values, ends = np.empty(len(source.edges), np.float32), np.empty(2 * len(source.edges), np.int32)
    old.data.foreach_get("value", values)
    source.edges.foreach_get("vertices", ends)
    creased = {tuple(sorted(pair)) for pair in ends.reshape(-1, 2)[values > 0].tolist()}
    new = target.attributes.new("crease_edge", "FLOAT", "EDGE")
    wanted = [tuple(sorted(used[list(edge.vertices)].tolist())) in creased for edge in target.edges]
    new.data.foreach_set("value", np.array(wanted, np.float32))
