"""Attaching a head to a human of MPFB or MakeHuman, and taking it off again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import bpy
import numpy as np

from .. import compat
from .._shared import RelightifyError
from ..scene.heads import PREFIX
from ..scene.keyframes import shape_path
from ..scene.mesh import expression_keys, liked_shape, likeness_values
from ..scene.neck import border_of_neck
from ..scene.renewing.reshaping import coordinates, vertex_ids
from ..skeleton.armature import armature_of
from ..skeleton.following import bone_of, shapes_without_bones
from ..skeleton.skinning import HEAD
from . import surroundings
from .fitting import Field, Placement, blend_weights, distances_along, gentle_reach, place_head
from .humans import ALL_VERTICES, SKIN_VERTICES, require_attachable, rig_of, units_per_metre_of
from .parts import bind_parts, bone_weights, build_parts, skull_bone
from .skin import dress, undress

# Custom properties of a human: what was done to it, as JSON; its skin's material; the mesh of the head's parts.
ATTACHED, SKIN, PARTS_OF = (f"{PREFIX}body{name}" for name in ("", "_skin", "_parts"))
# No neck blends further than this, metres along the skin: there the jaw begins.
NECK = 0.07
# The helpers of the base mesh that bones are placed by: cubes of eight vertices each.
JOINTS = ((13606, 14598), (19150, 19158))
CUBE = 8


@dataclass(frozen=True)
class AttachOptions:
    """What a human takes of a head besides its shape, and how.

    Args:
        blend: metres from the neck's border, along the skin, over which the human's neck becomes the head's; more
            where the two are far apart, see `gentle_reach`.
        true_scale: keep the head's own size; else make it as large as the human's.
        skin: bake the maps to the human's own texture coordinates.
        size: texels a side of those.
        parts: show the head's own eyes, teeth, tongue and lashes, and hide the human's.
        expressions: give the human the head's shapes, which follow the head's sliders.
    """

    blend: float = 0.03
    true_scale: bool = True
    skin: bool = True
    size: int = 4096
    parts: bool = True
    expressions: bool = True


@dataclass(frozen=True)
class Attached:
    """What attaching made.

    Args:
        key: the human's shape key with the head's shape.
        gap: millimetres between the neck's border and the human's, on average, which the neck bridges.
        warnings: sentences for the user.
    """

    key: bpy.types.ShapeKey
    gap: float
    warnings: tuple[str, ...]


def attached_name(human: bpy.types.Object | None) -> str | None:
    """The name that the head on a human had, or None where it has none."""
    return json.loads(human[ATTACHED])["head"] if human is not None and ATTACHED in human else None


def attach(
    scene: bpy.types.Scene, head: bpy.types.Object, human: bpy.types.Object, options: AttachOptions = AttachOptions()
) -> Attached:
    """Put a head on a human: its vertices take the head's shape by a shape key, and all that hangs on them goes along.

    A head that the human has already is taken off first. The head itself is hidden, and its sliders move the human's
    face from now on.

    Args:
        scene: of both.
        head: the head.
        human: base mesh of MPFB or MakeHuman; masks, subdivisions and a rig are fine.
        options: what it takes.

    Raises:
        RelightifyError: ``linked_human``, ``other_human_mesh``, ``head_without_neck``.
    """
    ids = vertex_ids(head.data)
    quads = _skin_quads(head, ids)
    require_attachable(human, quads)
    if ATTACHED in human:
        detach(scene, human)
    bpy.context.view_layer.update()
    neutral, offsets = shapes_of(head)
    there = surroundings.shown_points(human)
    body_ids = np.where((ids >= 0) & (ids < len(there)), ids, -1)
    skin = np.flatnonzero((body_ids >= 0) & (body_ids < SKIN_VERTICES))
    unit = units_per_metre_of(human)
    border = border_of_neck(head, neutral)
    if not np.isin(border, skin).all():
        raise RelightifyError(
            "head_without_neck",
            f"The neck of {head.name} does not end where a MakeHuman head ends.",
            "Use a head as it was reconstructed; modifiers and shape keys are fine.",
        )
    place = place_head(
        neutral[skin], there[body_ids[skin]], np.searchsorted(skin, border), unit if options.true_scale else None
    )
    apart = np.linalg.norm(place.points(neutral[border]) - there[body_ids[border]], axis=1)
    at = there[np.maximum(body_ids, 0)]
    reach = gentle_reach(at, at[border], apart, options.blend * unit, NECK * unit)
    weight = _neck_weights(head, body_ids, at, border, reach)
    known = np.flatnonzero(body_ids >= 0)
    moved = np.zeros_like(there)
    moved[body_ids[known]] = weight[known, None] * (place.points(neutral[known]) - there[body_ids[known]])
    field = _field(there, moved, body_ids[known])
    _carry_helpers(there, moved, body_ids[known], field)

    had_keys = human.data.shape_keys is not None
    if not had_keys:
        compat.add_shape_key(human, "Basis")
    basis = coordinates(human.data.shape_keys.reference_key.data).reshape(-1, 3)
    key = compat.add_shape_key(human, f"{head.name} head")
    key.data.foreach_set("co", (basis + moved).astype(np.float32).ravel())
    key.value = 1.0
    made, warnings = [key.name], []
    if options.expressions:
        names, taken = _add_expressions(human, basis, offsets, place, weight, body_ids)
        made += names
        if taken:
            warnings.append(f"The human has shapes of its own called {', '.join(taken)}; they stay as they are.")
        _follow_sliders(head, human, names)
    human[ATTACHED] = json.dumps({"head": head.name, "keys": made, "had_keys": had_keys})

    _move_surroundings(human, field, options, warnings)
    if options.expressions:
        _turn_with_head(head, human)
    if options.parts:
        _add_parts(scene, head, human, neutral, offsets if options.expressions else {}, place)
    if options.skin:
        material = dress(head, human, neutral, weight, options.size)
        if material is None:
            warnings.append("The human has no texture coordinates, or the head no skin, so its skin stays its own.")
        else:
            human[SKIN] = material
    human.data.update()
    surroundings.hide(head)
    return Attached(key, float(1000 * apart.mean() / unit), tuple(warnings))


def detach(scene: bpy.types.Scene, human: bpy.types.Object) -> None:
    """Take a head off a human, which is again what it was; the head is shown again.

    Args:
        scene: of both.
        human: one with a head attached.
    """
    record = json.loads(human[ATTACHED])
    parts = human.get(PARTS_OF)
    if parts is not None:
        data = parts.data
        bpy.data.objects.remove(parts)
        if data.users == 0:
            bpy.data.meshes.remove(data)
    surroundings.let_go(human)
    rig = rig_of(human)
    if rig is not None and surroundings.BONES in rig:
        surroundings.stay_put(rig)
        surroundings.restore_bones(rig)
    material = human.get(SKIN)
    for mark in (ATTACHED, SKIN, PARTS_OF):
        if mark in human:
            del human[mark]
    undress(human, material)
    keys = human.data.shape_keys
    if keys is not None:
        for name in record["keys"]:
            if name in keys.key_blocks:
                keys.driver_remove(shape_path(name))
                human.shape_key_remove(keys.key_blocks[name])
        if not record["had_keys"] and len(keys.key_blocks) == 1:
            human.shape_key_clear()
    human.data.update()
    head = scene.objects.get(record["head"])
    if head is not None:
        surroundings.show_again(head)


def shapes_of(head: bpy.types.Object) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A head's neutral vertices with its likeness as the sliders have it, float [V, 3], and what shapes add, by name.

    What the head leaves to bones its shapes do here by themselves.
    """
    keys = head.data.shape_keys
    if keys is None:
        return coordinates(head.data.vertices).reshape(-1, 3).astype(np.float64), {}
    basis = coordinates(keys.reference_key.data).reshape(-1, 3)
    neutral = liked_shape(head, likeness_values(head)).astype(np.float64)
    armature = armature_of(head)
    whole = shapes_without_bones(head, armature) if armature is not None else {}
    return neutral, {
        key.name: whole.get(key.name, coordinates(key.data).reshape(-1, 3)) - basis for key in expression_keys(head)
    }


def _skin_quads(head: bpy.types.Object, ids: np.ndarray) -> np.ndarray:
    """The faces that a head has in common with the base mesh's skin, as its numbers, int [F, 4]."""
    rows = []
    for face in head.data.polygons:
        corners = ids[list(face.vertices)]
        if ((corners >= 0) & (corners < SKIN_VERTICES)).all():
            rows.append([*corners, *[-1] * (4 - len(corners))])
    return np.array(rows, np.int64).reshape(-1, 4)


def _neck_weights(
    head: bpy.types.Object, body_ids: np.ndarray, points: np.ndarray, border: np.ndarray, reach: np.ndarray
) -> np.ndarray:
    """How much of the head there is at each of its vertices, float [V]; all where the skin does not lead."""
    ends = np.empty(2 * len(head.data.edges), np.int32)
    head.data.edges.foreach_get("vertices", ends)
    edges = ends.reshape(-1, 2)
    edges = edges[((body_ids[edges] >= 0) & (body_ids[edges] < SKIN_VERTICES)).all(axis=1)]
    return blend_weights(distances_along(points, edges, border), reach)


def _field(there: np.ndarray, moved: np.ndarray, known: np.ndarray) -> Field:
    """How the space of a human moves: as its skin, and the helpers that the head knows, do."""
    sources = np.union1d(np.arange(SKIN_VERTICES), known)
    return Field(there[sources], moved[sources])


def _carry_helpers(there: np.ndarray, moved: np.ndarray, known: np.ndarray, field: Field) -> None:
    """Move the helpers that the head does not know along; a joint's cube as a whole."""
    if len(there) <= SKIN_VERTICES:
        return
    others = np.setdiff1d(np.arange(SKIN_VERTICES, len(there)), known)
    cubes = [np.arange(begin, begin + CUBE) for low, high in JOINTS for begin in range(low, high, CUBE)]
    cubes = [cube for cube in cubes if len(there) == ALL_VERTICES]
    if cubes:
        moved[np.array(cubes)] = field.at(there[np.array(cubes)].mean(axis=1))[:, None]
        others = np.setdiff1d(others, np.concatenate(cubes))
    moved[others] = field.at(there[others])


def _add_expressions(
    human: bpy.types.Object,
    basis: np.ndarray,
    offsets: Mapping[str, np.ndarray],
    place: Placement,
    weight: np.ndarray,
    body_ids: np.ndarray,
) -> tuple[list[str], list[str]]:
    """Give a human a head's shapes; the names of those, and of those that it has under the same names already."""
    blocks, names, taken = human.data.shape_keys.key_blocks, [], []
    known = np.flatnonzero(body_ids >= 0)
    for name, offset in offsets.items():
        if name in blocks:
            taken.append(name)
            continue
        points = basis.copy()
        points[body_ids[known]] += weight[known, None] * place.offsets(offset[known])
        key = compat.add_shape_key(human, name)
        key.data.foreach_set("co", points.astype(np.float32).ravel())
        names.append(name)
    return names, taken


def _follow_sliders(head: bpy.types.Object, follower: bpy.types.Object, names: list[str]) -> None:
    """Let the shapes of an object have the values of a head's."""
    keys = follower.data.shape_keys
    for name in names:
        driver = keys.driver_add(shape_path(name)).driver
        # A sum runs also where scripts of a file may not.
        driver.type = "SUM"
        variable = driver.variables.new()
        variable.type = "SINGLE_PROP"
        target = variable.targets[0]
        target.id_type, target.id, target.data_path = "KEY", head.data.shape_keys, shape_path(name)


def _move_surroundings(human: bpy.types.Object, field: Field, options: AttachOptions, warnings: list[str]) -> None:
    """Let bones, hair and clothes go along."""
    rig = rig_of(human)
    if rig is not None:
        if is_linked(rig):
            warnings.append(f"The bones of {rig.name} are linked from another file and stay where they are.")
        else:
            surroundings.move_bones(rig, human, field.at)
    left = surroundings.let_follow(human, field.at)
    if left:
        warnings.append(f"Not all of {', '.join(left)} goes along: a proxy keeps its skin, a linked mesh its shape.")
    kinds = (surroundings.REPLACED_BY_PARTS if options.parts else ()) + (
        surroundings.REPLACED_BY_SKIN if options.skin else ()
    )
    surroundings.hide_replaced(human, kinds)


def _turn_with_head(head: bpy.types.Object, human: bpy.types.Object) -> None:
    """Turn a human's head as the bone of a head with a skeleton is, which recordings turn."""
    armature, rig = armature_of(head), rig_of(human)
    bone = bone_of(armature, HEAD) if armature is not None else None
    if armature is None or bone is None or rig is None or is_linked(rig):
        return
    names, weights = bone_weights(human, rig)
    if names:
        surroundings.turn_along(rig, skull_bone(head, names, weights), armature, bone.name)


def is_linked(rig: bpy.types.Object) -> bool:
    """Whether the bones of a rig are another file's."""
    return rig.library is not None or rig.data.library is not None or rig.override_library is not None


def _add_parts(
    scene: bpy.types.Scene,
    head: bpy.types.Object,
    human: bpy.types.Object,
    neutral: np.ndarray,
    offsets: Mapping[str, np.ndarray],
    place: Placement,
) -> None:
    """Show the head's eyes, teeth, tongue and lashes on a human."""
    built = build_parts(scene, head, human, neutral, offsets, place)
    if built is None:
        return
    parts, used = built
    human[PARTS_OF] = parts
    _follow_sliders(head, parts, list(offsets))
    rig = rig_of(human)
    if rig is not None:
        bind_parts(head, human, rig, parts, used, neutral, place)
