"""What goes along when a human gets another head: the bones of its rig, its hair and clothes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import bpy
import numpy as np
from mathutils import Vector

from .. import compat
from ..scene.heads import MADE, is_head
from ..scene.renewing.reshaping import coordinates
from ..skeleton.armature import edit_bones
from .humans import is_human, kind_of, rig_of

# Custom property of a rig: where the bones were that have moved, as JSON.
BONES = "relightify_body_bones"
# Of an object that is hidden while the head's own parts are shown: what it was.
HIDDEN = "relightify_body_hidden"
# The shape key of what goes along, and the constraint of a bone that turns along.
FOLLOWS = "Relightify head"
# What MPFB calls that which the head's parts and skin take the place of.
REPLACED_BY_PARTS = ("Eyes", "Teeth", "Tongue", "Eyelashes")
REPLACED_BY_SKIN = ("Eyebrows",)
PROXY = "Proxymeshes"
# What moves less stays, metres.
LEAST_MOVE = 1e-5

Displacements = Callable[[np.ndarray], np.ndarray]


def family_of(human: bpy.types.Object) -> list[bpy.types.Object]:
    """What hangs on a human or its rig besides itself."""
    rig = rig_of(human)
    found = [*human.children_recursive, *(rig.children_recursive if rig is not None else ())]
    return [thing for thing in dict.fromkeys(found) if thing != human]


def move_bones(rig: bpy.types.Object, human: bpy.types.Object, displacements: Displacements) -> None:
    """Move the ends of a rig's bones at rest as the space of a human around them moves; poses stay.

    Args:
        rig: not linked.
        human: whose space the displacements are in.
        displacements: of points [n, 3], float [n, 3].
    """
    to_human = rig_to_human(rig, human)
    bones = list(rig.data.bones)
    if not bones:
        return
    ends = np.array([[*bone.head_local] for bone in bones] + [[*bone.tail_local] for bone in bones])
    moved = displacements(ends @ to_human[:3, :3].T + to_human[:3, 3]) @ np.linalg.inv(to_human[:3, :3]).T
    heads, tails = moved[: len(bones)], moved[len(bones) :]
    names = {bone.name: index for index, bone in enumerate(bones)}
    before: dict[str, list[float]] = {}
    with edit_bones(rig) as edit:
        places = {bone.name: (bone.head.copy(), bone.tail.copy(), bone.z_axis.copy(), bone.roll) for bone in edit}
        for bone in edit:
            head, tail, upright, roll = places[bone.name]
            index = names[bone.name]
            if max(np.abs(heads[index]).max(), np.abs(tails[index]).max()) < LEAST_MOVE:
                continue
            before[bone.name] = [*head, *tail, roll]
            bone.head, bone.tail = head + Vector(heads[index]), tail + Vector(tails[index])
            bone.align_roll(upright)
    rig[BONES] = json.dumps(before)
    _renew_lengths(rig)


def restore_bones(rig: bpy.types.Object) -> None:
    """Put the bones of a rig back to where they were."""
    before = json.loads(rig.get(BONES, "{}"))
    if before:
        with edit_bones(rig) as edit:
            for name, values in before.items():
                bone = edit.get(name)
                if bone is not None:
                    bone.head, bone.tail, bone.roll = Vector(values[:3]), Vector(values[3:6]), values[6]
        _renew_lengths(rig)
    if BONES in rig:
        del rig[BONES]


def turn_along(rig: bpy.types.Object, bone: str, armature: bpy.types.Object, source: str) -> None:
    """Turn a bone of a rig as one of another armature is turned, before its own pose."""
    turn = rig.pose.bones[bone].constraints.new("COPY_ROTATION")
    turn.name, turn.target, turn.subtarget = FOLLOWS, armature, source
    turn.mix_mode, turn.owner_space, turn.target_space = "BEFORE", "LOCAL", "LOCAL_OWNER_ORIENT"


def stay_put(rig: bpy.types.Object) -> None:
    """Let no bone of a rig turn along any more."""
    for bone in rig.pose.bones:
        for constraint in [c for c in bone.constraints if c.name == FOLLOWS]:
            bone.constraints.remove(constraint)


def rig_to_human(rig: bpy.types.Object, human: bpy.types.Object) -> np.ndarray:
    """From the space of a rig to that of a human, float [4, 4]."""
    return np.array(human.matrix_world.inverted() @ rig.matrix_world)


def let_follow(human: bpy.types.Object, displacements: Displacements) -> list[str]:
    """Let hair, clothes and whatever else hangs on a human go along by a shape key.

    Returns:
        The names of proxies, whose skin stays their own, and of what is linked from other files, which stays.
    """
    left = []
    for thing in _meshes(human):
        if any(data.library is not None or data.override_library is not None for data in (thing, thing.data)):
            left.append(thing.name)
            continue
        if kind_of(thing) == PROXY:
            left.append(thing.name)
        to_human = np.array(human.matrix_world.inverted() @ thing.matrix_world)
        points = shown_points(thing)
        moved = displacements(points @ to_human[:3, :3].T + to_human[:3, 3]) @ np.linalg.inv(to_human[:3, :3]).T
        if not len(moved) or np.abs(moved).max() < LEAST_MOVE:
            continue
        if thing.data.shape_keys is None:
            compat.add_shape_key(thing, "Basis")
        key = compat.add_shape_key(thing, FOLLOWS)
        basis = coordinates(key.data).reshape(-1, 3)
        key.data.foreach_set("co", (basis + moved).astype(np.float32).ravel())
        key.value = 1.0
    return left


def hide_replaced(human: bpy.types.Object, kinds: tuple[str, ...]) -> None:
    """Hide what the head brings itself."""
    for thing in _meshes(human):
        if kind_of(thing) in kinds:
            hide(thing)


def hide(thing: bpy.types.Object) -> None:
    """Hide an object in viewport and render, and remember whether it was."""
    if thing.library is None and HIDDEN not in thing:
        thing[HIDDEN] = [int(thing.hide_viewport), int(thing.hide_render)]
        thing.hide_viewport = thing.hide_render = True


def show_again(thing: bpy.types.Object) -> None:
    """Show an object as it was before `hide`."""
    if HIDDEN in thing:
        viewport, render = thing[HIDDEN]
        thing.hide_viewport, thing.hide_render = bool(viewport), bool(render)
        del thing[HIDDEN]


def let_go(human: bpy.types.Object) -> None:
    """Take from what hangs on a human all that `let_follow` and `hide_replaced` did."""
    for thing in _meshes(human):
        show_again(thing)
        keys = thing.data.shape_keys
        if keys is not None and FOLLOWS in keys.key_blocks:
            thing.shape_key_remove(keys.key_blocks[FOLLOWS])
            if len(keys.key_blocks) == 1:
                thing.shape_key_clear()


def shown_points(thing: bpy.types.Object) -> np.ndarray:
    """The vertices of a mesh as its shape keys have them now, before modifiers, float [V, 3]."""
    mesh = thing.data
    if mesh.shape_keys is None:
        return coordinates(mesh.vertices).reshape(-1, 3).astype(np.float64)
    mixed = thing.shape_key_add(name="relightify mix", from_mix=True)
    points = coordinates(mixed.data).reshape(-1, 3).astype(np.float64)
    thing.shape_key_remove(mixed)
    return points


def _meshes(human: bpy.types.Object) -> Iterator[bpy.types.Object]:
    for thing in family_of(human):
        if thing.type == "MESH" and MADE not in thing and not is_head(thing) and not is_human(thing):
            yield thing


def _renew_lengths(rig: bpy.types.Object) -> None:
    """Let stretching bones take their new length at rest for theirs."""
    for bone in rig.pose.bones:
        for constraint in bone.constraints:
            if constraint.type == "STRETCH_TO":
                constraint.rest_length = 0.0
            elif constraint.type == "CHILD_OF":
                constraint.set_inverse_pending = True
