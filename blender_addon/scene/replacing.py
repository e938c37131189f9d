"""Putting a new reconstruction in the place of an older head, which keeps what the user has done to it."""

from __future__ import annotations

from collections.abc import Iterable

import bpy
import numpy as np

from .. import compat
from .heads import CAMERA, EXPRESSION, HEAD, OPTIONS, PHOTO, WORLD, ImportedHead

SAME_WEIGHT = 1e-4


def replace_head(old: bpy.types.Collection, new: ImportedHead) -> ImportedHead:
    """Move what was just imported into an older head, and remove the rest of the import.

    Objects keep their names, places, modifiers, constraints, animation and collection. A head of the same mesh keeps
    the mesh too, with its vertex groups and attributes, and gets new coordinates; else the mesh is exchanged.
    Materials keep their nodes and get new images. An expression that the user has changed stays.

    Args:
        old: collection of the older head.
        new: the import, in a collection of its own.

    Returns:
        The older head, renewed.
    """
    head: bpy.types.Object = old[HEAD]
    expression, values = dict(new.head[EXPRESSION]), shape_values(head)
    chosen = expression if has_photo_expression(head) else {**expression, **values}
    if same_topology(head.data, new.head.data):
        copy_shape(new.head, head)
        renew_materials(head.data.materials, new.head.data.materials)
        discard_mesh(new.head.data, new.head)
    else:
        exchange_mesh(head, new.head)
    head[EXPRESSION] = expression
    for key in head.data.shape_keys.key_blocks[1:]:
        key.value = chosen.get(key.name, key.value)
    camera = renew_camera(old, new, head.parent)
    world = renew_world(old, new)
    kept_photo = old.get(PHOTO)
    old[OPTIONS] = new.collection[OPTIONS]
    if PHOTO in new.collection:
        old[PHOTO] = new.collection[PHOTO]
        inherit_name(kept_photo, old[PHOTO])
        remove_unused([kept_photo])
    remove_import(new)
    return ImportedHead(old, head.parent, head, camera, world, new.warnings)


def has_photo_expression(head: bpy.types.Object) -> bool:
    """Whether the sliders still stand where the photo put them."""
    photo = dict(head.get(EXPRESSION, {}))
    return all(abs(value - photo.get(name, 0.0)) < SAME_WEIGHT for name, value in shape_values(head).items())


def shape_values(head: bpy.types.Object) -> dict[str, float]:
    """The values of the shape keys by name, without the basis."""
    keys = head.data.shape_keys
    return {key.name: key.value for key in keys.key_blocks[1:]} if keys else {}


# --- mesh -------------------------------------------------------------------------------------------------------


def same_topology(a: bpy.types.Mesh, b: bpy.types.Mesh) -> bool:
    """Whether two meshes join the same vertices to the same faces, and both have shape keys."""
    if len(a.vertices) != len(b.vertices) or len(a.loops) != len(b.loops) or len(a.polygons) != len(b.polygons):
        return False
    return bool(a.shape_keys and b.shape_keys) and np.array_equal(corners(a), corners(b))


def corners(mesh: bpy.types.Mesh) -> np.ndarray:
    """The vertex of each corner, int32 [L]."""
    found = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", found)
    return found


def coordinates(points: bpy.types.bpy_prop_collection) -> np.ndarray:
    """The positions of vertices or of a shape key, float32 [3 V]."""
    found = np.empty(3 * len(points), np.float32)
    points.foreach_get("co", found)
    return found


def copy_shape(source: bpy.types.Object, target: bpy.types.Object) -> None:
    """Give the target's mesh and shape keys the coordinates of the source's; keys that the user added move along."""
    new, old = source.data.shape_keys.key_blocks, target.data.shape_keys.key_blocks
    moved = coordinates(new[0].data) - coordinates(old[0].data)
    for index, key in enumerate(old):
        twin = new[0] if index == 0 else new.get(key.name)
        key.data.foreach_set("co", coordinates(twin.data) if twin is not None else coordinates(key.data) + moved)
    for key in list(new)[1:]:
        if key.name not in old:
            added = compat.add_shape_key(target, key.name)
            added.data.foreach_set("co", coordinates(key.data))
    target.data.vertices.foreach_set("co", coordinates(source.data.vertices))
    target.data.update()


def exchange_mesh(head: bpy.types.Object, new: bpy.types.Object) -> None:
    """Give the head another mesh, with the materials that it had before where they are still wanted."""
    old_mesh, mesh = head.data, new.data
    by_part = {part_of(material): material for material in old_mesh.materials if material is not None}
    for index, material in enumerate(list(mesh.materials)):
        kept = by_part.get(part_of(material))
        if kept is not None:
            renew_material(kept, material)
            mesh.materials[index] = kept
    name = old_mesh.name
    head.data = mesh
    new.data = old_mesh
    discard_mesh(old_mesh, new)
    mesh.name = name


def discard_mesh(mesh: bpy.types.Mesh, owner: bpy.types.Object) -> None:
    """Remove an object and its mesh; materials that nobody uses any more go with it."""
    materials = [material for material in mesh.materials if material is not None]
    bpy.data.objects.remove(owner)
    if mesh.users == 0:
        bpy.data.meshes.remove(mesh)
    for material in materials:
        if material.users == 0:
            images = [node.image for node in compat.node_tree_of(material).nodes if node.type == "TEX_IMAGE"]
            bpy.data.materials.remove(material)
            remove_unused(images)


# --- materials, camera, light -----------------------------------------------------------------------------------


def part_of(material: bpy.types.Material) -> str:
    """The part of the head that a material is for: the end of its name, which starts with the person's."""
    words = material.name.split(".")[0].split(" ")
    return " ".join(words[-2:]) if len(words) > 1 and words[-2] == "eye" else words[-1]


def renew_materials(old: bpy.types.IDMaterials, new: bpy.types.IDMaterials) -> None:
    """Renew the materials in the slots of a mesh by those in the slots of another."""
    for kept, fresh in zip(old, new, strict=False):
        if kept is not None and fresh is not None:
            renew_material(kept, fresh)


def renew_material(kept: bpy.types.Material, fresh: bpy.types.Material) -> None:
    """Put the images of a new material into the nodes of the same names of an older one."""
    swap_images(compat.node_tree_of(kept), compat.node_tree_of(fresh), "TEX_IMAGE")


def swap_images(kept: bpy.types.NodeTree, fresh: bpy.types.NodeTree, kind: str) -> None:
    """Exchange the images of nodes of one type and name; those that fall out of use are removed."""
    dropped = []
    for node in kept.nodes:
        twin = fresh.nodes.get(node.name)
        if node.type == kind and twin is not None and twin.type == kind and twin.image is not None:
            old = node.image
            node.image, twin.image = twin.image, None
            inherit_name(old, node.image)
            dropped.append(old)
    remove_unused(dropped)


def inherit_name(old: bpy.types.Image | None, new: bpy.types.Image | None) -> None:
    """Give an image the name of the one whose place it takes."""
    if old is not None and new is not None and old != new:
        name, old.name = old.name, f"{old.name} old"
        new.name = name


def remove_unused(images: Iterable[bpy.types.Image | None]) -> None:
    """Remove images that nothing uses."""
    for image in dict.fromkeys(image for image in images if image is not None):
        if image.users == 0:
            bpy.data.images.remove(image)


def renew_camera(
    old: bpy.types.Collection, new: ImportedHead, root: bpy.types.Object | None
) -> bpy.types.Object | None:
    """The photo's camera: the older one with a new lens and place, the new one, or the older one as it is."""
    camera, fresh = old.get(CAMERA), new.camera
    if fresh is None or camera is None:
        if fresh is not None:
            place = fresh.matrix_basis.copy()
            new.collection.objects.unlink(fresh)
            old.objects.link(fresh)
            fresh.parent, fresh.matrix_basis = root, place
            old[CAMERA] = camera = fresh
        return camera
    dropped, camera.data = camera.data, fresh.data
    camera.matrix_basis = fresh.matrix_basis.copy()
    images = [background.image for background in dropped.background_images]
    for image, background in zip(images, camera.data.background_images, strict=False):
        inherit_name(image, background.image)
    name = dropped.name
    bpy.data.objects.remove(fresh)
    if bpy.context.scene.camera is None:
        bpy.context.scene.camera = camera
    if dropped.users == 0:
        bpy.data.cameras.remove(dropped)
        camera.data.name = name
    remove_unused(images)
    return camera


def renew_world(old: bpy.types.Collection, new: ImportedHead) -> bpy.types.World:
    """The photo's light: the older world with the new light in its nodes, or the new one where the older is gone."""
    world = old.get(WORLD)
    if world is None:
        old[WORLD] = new.world
        return new.world
    kept, fresh = compat.node_tree_of(world), compat.node_tree_of(new.world)
    swap_images(kept, fresh, "TEX_ENVIRONMENT")
    wall, twin = kept.nodes.get("Backdrop"), fresh.nodes.get("Backdrop")
    if wall is not None and twin is not None:
        wall.inputs["Color"].default_value = twin.inputs["Color"].default_value[:]
    for scene in bpy.data.scenes:
        if scene.world == new.world:
            scene.world = world
    bpy.data.worlds.remove(new.world)
    return world


def remove_import(new: ImportedHead) -> None:
    """Remove what is left of an import that went into an older head."""
    for thing in list(new.collection.objects):
        bpy.data.objects.remove(thing)
    bpy.data.collections.remove(new.collection)
