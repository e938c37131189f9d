"""A head with all that is its own: deleting it, and making another one like it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from ... import compat
from .. import stage
from ..heads import CAMERA, MADE, PREFIX, WORLD, belonging, belongings, free_place, heads_of, is_head, place_of, root_of
from ..heads import sharing as heads_sharing
from ..images import remove_unused

Copies = dict[bpy.types.ID, bpy.types.ID]


def members(head: bpy.types.Object) -> list[bpy.types.Object]:
    """The head and the objects that are its own: its root, unless another head hangs on it too, and its belongings."""
    root = root_of(head)
    is_own = root is not None and not any(is_head(child) and child != head for child in root.children_recursive)
    return [*([root] if root is not None and is_own else []), head, *belongings(head)]


def worlds_of(head: bpy.types.Object) -> list[bpy.types.World]:
    """The lights of a head's photos."""
    return [value for _, value in marks(head) if isinstance(value, bpy.types.World)]


def own_worlds(head: bpy.types.Object) -> list[bpy.types.World]:
    """The lights of a head's photos, but for those that a duplicate of it has too, or that another file holds."""
    return [
        world
        for mark, world in marks(head)
        if isinstance(world, bpy.types.World) and world.library is None and not heads_sharing(head, mark, world)
    ]


def images_of(things: list[bpy.types.Object], worlds: list[bpy.types.World]) -> list[bpy.types.Image]:
    """The images that a head's marks, materials, cameras and worlds hold."""
    found = []
    for thing in things:
        found += [value for _, value in marks(thing) if isinstance(value, bpy.types.Image)]
        if thing.type == "CAMERA":
            found += [background.image for background in thing.data.background_images]
        if thing.type == "MESH":
            found += [n.image for m in thing.data.materials if m is not None for n in image_nodes(m)]
    found += [node.image for world in worlds for node in image_nodes(world)]
    return list(dict.fromkeys(image for image in found if image is not None))


def marks(thing: bpy.types.Object) -> list[tuple[str, Any]]:
    """Our custom properties of an object."""
    return [(key, thing[key]) for key in thing.keys() if key.startswith(PREFIX)]  # noqa: SIM118, no mapping of Python's


def image_nodes(owner: bpy.types.Material | bpy.types.World) -> list[bpy.types.Node]:
    """The nodes of a material or world that show an image, but for those in groups."""
    nodes = compat.node_tree_of(owner).nodes
    return [node for node in nodes if node.type in ("TEX_IMAGE", "TEX_ENVIRONMENT")]


# --- deleting ---------------------------------------------------------------------------------------------------


def delete_head(scene: bpy.types.Scene, head: bpy.types.Object) -> None:
    """Remove a head with its root, camera, lights, world, materials and images; what is used elsewhere stays.

    What the artist has hung on it stays where it is. The scene then shows another head of ours, or, after the last one,
    the camera, frame, world and film look that it had before the first.

    Args:
        scene: that of the head.
        head: the head.
    """
    gone, worlds = members(head), own_worlds(head)
    images = [image for image in images_of(gone, worlds) if image.library is None]
    actions = [action for thing in gone for action in actions_of(thing)]
    materials = [m for m in head.data.materials if m is not None and m.library is None]
    homes = {collection for thing in gone for collection in thing.users_collection if MADE in collection}
    for child in [c for thing in gone for c in thing.children if c not in gone]:
        place = place_of(child)
        child.parent = None
        child.matrix_basis = place
    for thing in gone:
        data = thing.data
        bpy.data.objects.remove(thing)
        if data is not None and data.users == 0 and data.library is None:
            _remove_data(data)
    for material in dict.fromkeys(materials):
        if material.users == 0:
            bpy.data.materials.remove(material)
    for world in worlds:
        bpy.data.worlds.remove(world)
    remove_unused(images)
    for action in dict.fromkeys(actions):
        if action.users == 0:
            bpy.data.actions.remove(action)
    for collection in homes:
        if not collection.all_objects and not collection.children:
            bpy.data.collections.remove(collection)
    left = heads_of(scene)
    if not left:
        stage.strike(scene)
        return
    scene.camera = scene.camera or belonging(left[-1], CAMERA)
    scene.world = scene.world or left[-1].get(WORLD)


def _remove_data(data: bpy.types.ID) -> None:
    kinds = {
        "MESH": bpy.data.meshes,
        "CAMERA": bpy.data.cameras,
        "LIGHT": bpy.data.lights,
        "ARMATURE": bpy.data.armatures,
    }
    if data.id_type in kinds:
        kinds[data.id_type].remove(data)


def actions_of(thing: bpy.types.Object) -> Iterator[bpy.types.Action]:
    """The actions that move an object, its data or its shape keys."""
    for animated in animated_data(thing):
        if animated.animation_data is not None and animated.animation_data.action is not None:
            yield animated.animation_data.action


def animated_data(thing: bpy.types.Object) -> list[bpy.types.ID]:
    """An object, its data and its shape keys."""
    keys = thing.data.shape_keys if thing.type == "MESH" else None
    return [data for data in (thing, thing.data, keys) if data is not None]


# --- duplicating ------------------------------------------------------------------------------------------------


def duplicate_head(scene: bpy.types.Scene, head: bpy.types.Object) -> bpy.types.Object:
    """Another head like one, beside it, that shares nothing with it.

    Args:
        scene: gets a collection with the new head, its camera and lights.
        head: the older one, which stays as it is.

    Returns:
        The new head.
    """
    old = members(head)
    worlds = worlds_of(head)
    copies: Copies = {image: image.copy() for image in images_of(old, worlds)}
    for world in worlds:
        copies[world] = world.copy()
        _put_images(copies[world], copies)
    collection = bpy.data.collections.new(f"Relightify {head.name}")
    collection[MADE] = True
    scene.collection.children.link(collection)
    for thing in old:
        copies[thing] = twin = thing.copy()
        if thing.data is not None:
            copies[thing.data] = twin.data = thing.data.copy()
        collection.objects.link(twin)
        for before, after in zip(animated_data(thing), animated_data(twin), strict=True):
            copies[before] = after
            compat.own_action(after)
    for slot, material in enumerate(head.data.materials):
        if material is not None:
            copies[material] = copies[head].data.materials[slot] = material.copy()
            _put_images(copies[material], copies)
    for thing in old:
        _point_at_copies(copies[thing], copies)
    for material in [m for m in copies[head].data.materials if m is not None and m.node_tree is not None]:
        _point_drivers_at_copies(material.node_tree, copies)
    others = [other for other in heads_of(scene) if other != copies[head]]
    copies[old[0]].location.x += free_place(scene, others) - place_of(head).translation.x
    return copies[head]


def _put_images(owner: bpy.types.Material | bpy.types.World, copies: Copies) -> None:
    for node in image_nodes(owner):
        node.image = copies.get(node.image, node.image)


def _point_at_copies(thing: bpy.types.Object, copies: Copies) -> None:
    """Have everything by which a copy of an object points at others of its family point at their copies."""
    place = thing.matrix_parent_inverse.copy()
    thing.parent = copies.get(thing.parent, thing.parent)
    thing.matrix_parent_inverse = place
    for key, value in marks(thing):
        if isinstance(value, bpy.types.ID) and value in copies:
            thing[key] = copies[value]
    if thing.type == "CAMERA":
        for background in thing.data.background_images:
            background.image = copies.get(background.image, background.image)
    of_bones = [c for bone in thing.pose.bones for c in bone.constraints] if thing.pose is not None else []
    for owner in (*thing.constraints, *of_bones, *thing.modifiers):
        for prop in owner.bl_rna.properties:
            if prop.type == "POINTER" and not prop.is_readonly and getattr(owner, prop.identifier) in copies:
                setattr(owner, prop.identifier, copies[getattr(owner, prop.identifier)])
    for data in animated_data(thing):
        _point_drivers_at_copies(data, copies)


def _point_drivers_at_copies(data: bpy.types.ID, copies: Copies) -> None:
    for driver in data.animation_data.drivers if data.animation_data is not None else ():
        for target in (t for variable in driver.driver.variables for t in variable.targets):
            if target.id in copies:
                target.id = copies[target.id]
