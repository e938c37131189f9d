"""A head in Blender follows a fit that a hand corrects: its mesh, shape keys, expression and camera."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix

from ..._shared import FitState, Refitted
from ...anatomy.geometry import BLENDER_FROM_HEAD, to_blender
from ..heads import CAMERA, EXPRESSION, belonging
from ..photos.photo_pixels import PhotoCamera
from .head_fit import expression_names
from .replacing import has_photo_expression
from .reshaping import carry_along, coordinates, eyeballs, vertex_ids


@dataclass(frozen=True)
class KeptShape:
    """What a head was before it was corrected, to go back to.

    Args:
        keys: float32 [3 V] of each shape key by name, the basis among them.
        values: of the shape keys.
        expression: of the photo, in the head model's order.
        camera: its matrix, None where the head has lost it.
    """

    keys: dict[str, np.ndarray]
    values: dict[str, float]
    expression: dict[str, float]
    camera: Matrix | None


def keep_shape(head: bpy.types.Object) -> KeptShape:
    """The shape of a head and its photo's camera."""
    keys = head.data.shape_keys.key_blocks
    camera = belonging(head, CAMERA)
    return KeptShape(
        {key.name: coordinates(key.data) for key in keys},
        {key.name: key.value for key in keys[1:]},
        {name: float(head.get(EXPRESSION, {}).get(name, 0.0)) for name in expression_names(head)},
        camera.matrix_basis.copy() if camera is not None else None,
    )


def restore_shape(head: bpy.types.Object, kept: KeptShape) -> None:
    """Make a head what it was."""
    for key in head.data.shape_keys.key_blocks:
        if key.name in kept.keys:
            key.data.foreach_set("co", kept.keys[key.name])
    for name, value in kept.values.items():
        if name in head.data.shape_keys.key_blocks:
            head.data.shape_keys.key_blocks[name].value = value
    head[EXPRESSION] = kept.expression
    camera = belonging(head, CAMERA)
    if camera is not None and kept.camera is not None:
        camera.matrix_basis = kept.camera.copy()
    _show(head)


def follow(head: bpy.types.Object, kept: KeptShape, refitted: Refitted) -> None:
    """Give a head the shape, expression and camera of a corrected fit.

    Shape keys keep what they add. Vertices that only Blender's mesh has, those of finer eyeballs, go along with their
    eye. An expression that the artist has changed stays.

    Args:
        head: with the vertices of the head model, marked by their numbers.
        kept: what it was at the beginning.
        refitted: the fit.
    """
    names = [str(key.name) for key in head.data.shape_keys.key_blocks]
    basis = kept.keys[names[0]].reshape(-1, 3)
    moved = (refitted_positions(head, basis, refitted) - basis).ravel()
    for key in head.data.shape_keys.key_blocks:
        if key.name in kept.keys:
            key.data.foreach_set("co", kept.keys[key.name] + moved)
    own = has_photo_expression(head)
    photo = dict(zip(kept.expression, map(float, refitted.expression), strict=True))
    head[EXPRESSION] = photo
    if own:
        for name, value in photo.items():
            if name in names:
                head.data.shape_keys.key_blocks[name].value = value
    camera = belonging(head, CAMERA)
    if camera is not None:
        rotation = BLENDER_FROM_HEAD @ refitted.camera_rotation.T
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = rotation, -rotation @ refitted.camera_translation
        camera.matrix_basis = Matrix(pose.tolist())
    _show(head)


def refitted_positions(head: bpy.types.Object, basis: np.ndarray, refitted: Refitted) -> np.ndarray:
    """Where the vertices of Blender's mesh are in a corrected fit, neutral, float32 [V, 3]."""
    place = places_in_mesh(head, refitted)
    there = basis.copy()
    known = place >= 0
    there[known] = to_blender(refitted.vertices)[place[known]]
    moved = there - basis
    carry_along(head, basis, moved, known)
    there = basis + moved
    for eye in eyeballs(head):
        old, finer = eye[known[eye]], eye[~known[eye]]
        if len(old) and len(finer):
            affine = np.linalg.lstsq(np.c_[basis[old], np.ones(len(old))], there[old], rcond=None)[0]
            there[finer] = np.c_[basis[finer], np.ones(len(finer))] @ affine
    return there


def places_in_mesh(head: bpy.types.Object, refitted: Refitted) -> np.ndarray:
    """For each vertex of Blender's mesh its number in the head model, int64 [V], or -1."""
    order = np.argsort(refitted.hm08_vertex_ids)
    ids = vertex_ids(head.data)
    at = np.minimum(np.searchsorted(refitted.hm08_vertex_ids, ids, sorter=order), len(order) - 1)
    found = order[at]
    return np.where((ids >= 0) & (refitted.hm08_vertex_ids[found] == ids), found, -1)


def posed_points(refitted: Refitted, offsets: np.ndarray) -> np.ndarray:
    """The vertices of the head model with the photo's expression, head space, float [V, 3].

    Args:
        refitted: the fit.
        offsets: float [E, V, 3], head space, see `expression_offsets`.
    """
    return refitted.vertices + np.tensordot(refitted.expression, offsets, 1)


def expression_offsets(head: bpy.types.Object, kept: KeptShape, refitted: Refitted) -> np.ndarray:
    """What each expression shape adds to the head model's vertices, head space, float32 [E, V, 3]; 0 where unknown."""
    place = places_in_mesh(head, refitted)
    known = place >= 0
    basis = next(iter(kept.keys.values())).reshape(-1, 3)
    offsets = np.zeros((len(kept.expression), len(refitted.vertices), 3), np.float32)
    for row, name in enumerate(kept.expression):
        if name in kept.keys:
            added = (kept.keys[name].reshape(-1, 3) - basis)[known] @ BLENDER_FROM_HEAD
            offsets[row, place[known]] = added
    return offsets


def photo_camera(fit: FitState, refitted: Refitted) -> PhotoCamera:
    """The camera of a corrected fit."""
    return PhotoCamera(
        refitted.camera_rotation,
        refitted.camera_translation,
        float(fit.camera_focal_px),
        np.asarray(fit.camera_centre_px, np.float64),
    )


def model_triangles(head: bpy.types.Object, refitted: Refitted) -> np.ndarray:
    """The triangles of the mesh as numbers of the head model's vertices, int [T, 3]; those with others are left out."""
    mesh = head.data
    mesh.calc_loop_triangles()
    found = np.empty(3 * len(mesh.loop_triangles), np.int32)
    mesh.loop_triangles.foreach_get("vertices", found)
    triangles = places_in_mesh(head, refitted)[found.reshape(-1, 3)]
    return triangles[(triangles >= 0).all(axis=1)]


def _show(head: bpy.types.Object) -> None:
    """Have Blender draw the mesh by its basis, and evaluate its shape keys anew."""
    head.data.vertices.foreach_set("co", coordinates(head.data.shape_keys.key_blocks[0].data))
    head.data.update()
    head.data.shape_keys.update_tag()
