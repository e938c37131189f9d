"""Putting a new reconstruction in the place of an older head, which keeps what the user has done to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy

from ... import compat
from ..._shared import DISPLACEMENT, ROUGHNESS
from ..heads import (
    CAMERA,
    EXPRESSION,
    MAP,
    OPTIONS,
    PART,
    PHOTO,
    WORLD,
    ImportedHead,
    belonging,
    home_of,
    root_of,
    sharing,
)
from ..images import remove_unused
from ..mesh import LIKENESS, PARTS
from ..neck import close_neck, is_closed, open_neck
from ..photos.camera import FRAME
from ..photos.head_photos import PHOTOS, numbered_marks, photo_marks
from ..skin.materials import PLAIN_ROUGHNESS, RELIEF, shader_of, unwire, wire_displacement, wire_roughness
from ..skin.wrinkles import follow_shapes
from ..world import BACKDROP, ENVIRONMENT, node_for
from .reshaping import copy_shape, discard_materials, discard_mesh, same_topology, take_over

SAME_WEIGHT = 1e-4

# Images and those that came in their places, whose names they get once all pointers have moved.
Successions = list[tuple[bpy.types.Image, bpy.types.Image]]


def replace_head(scene: bpy.types.Scene, head: bpy.types.Object, new: ImportedHead) -> ImportedHead:
    """Move what was just imported into an older head, and remove the rest of the import.

    Objects keep their names, places, modifiers, constraints, animation and collections. A head of the same mesh keeps
    the mesh too; else the mesh is exchanged, and what the artist has put on it goes along. Materials keep their nodes
    and get new images. An expression that the user has changed stays. What the head shares with its duplicates stays
    theirs, and it gets its own.

    Args:
        scene: the scene of the head.
        head: the older head.
        new: the import, in a collection of its own.

    Returns:
        The older head, renewed.
    """
    # The new object may be gone as soon as its mesh is.
    seen = photo_marks(new.head)
    expression, values = dict(new.head[EXPRESSION]), shape_values(head)
    options, photo, parts = new.head[OPTIONS].to_dict(), new.head.get(PHOTO), new.head[PARTS]
    chosen = expression if has_photo_expression(head) else {**expression, **values}
    successions: Successions = []
    own_materials(head)
    closed = is_closed(head)
    open_neck(head)
    if same_topology(head.data, new.head.data):
        for fresh in new.head.data.materials:
            renew_material(material_for(head, fresh), fresh, successions)
        copy_shape(new.head, head)
        discard_mesh(new.head.data, new.head)
    else:
        exchange_mesh(head, new.head, successions)
        head[PARTS] = parts
    if closed:
        close_neck(head)
    head[EXPRESSION] = expression
    for key in head.data.shape_keys.key_blocks[1:]:
        key.value = chosen.get(key.name, key.value)
    camera = renew_camera(scene, head, new, CAMERA, seen.get(CAMERA), successions)
    world = renew_world(head, WORLD, seen[WORLD], successions)
    if scene.camera is None:
        scene.camera = camera
    renew_photos(scene, head, new, seen, successions)
    head[OPTIONS] = options
    if photo is not None:
        if head.get(PHOTO) is not None:
            successions.append((head[PHOTO], photo))
        head[PHOTO] = photo
    remove_import(new)
    pass_names_on(successions)
    return ImportedHead(home_of(head, scene), root_of(head), head, camera, world, new.warnings)


def has_photo_expression(head: bpy.types.Object) -> bool:
    """Whether the sliders still stand where the photo put them."""
    photo = dict(head.get(EXPRESSION, {}))
    expression = {name: value for name, value in shape_values(head).items() if not name.startswith(LIKENESS)}
    return all(abs(value - photo.get(name, 0.0)) < SAME_WEIGHT for name, value in expression.items())


def shape_values(head: bpy.types.Object) -> dict[str, float]:
    """The values of the shape keys by name, without the basis."""
    keys = head.data.shape_keys
    return {key.name: key.value for key in keys.key_blocks[1:]} if keys else {}


# --- mesh and materials -----------------------------------------------------------------------------------------


def own_materials(head: bpy.types.Object) -> None:
    """Give a head copies of the materials that it shares with heads of other meshes, as its duplicates are."""
    for slot, material in enumerate(head.data.materials):
        if material is None:
            continue
        if any(mesh != head.data and material in list(mesh.materials) for mesh in bpy.data.meshes):
            head.data.materials[slot] = material.copy()


def material_for(head: bpy.types.Object, fresh: bpy.types.Material) -> bpy.types.Material | None:
    """The head's material for the part that a new one is for: the one marked so, else the one in its slot."""
    materials = list(head.data.materials)
    marked = (m for m in materials if m is not None and m.get(PART) == fresh[PART])
    parts = head[PARTS].split(",") if PARTS in head else []
    at_slot = parts.index(fresh[PART]) if fresh[PART] in parts else len(materials)
    return next(marked, materials[at_slot] if at_slot < len(materials) else None)


def renew_material(kept: bpy.types.Material | None, fresh: bpy.types.Material, successions: Successions) -> None:
    """Put the images of a new material into the nodes of the same roles of an older one."""
    if kept is None:
        return
    renewed = set()
    for twin in compat.node_tree_of(fresh).nodes:
        if MAP in twin and twin.type == "TEX_IMAGE":
            nodes = [node for node in compat.node_tree_of(kept).nodes if node.get(MAP) == twin[MAP]]
            swap_image(nodes, twin, successions)
            renewed.add(twin[MAP])
            if not nodes:
                wire_extra_map(kept, twin[MAP], twin.image)
    for role, others in ((ROUGHNESS.name, ()), (DISPLACEMENT.name, (RELIEF,))):
        if role not in renewed:
            unwire(kept, role, *others)


def wire_extra_map(material: bpy.types.Material, role: str, image: bpy.types.Image) -> None:
    """Wire a map that an older skin has not had, unless the artist has put something else in its place."""
    shader = shader_of(material)
    if role == ROUGHNESS.name and shader is not None:
        socket = shader.inputs["Roughness"]
        if not socket.is_linked and abs(socket.default_value - PLAIN_ROUGHNESS) < SAME_WEIGHT:
            wire_roughness(material, image)
    if role == DISPLACEMENT.name:
        wire_displacement(material, image)


def swap_image(nodes: list[bpy.types.Node], fresh: bpy.types.Node, successions: Successions) -> None:
    """Put the image of a new node into older ones."""
    image = fresh.image
    for node in nodes:
        if node.image is not None and image is not None:
            successions.append((node.image, image))
        node.image = image
    if nodes:
        fresh.image = None


def exchange_mesh(head: bpy.types.Object, new: bpy.types.Object, successions: Successions) -> None:
    """Give the head another mesh, with the materials that it had before where they are still wanted."""
    old_mesh, mesh = head.data, new.data
    for slot, fresh in enumerate(list(mesh.materials)):
        kept = material_for(head, fresh)
        if kept is not None:
            renew_material(kept, fresh, successions)
            mesh.materials[slot] = kept
            discard_materials([fresh])
    take_over(head, new)
    name, old_keys = old_mesh.name, old_mesh.shape_keys
    head.data = mesh
    if old_keys is not None:
        follow_shapes(head, old_keys)
    new.data = old_mesh
    discard_mesh(old_mesh, new)
    mesh.name = name


def pass_names_on(successions: Successions) -> None:
    """Remove images that nothing uses any more, and call those in their places by their names."""
    named = set()
    for old, fresh in dict.fromkeys(successions):
        if old != fresh and old.users == 0:
            name = old.name
            remove_unused([old])
            if fresh not in named:
                fresh.name = name
            named.add(fresh)


# --- camera and light -------------------------------------------------------------------------------------------


def renew_photos(
    scene: bpy.types.Scene,
    head: bpy.types.Object,
    new: ImportedHead,
    fresh: Mapping[str, Any],
    successions: Successions,
) -> None:
    """The cameras and lights of further photos of the person: renewed, new, or gone where the photo was left out."""
    for mark, thing in fresh.items():
        kind = mark.rpartition("_")[0]
        if kind == CAMERA:
            renew_camera(scene, head, new, mark, thing, successions)
        elif kind == WORLD:
            renew_world(head, mark, thing, successions)
        elif kind == PHOTO:
            if head.get(mark) is not None:
                successions.append((head[mark], thing))
            head[mark] = thing
    # Without cameras in the import the older ones stay, as that of the first photo does.
    kinds = (CAMERA, WORLD, PHOTO) if CAMERA in fresh else (WORLD, PHOTO)
    gone = [mark for kind in kinds for mark in numbered_marks(head, kind) if mark not in fresh]
    # Images that others come in the place of are removed when those have got their names.
    remove_unused(set(forget_photos(scene, head, gone)) - {old for old, _ in successions})
    if PHOTOS in fresh:
        head[PHOTOS] = fresh[PHOTOS]
    elif PHOTOS in head:
        del head[PHOTOS]


def forget_photos(scene: bpy.types.Scene, head: bpy.types.Object, marks: list[str]) -> list[bpy.types.Image]:
    """Remove the cameras and lights that a head has under marks, as far as they are its own.

    Returns:
        The images that they, and the marks themselves, have held.
    """
    images = []
    for mark in marks:
        thing = head[mark]
        del head[mark]
        # The artist may have deleted it.
        if thing is None or thing.library is not None or sharing(head, mark, thing):
            continue
        if isinstance(thing, bpy.types.Object):
            data = thing.data
            images += [background.image for background in data.background_images if background.image is not None]
            if scene.camera == thing:
                scene.camera = belonging(head, CAMERA)
            bpy.data.objects.remove(thing)
            if data.users == 0:
                bpy.data.cameras.remove(data)
        elif isinstance(thing, bpy.types.World):
            light = node_for(thing, ENVIRONMENT)
            images += [light.image] if light is not None and light.image is not None else []
            for lit in [lit for lit in bpy.data.scenes if lit.world == thing]:
                lit.world = head.get(WORLD)
            bpy.data.worlds.remove(thing)
        else:
            images.append(thing)
    return images


def renew_camera(
    scene: bpy.types.Scene,
    head: bpy.types.Object,
    new: ImportedHead,
    mark: str,
    fresh: bpy.types.Object | None,
    successions: Successions,
) -> bpy.types.Object | None:
    """The camera under a mark: the older one with a new lens and place, the new one, or the older one as it is."""
    camera = belonging(head, mark)
    if fresh is None:
        return camera
    if camera is None:
        place = fresh.matrix_basis.copy()
        new.collection.objects.unlink(fresh)
        home_of(head, scene).objects.link(fresh)
        fresh.parent, fresh.matrix_basis = head.parent, place
        head[mark] = camera = fresh
    else:
        dropped, camera.data = camera.data, fresh.data
        camera.matrix_basis, camera[FRAME] = fresh.matrix_basis.copy(), fresh[FRAME]
        images = [background.image for background in dropped.background_images]
        for image, background in zip(images, camera.data.background_images, strict=False):
            if image is not None and background.image is not None:
                successions.append((image, background.image))
        name = dropped.name
        bpy.data.objects.remove(fresh)
        if dropped.users == 0:
            bpy.data.cameras.remove(dropped)
            camera.data.name = name
    return camera


def renew_world(head: bpy.types.Object, mark: str, fresh: bpy.types.World, successions: Successions) -> bpy.types.World:
    """The light under a mark: the older world with the new light in its nodes, or the new one where that is not ours.

    The older one may be gone, or lit a duplicate's photo too.
    """
    world = head.get(mark)
    if world is None or world.library is not None or sharing(head, mark, world):
        head[mark] = fresh
        return fresh
    kept, twin = node_for(world, ENVIRONMENT), node_for(fresh, ENVIRONMENT)
    if kept is not None and twin is not None:
        swap_image([kept], twin, successions)
    wall, new_wall = node_for(world, BACKDROP), node_for(fresh, BACKDROP)
    if wall is not None and new_wall is not None:
        wall.inputs["Color"].default_value = new_wall.inputs["Color"].default_value[:]
    for scene in bpy.data.scenes:
        if scene.world == fresh:
            scene.world = world
    bpy.data.worlds.remove(fresh)
    return world


def remove_import(new: ImportedHead) -> None:
    """Remove what is left of an import that went into an older head."""
    for thing in list(new.collection.objects):
        bpy.data.objects.remove(thing)
    bpy.data.collections.remove(new.collection)
