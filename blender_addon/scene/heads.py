"""Finding our heads in a scene again, by marks on the objects themselves; names and collections say nothing.

The marks are custom properties, so they go wherever Blender takes the object: into a duplicate, another scene or
another file, linked or appended. Those that are pointers Blender keeps up to date.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import bpy
from mathutils import Matrix

from .._shared import RelightifyError

# How the names of all our custom properties begin.
PREFIX = "relightify_"
# Custom properties of the head object. Nothing that Blender counts as a user may point back at it: it would live on
# when the artist has deleted it.
HEAD = "relightify_head"
WORLD = "relightify_world"
CAMERA = "relightify_camera"
PHOTO = "relightify_photo"
OPTIONS = "relightify_options"
EXPRESSION = "relightify_expression"
# Of every object that we made besides the head, such as its camera; they come and go with the head.
MADE = "relightify_made"
# Of the scene.
VIEW_TRANSFORM = "relightify_view_transform"
# Of a material: the part of the head that it is for.
PART = "relightify_part"
# Of a node with an image: which map it shows.
MAP = "relightify_map"

FORMAT = 1
# How far apart heads stand.
SPACING_M = 0.35


@dataclass(frozen=True)
class ImportedHead:
    """What an import made.

    Args:
        collection: holds all objects of the head at first.
        root: empty that moves head and camera together; None where an older head has lost it.
        head: the mesh object.
        camera: the photo's camera, None where it was not wanted.
        world: the photo's light.
        warnings: sentences for the user.
    """

    collection: bpy.types.Collection
    root: bpy.types.Object | None
    head: bpy.types.Object
    camera: bpy.types.Object | None
    world: bpy.types.World
    warnings: tuple[str, ...] = ()


def is_head(thing: bpy.types.Object | None) -> bool:
    """Whether an object is a head of ours."""
    return thing is not None and thing.type == "MESH" and HEAD in thing


def heads_of(owner: bpy.types.Scene | bpy.types.ViewLayer) -> list[bpy.types.Object]:
    """All heads in a scene, or those in a view layer (not in collections excluded from it), in order."""
    return [thing for thing in owner.objects if is_head(thing)]


def active_head(layer: bpy.types.ViewLayer, active: bpy.types.Object | None) -> bpy.types.Object | None:
    """The head that is meant: the active one, the one that the active object belongs to, else the newest, or None."""
    if is_head(active):
        return active
    found = heads_of(layer)
    owner = owner_of(active, found) if active is not None else None
    return owner or (found[-1] if found else None)


def owner_of(thing: bpy.types.Object, heads: Iterable[bpy.types.Object]) -> bpy.types.Object | None:
    """The one of some heads that an object belongs to.

    It hangs on the head, is its camera, studio light or turntable, or hangs where only that head hangs.
    """
    found = list(heads)
    above = [thing, *ancestors(thing)]
    for candidates in (
        [head for head in found if head in above],
        [head for head in found if thing in belongings(head)],
        *([head for head in found if place in ancestors(head)] for place in above),
    ):
        if candidates:
            return candidates[0] if len(candidates) == 1 else None
    return None


def ancestors(thing: bpy.types.Object) -> list[bpy.types.Object]:
    """What an object hangs on, the nearest first."""
    found = []
    while thing.parent is not None:
        thing = thing.parent
        found.append(thing)
    return found


def place_of(thing: bpy.types.Object) -> Matrix:
    """Where an object stands in the world by its own and its parents' transforms; Blender's may be of before."""
    matrix = thing.matrix_basis.copy()
    while thing.parent is not None:
        matrix = thing.parent.matrix_basis @ thing.matrix_parent_inverse @ matrix
        thing = thing.parent
    return matrix


def units_per_metre(scene: bpy.types.Scene) -> float:
    """How many of a scene's units a metre is; without a system of units, one."""
    return 1.0 if scene.unit_settings.system == "NONE" else 1.0 / scene.unit_settings.scale_length


def free_place(scene: bpy.types.Scene, heads: Iterable[bpy.types.Object]) -> float:
    """The first place along x beside some heads, in a scene's units: another must not stand inside of them."""
    taken = [place_of(head).translation.x for head in heads]
    spacing = SPACING_M * units_per_metre(scene)
    free = (step * spacing for step in range(2 * len(taken) + 1))
    return next(x for x in free if all(abs(x - other) > 0.75 * spacing for other in taken))


def belongings(head: bpy.types.Object) -> list[bpy.types.Object]:
    """The objects that we made for a head and that are still in a scene: camera, studio lights, turntable; no root."""
    found = []
    for thing in marked_objects(head):
        found += [thing, *(child for child in thing.children_recursive if MADE in child)]
    return list(dict.fromkeys(found))


def marked_objects(head: bpy.types.Object) -> Iterator[bpy.types.Object]:
    """The objects that a head's own marks point at, but for those of the head that it is a duplicate of."""
    for key in head.keys():  # noqa: SIM118, no mapping of Python's
        if key.startswith(PREFIX) and isinstance(head[key], bpy.types.Object):
            thing = belonging(head, key)
            if thing is not None:
                yield thing


def own_face(head: bpy.types.Object) -> int:
    """Which face of its photo a head was made from, -1 for the largest."""
    return int(head[OPTIONS].to_dict().get("face", -1)) if OPTIONS in head else -1


def belonging(head: bpy.types.Object | None, mark: str) -> bpy.types.Object | None:
    """The object that a mark of a head points at, unless it has been deleted.

    A head that was duplicated alone points at what is the other head's, and has none of its own.
    """
    thing = head.get(mark) if head is not None else None
    if head is None or thing is None or not thing.users_collection:
        return None
    older = (other for other in sharing(head, mark, thing) if other.session_uid < head.session_uid)
    return None if any(older) else thing


def sharing(head: bpy.types.Object, mark: str, thing: bpy.types.ID) -> list[bpy.types.Object]:
    """The other heads, in whichever scene, with a mark that points at the same."""
    others = (other for other in bpy.data.objects if is_head(other) and other != head and other.users_collection)
    return [other for other in others if other.get(mark) == thing]


def root_of(head: bpy.types.Object) -> bpy.types.Object | None:
    """The empty of ours that a head hangs on, or None where the artist has hung it elsewhere."""
    return head.parent if head.parent is not None and MADE in head.parent else None


def home_of(head: bpy.types.Object, scene: bpy.types.Scene) -> bpy.types.Collection:
    """The collection that new objects of a head go to: one that holds it in this scene."""
    inside = {scene.collection, *scene.collection.children_recursive}
    return next((c for c in head.users_collection if c in inside), scene.collection)


def require_own(head: bpy.types.Object) -> None:
    """Make sure that a head's mesh and materials belong to this file, so that changes to them are saved.

    Raises:
        RelightifyError: ``linked_head``.
    """
    used = [head, head.data, *(m for m in head.data.materials if m is not None)]
    if any(data.library is not None or data.override_library is not None for data in used):
        raise RelightifyError(
            "linked_head",
            f"{head.name} is linked from another file, so its mesh and skin cannot be changed here.",
            "Use Object > Relations > Make Local > All, or change it in its own file.",
        )


def skin_nodes(head: bpy.types.Object, name: str) -> list[bpy.types.ShaderNode]:
    """The nodes of the skin's materials that hold a map."""
    skins = [m for m in head.data.materials if m is not None and m.get(PART) == "skin" and m.node_tree]
    return [node for skin in skins for node in skin.node_tree.nodes if node.get(MAP) == name]
