"""A head's armature: made, found again, renewed with the head, taken away.

Bones are known by a mark of ours, so that an artist may call them what he likes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import bpy
import numpy as np
from mathutils import Vector

from ..anatomy.regions import region_weights
from ..scene.heads import MADE, belonging, home_of
from ..scene.mesh import HM08_ATTRIBUTE, liked_shape, likeness_values, part_vertices
from ..scene.neck import border_of_neck, cap_vertices
from ..scene.renewing.reshaping import coordinates
from . import following
from .following import ROLE, bone_of
from .naming import NAMINGS
from .skinning import EYES, HEAD, NECK, PARENTS, ROOT, Bone, HeadShape, make_skeleton

# Custom property of the head object: its armature object.
SKELETON = "relightify_skeleton"
# Weights finer than this make no difference that is seen; equal ones are written in one call.
WEIGHT_STEPS = 256


def armature_of(head: bpy.types.Object | None) -> bpy.types.Object | None:
    """The armature of a head, or None."""
    return belonging(head, SKELETON)


def lent_armature(head: bpy.types.Object) -> bpy.types.Object | None:
    """The armature of another head that this one is a copy of, and hangs on as long as it has none of its own."""
    armature = head.get(SKELETON)
    return armature if armature is not None and armature.users_collection and armature_of(head) is None else None


def leave_lent_armature(head: bpy.types.Object) -> bool:
    """Free a copy of a head from the other head's armature: its shapes do all by themselves.

    Returns:
        Whether there was one.
    """
    armature = lent_armature(head)
    if armature is None:
        return False
    following.part(head, armature)
    _forget_bones(head, armature)
    return True


def add_skeleton(scene: bpy.types.Scene, head: bpy.types.Object, naming: str = "BLENDER") -> bpy.types.Object:
    """Give a head bones for root, neck, head, jaw and eyes, with skin weights; what shapes do, they still do.

    Args:
        scene: that of the head.
        head: a head without a skeleton.
        naming: one of `naming.NAMINGS`.

    Returns:
        The armature object, which hangs on the head.
    """
    leave_lent_armature(head)
    skeleton = make_skeleton(head_shape(head))
    armature = bpy.data.objects.new(f"{head.name} skeleton", bpy.data.armatures.new(f"{head.name} skeleton"))
    home_of(head, scene).objects.link(armature)
    armature.parent = head
    # Inside the head, where it hides nothing of the face, until the artist wants to see it.
    armature.data.display_type = "STICK"
    armature[MADE], head[SKELETON] = True, armature
    _write_bones(armature, skeleton.bones, NAMINGS[naming])
    modifier = head.modifiers.new("Skeleton", "ARMATURE")
    modifier.object = armature
    head.modifiers.move(len(head.modifiers) - 1, 0)
    write_weights(head, armature, skeleton.weights)
    following.bind(head, armature, skeleton)
    return armature


def renew_skeleton(head: bpy.types.Object) -> None:
    """Fit the skeleton of a head to the mesh and the shapes that it has just got; poses and settings stay."""
    armature = armature_of(head)
    if armature is None:
        return
    skeleton = make_skeleton(head_shape(head))
    _write_bones(armature, skeleton.bones, {bone[ROLE]: bone.name for bone in armature.data.bones if ROLE in bone})
    write_weights(head, armature, skeleton.weights)
    following.bind(head, armature, skeleton)


def fits_likeness(head: bpy.types.Object) -> bool:
    """Whether the bones of a head, if it has any, are where its likeness sliders have eyes and jaw now."""
    armature = armature_of(head)
    return armature is None or following.same_likeness(armature, head)


def fit_to_likeness(head: bpy.types.Object) -> None:
    """Move the bones of a head to where its likeness sliders have eyes, jaw and skull; poses and settings stay."""
    armature = armature_of(head)
    if armature is not None:
        following.give_shapes_back(head, armature)
        renew_skeleton(head)


def remove_skeleton(head: bpy.types.Object) -> None:
    """Take the skeleton of a head away, with all that follows it; shapes turn eyes and jaw again."""
    armature = armature_of(head)
    if armature is None:
        return
    following.unbind(head, armature)
    _forget_bones(head, armature)
    data = armature.data
    bpy.data.objects.remove(armature)
    if data.users == 0:
        bpy.data.armatures.remove(data)


def _forget_bones(head: bpy.types.Object, armature: bpy.types.Object) -> None:
    """Take away the weights, the modifier and the mark by which a head follows an armature."""
    for name in [bone.name for bone in armature.data.bones]:
        group = head.vertex_groups.get(name)
        if group is not None:
            head.vertex_groups.remove(group)
    for modifier in [m for m in head.modifiers if m.type == "ARMATURE" and m.object == armature]:
        head.modifiers.remove(modifier)
    del head[SKELETON]


def rename_bones(armature: bpy.types.Object, naming: str) -> None:
    """Call our bones as another program does; Blender renames vertex groups, drivers and curves along."""
    for role, name in NAMINGS[naming].items():
        bone = bone_of(armature, role)
        if bone is not None:
            bone.name = name


def head_shape(head: bpy.types.Object) -> HeadShape:
    """What the skeleton of a head is made from."""
    mesh = head.data
    basis = coordinates(mesh.shape_keys.reference_key.data if mesh.shape_keys else mesh.vertices).reshape(-1, 3)
    vertices = liked_shape(head, likeness_values(head)) if mesh.shape_keys else basis
    edges, ids = np.empty(2 * len(mesh.edges), np.int32), np.full(len(vertices), -1, np.int32)
    mesh.edges.foreach_get("vertices", edges)
    attribute = mesh.attributes.get(HM08_ATTRIBUTE)
    if attribute is not None:
        attribute.data.foreach_get("value", ids)
    offsets = {}
    for key in mesh.shape_keys.key_blocks[1:] if mesh.shape_keys else ():
        if key.name == "jawOpen" or key.name.startswith("eyeLook"):
            offsets[key.name] = coordinates(key.data).reshape(-1, 3) - basis
    neck, parts = region_weights(ids)["Neck"], part_vertices(head)
    return HeadShape(
        vertices, edges.reshape(-1, 2), parts, offsets, neck, border_of_neck(head, vertices), cap_vertices(head)
    )


def write_weights(head: bpy.types.Object, armature: bpy.types.Object, weights: Mapping[str, np.ndarray]) -> None:
    """Vertex groups of the bones' names with these weights [V] by role, which replace what they held."""
    everyone = np.arange(len(head.data.vertices)).tolist()
    names = {bone[ROLE]: bone.name for bone in armature.data.bones if ROLE in bone}
    steps = {role: np.rint(values * WEIGHT_STEPS).astype(int) for role, values in weights.items()}
    # Blender divides by the sum where it is not 1, and the shapes of a jaw taken apart count on it.
    steps[HEAD] += WEIGHT_STEPS - np.sum(list(steps.values()), axis=0)
    for role, of_vertex in steps.items():
        group = head.vertex_groups.get(names[role]) or head.vertex_groups.new(name=names[role])
        group.remove(everyone)
        for step in np.unique(of_vertex[of_vertex > 0]):
            group.add(np.flatnonzero(of_vertex == step).tolist(), float(step) / WEIGHT_STEPS, "REPLACE")


def _write_bones(armature: bpy.types.Object, bones: Mapping[str, Bone], names: Mapping[str, str]) -> None:
    """Put the bones of some roles where they belong; those that are missing are made."""
    with edit_bones(armature) as edit:
        for role, bone in bones.items():
            made = edit.get(names[role]) or edit.new(names[role])
            made.head, made.tail = Vector(bone.head), Vector(bone.tail)
            parent = PARENTS[role]
            made.parent = edit[names[parent]] if parent is not None else None
            made.use_connect = role == HEAD
            made.use_deform = True
            # Axes as humanoids have them: z forward in the spine, up in jaw and eyes.
            made.align_roll(Vector((0.0, -1.0, 0.0) if role in (ROOT, NECK, HEAD) else (0.0, 0.0, 1.0)))
    for role in bones:
        armature.data.bones[names[role]][ROLE] = role
        armature.pose.bones[names[role]].rotation_mode = "XYZ"
    for role in EYES:
        bone = bone_of(armature, role)
        if bone is not None:
            # An eye turns and does nothing else.
            pose = armature.pose.bones[bone.name]
            pose.lock_location = pose.lock_scale = (True, True, True)


@contextmanager
def edit_bones(armature: bpy.types.Object) -> Iterator[bpy.types.bpy_prop_collection]:
    """The bones of an armature to edit; afterwards the artist is in the mode, and has the active object, of before.

    They are edited in the scene that the artist is in, whichever the armature's is: operators work on that one, and
    must not be told of another (see `ui.viewport`).
    """
    scene, layer = bpy.context.scene, bpy.context.view_layer
    # What was linked just now is not in the layer yet.
    linked = armature.name not in layer.objects and armature.name not in scene.collection.objects
    if linked:
        # It is another scene's, or its own collection is left out of what is shown.
        scene.collection.objects.link(armature)
    layer.update()
    before = layer.objects.active
    mode, hidden = before.mode if before is not None else "OBJECT", armature.hide_get(view_layer=layer)
    never, armature.hide_viewport = armature.hide_viewport, False
    try:
        if mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        armature.hide_set(False, view_layer=layer)
        layer.objects.active = armature
        bpy.ops.object.mode_set(mode="EDIT")
        try:
            yield armature.data.edit_bones
        finally:
            bpy.ops.object.mode_set(mode="OBJECT")
    finally:
        armature.hide_set(hidden, view_layer=layer)
        armature.hide_viewport = never
        layer.objects.active = before
        if mode != "OBJECT":
            bpy.ops.object.mode_set(mode=mode)
        if linked:
            scene.collection.objects.unlink(armature)
