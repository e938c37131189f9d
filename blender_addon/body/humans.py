"""Finding the humans of MPFB or MakeHuman in a scene, and whether their mesh is still the one that heads fit on."""

from __future__ import annotations

import bpy
import numpy as np

from .._shared import RelightifyError
from ..scene.heads import ancestors, is_head
from ..scene.renewing.reshaping import corners

# Custom properties by which MPFB 2 and the older MakeHuman plug-in say what an object is, and how large it is.
KIND, OLD_KIND = "MPFB_GEN_object_type", "MhObjectType"
SCALE, OLD_SCALE = "MPFB_GEN_scale_factor", "MhScaleFactor"
BASEMESH, SKELETON = "Basemesh", "Skeleton"
# The base mesh hm08: vertices of the skin, and with the helpers that clothes, eyes and bones are fitted to.
SKIN_VERTICES, ALL_VERTICES = 13380, 19158
# Scale factor of a human in metres; its own unit is the decimetre.
METRES_FACTOR = 0.1


def kind_of(thing: bpy.types.Object) -> str:
    """What MPFB or MakeHuman says that an object is, such as ``Basemesh``, ``Eyes`` or ``Clothes``; else nothing."""
    return str(thing.get(KIND) or thing.get(OLD_KIND) or "")


def is_human(thing: bpy.types.Object | None) -> bool:
    """Whether an object is the base mesh of a human, by its mark, or without one by its number of vertices."""
    if thing is None or thing.type != "MESH" or is_head(thing):
        return False
    kind = kind_of(thing)
    return kind == BASEMESH or (not kind and len(thing.data.vertices) == ALL_VERTICES)


def humans_of(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The humans of a scene."""
    return [thing for thing in scene.objects if is_human(thing)]


def meant_human(
    scene: bpy.types.Scene, chosen: str, active: bpy.types.Object | None, selected: list[bpy.types.Object]
) -> bpy.types.Object:
    """The human that an artist means: by its name, else the active or selected one, else the scene's only one.

    Args:
        scene: where to look.
        chosen: its name, or that of something that belongs to it, or nothing.
        active: the active object.
        selected: the selected objects.

    Raises:
        RelightifyError: ``no_human``.
    """
    humans = humans_of(scene)
    if chosen:
        thing = scene.objects.get(chosen)
        human = human_of(thing, humans) if thing is not None else None
        if human is None:
            raise RelightifyError(
                "no_human",
                f"{chosen} is no human of MPFB or MakeHuman in this scene.",
                "Choose the body's own mesh, not its clothes or a proxy of another topology.",
            )
        return human
    for thing in [*([active] if active is not None else []), *selected]:
        human = human_of(thing, humans)
        if human is not None:
            return human
    if len(humans) == 1:
        return humans[0]
    if not humans:
        raise RelightifyError(
            "no_human",
            "There is no human of MPFB or MakeHuman in this scene.",
            "Make one with the extension MPFB, or append one from another file.",
        )
    names = ", ".join(human.name for human in humans)
    raise RelightifyError("no_human", f"There are several humans in this scene: {names}.", "Select the one you mean.")


def human_of(thing: bpy.types.Object, humans: list[bpy.types.Object]) -> bpy.types.Object | None:
    """The one of some humans that an object is, moves or hangs on."""
    if thing in humans:
        return thing
    for place in (thing, *ancestors(thing)):
        family = [human for human in humans if place in (human, human.parent, rig_of(human))]
        if family:
            return family[0] if len(family) == 1 else None
    return None


def rig_of(human: bpy.types.Object) -> bpy.types.Object | None:
    """The armature that moves a human: that of its modifier, else the one that it hangs on."""
    for modifier in human.modifiers:
        if modifier.type == "ARMATURE" and modifier.object is not None:
            return modifier.object
    return human.parent if human.parent is not None and human.parent.type == "ARMATURE" else None


def require_attachable(human: bpy.types.Object, quads: np.ndarray) -> None:
    """Make sure that a head can go on a human.

    Args:
        human: the human.
        quads: the head's faces as numbers of the base mesh's vertices, int [F, 4], a triangle's last -1.

    Raises:
        RelightifyError: ``linked_human``, ``other_human_mesh``.
    """
    mesh = human.data
    used = [human, mesh, *([mesh.shape_keys] if mesh.shape_keys else [])]
    if any(data.library is not None or data.override_library is not None for data in used):
        raise RelightifyError(
            "linked_human",
            f"{human.name} is linked from another file, so its mesh cannot be changed here.",
            "Use Object > Relations > Make Local > All, or attach the head in the human's own file.",
        )
    count = len(mesh.vertices)
    if count < SKIN_VERTICES:
        what = f"{human.name} has {count:,} vertices, and MakeHuman's base mesh has {SKIN_VERTICES:,} or more."
    elif not _has_faces(mesh, quads):
        what = f"{human.name} has had faces of its head changed or its vertices renumbered."
    else:
        return
    raise RelightifyError(
        "other_human_mesh",
        what,
        "Use a human whose mesh was not edited, decimated or applied a subdivision to; modifiers are fine.",
    )


def units_per_metre_of(human: bpy.types.Object) -> float:
    """How many units of a human's own mesh a metre of its body is, by the scale that it was made with."""
    factor = human.get(SCALE) or human.get(OLD_SCALE) or METRES_FACTOR
    return float(factor) / METRES_FACTOR


def _has_faces(mesh: bpy.types.Mesh, quads: np.ndarray) -> bool:
    """Whether all of some faces are among those of a mesh, in whatever order."""
    sizes = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_total", sizes)
    found = corners(mesh)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    of_face = found[starts[:, None] + np.minimum(np.arange(4), sizes[:, None] - 1)][sizes <= 4]
    there = {row.tobytes() for row in np.sort(of_face, axis=1).astype(np.int32)}
    wanted = np.where(quads < 0, quads[:, 2:3], quads)
    return all(row.tobytes() in there for row in np.sort(wanted, axis=1).astype(np.int32))
