"""A human such as MPFB makes, without MPFB: its marks, numbers of vertices, helpers, joints, mask and rig.

The head is that of our model, a little larger and turned, on a tube for a body; its texture coordinates are those of
the head model turned by a quarter and made half as large, so that what a bake has to give is known.
"""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np

from blender_addon.anatomy.geometry import to_blender
from tests.blender import finished_job

VERTICES, SKIN = 19158, 13380
# Where the neck's border is, above the ground.
NECK_HEIGHT = 1.45
# How much larger the human's own head is than the model's, and how far it is turned to its left.
LARGER, TURN = 1.05, np.radians(8.0)
RINGS = 6
# First vertices of the cubes of some joints, as in the base mesh.
CUBES = {"joint-l-eye": 13606, "joint-r-eye": 13614, "joint-head": 14070, "joint-jaw": 14542, "joint-pelvis": 13622}
CUBE_SIZE = 0.01


def border_of(quads: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """The rim of faces [F, 4] with the lowest vertices, int [n], in order around."""
    ends = np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1).reshape(-1, 2)
    ends = ends[ends[:, 0] != ends[:, 1]]
    keys, count = np.unique(np.sort(ends, axis=1), axis=0, return_counts=True)
    rims = keys[count == 1]
    start = int(rims.ravel()[np.argmin(vertices[rims.ravel()][:, 2])])
    ring = [start]
    while True:
        beside = rims[(rims == ring[-1]).any(axis=1)].ravel()
        onwards = [int(v) for v in beside if v not in ring]
        if not onwards:
            return np.array(ring)
        ring.append(onwards[0])


def build_human(name: str = "Human", *, helpers: bool = True, rig: bool = True) -> SimpleNamespace:
    """A human in the scene.

    Args:
        name: of the base mesh.
        helpers: whether it has the helpers' vertices.
        rig: whether it has bones.

    Returns:
        `mesh` and `rig` objects, the `head` vertices in Blender space and the numbers of the neck's `border`.
    """
    model = finished_job.head_mesh()
    ids, quads = model.hm08_vertex_ids, model.quads
    quads = np.where(quads < 0, quads[:, 2:3], quads)
    vertices = to_blender(model.vertices).astype(np.float64)
    turn = np.array([[np.cos(TURN), -np.sin(TURN), 0], [np.sin(TURN), np.cos(TURN), 0], [0, 0, 1]])
    skin = np.unique(quads[model.face_part == 0])
    border = border_of(quads[np.isin(model.face_part, (0, 1))], vertices)
    own = LARGER * vertices @ turn.T
    own += np.array([0, 0, NECK_HEIGHT]) - own[border].mean(0)

    points = np.tile(np.array([0.0, 0.0, 0.9]), (VERTICES, 1))
    points[ids] = own
    free = np.setdiff1d(np.arange(SKIN), ids)
    tube = [ids[border]]
    for ring in range(RINGS):
        numbers = free[ring * len(border) : (ring + 1) * len(border)]
        points[numbers] = own[border] * [1.1, 1.1, 1] - [0, 0, 0.05 * (ring + 1)]
        tube.append(numbers)
    for joint, place in _joints(model, own).items():
        corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * CUBE_SIZE / 2
        points[CUBES[joint] : CUBES[joint] + 8] = place + corners

    faces, uv = [], []
    for face, part in zip(model.quads, model.face_part, strict=True):
        corners = face[face >= 0]
        faces.append(ids[corners].tolist())
        of_head = model.uv[model.uv_quads[len(faces) - 1][face >= 0]]
        # A quarter turn to the left: u grows where v fell.
        uv += (0.5 * np.c_[1 - of_head[:, 1], of_head[:, 0]] if part == 0 else of_head * 0.02 + 0.9).tolist()
    for upper, lower in pairwise(tube):
        for k in range(len(border)):
            after = (k + 1) % len(border)
            faces.append([int(upper[k]), int(lower[k]), int(lower[after]), int(upper[after])])
            uv += [[0.6 + 0.3 * j / len(border), 0.6 + 0.02 * i] for j, i in ((k, 1), (k, 0), (k + 1, 0), (k + 1, 1))]
    count = VERTICES if helpers else SKIN
    faces_kept = [(f, i) for i, f in enumerate(faces) if max(f) < count]
    starts = np.concatenate([[0], np.cumsum([len(f) for f in faces])])
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points[:count].tolist(), [], [f for f, _ in faces_kept])
    kept = np.concatenate([np.arange(starts[i], starts[i + 1]) for _, i in faces_kept])
    mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", np.array(uv, np.float32)[kept].ravel())
    human = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(human)
    human["MPFB_GEN_object_type"], human["MPFB_GEN_scale_factor"] = "Basemesh", 0.1
    body = human.vertex_groups.new(name="body")
    body.add(list(range(SKIN)), 1.0, "REPLACE")
    mask = human.modifiers.new("Hide helpers", "MASK")
    mask.vertex_group = "body"
    made = _add_rig(human, points, model, own, skin) if rig else None
    return SimpleNamespace(mesh=human, rig=made, head=own, border=ids[border], ids=ids)


def _joints(model: Any, own: np.ndarray) -> dict[str, np.ndarray]:
    parts = {str(n): np.unique(model.quads[model.face_part == i]) for i, n in enumerate(model.part_names)}
    eyes = {side: own[parts[f"eye_{name}"]].mean(0) for side, name in (("l", "left"), ("r", "right"))}
    middle = (eyes["l"] + eyes["r"]) / 2
    return {
        "joint-l-eye": eyes["l"],
        "joint-r-eye": eyes["r"],
        "joint-head": middle + np.array([0, 0.085, -0.035]),
        "joint-jaw": middle + np.array([0, 0.06, -0.05]),
        "joint-pelvis": np.array([0.0, 0.0, 0.9]),
    }


def _add_rig(
    human: bpy.types.Object, points: np.ndarray, model: Any, own: np.ndarray, skin: np.ndarray
) -> bpy.types.Object:
    """Bones from cube to cube, named as in Mixamo's rig, with hard weights that the helpers have too."""
    rig = bpy.data.objects.new("Human.rig", bpy.data.armatures.new("Human.rig"))
    bpy.context.scene.collection.objects.link(rig)
    rig["MPFB_GEN_object_type"] = "Skeleton"
    place = {joint: points[first : first + 8].mean(0) for joint, first in CUBES.items()}
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for name, parent, head, tail in (
        ("Hips", None, place["joint-pelvis"], place["joint-head"]),
        ("Head", "Hips", place["joint-head"], place["joint-head"] + [0, 0, 0.15]),
        ("Jaw", "Head", place["joint-jaw"], place["joint-jaw"] + [0, -0.08, -0.06]),
        ("LeftEye", "Head", place["joint-l-eye"], place["joint-l-eye"] - [0, 0.03, 0]),
        ("RightEye", "Head", place["joint-r-eye"], place["joint-r-eye"] - [0, 0.03, 0]),
    ):
        bone = rig.data.edit_bones.new(name)
        bone.head, bone.tail = head, tail
        bone.parent = rig.data.edit_bones[parent] if parent else None
    bpy.ops.object.mode_set(mode="OBJECT")
    human.parent = rig
    modifier = human.modifiers.new("Armature", "ARMATURE")
    modifier.object = rig
    human.modifiers.move(len(human.modifiers) - 1, 0)
    parts = {str(n): np.unique(model.quads[model.face_part == i]) for i, n in enumerate(model.part_names)}
    eyes = {"LeftEye": parts["eye_left"], "RightEye": parts["eye_right"]}
    teeth = parts["teeth"]
    lower = teeth[own[teeth][:, 2] < own[teeth][:, 2].mean()]
    others = np.setdiff1d(np.arange(len(own)), np.concatenate([*eyes.values(), lower]))
    count = len(human.data.vertices)
    for name, members in (*eyes.items(), ("Jaw", lower), ("Head", others)):
        numbers = model.hm08_vertex_ids[members]
        human.vertex_groups.new(name=name).add(numbers[numbers < count].tolist(), 1.0, "REPLACE")
    rest = np.setdiff1d(np.arange(SKIN), model.hm08_vertex_ids)
    human.vertex_groups.new(name="Hips").add(rest.tolist(), 1.0, "REPLACE")
    return rig
