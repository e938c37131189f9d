"""Coarser versions of the one topology that every head has, for games: which corners of the fine mesh each face has.

Positions, shapes, skin weights and texture coordinates of a level follow by plain indexing, for any person.
`python -m release.detail_levels` makes the add-on's file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.rendering.occlusion import direction_visibility, sphere_directions
from backend.training.head.levels.edge_collapse import CollapseParameters, Collapser, Mesh


@dataclass(frozen=True)
class FineHead:
    """The add-on's mesh of a head, of quads, in several poses.

    Args:
        poses: float [P, V, 3], metres, x to the subject's left; the mean head at rest, others at rest, then shapes.
        at_rest: how many of the poses are at rest.
        quads: int [F, 4].
        corner_uv: float [F, 4, 2].
        face_part: int [F], index into `part_names`.
        part_names: names of the parts.
        mirror: int [V], the vertex on the other side of the head; -1 where there is none.
        opened: index of the pose that shows most of the mouth.
        attention: float [F] in [0, 1], how much people look at each face.
        shut: bool [F], where lips meet at rest: what is coarse there gapes.
    """

    poses: np.ndarray
    at_rest: int
    quads: np.ndarray
    corner_uv: np.ndarray
    face_part: np.ndarray
    part_names: tuple[str, ...]
    mirror: np.ndarray
    opened: int
    attention: np.ndarray
    shut: np.ndarray


@dataclass(frozen=True)
class LevelParameters:
    """How coarse the levels are, and what counts.

    Args:
        faces: quads and triangles of each level, about.
        left_out: parts that each level lacks: hairs a fraction of a pixel thick only flicker.
        shape_weight: how much an error in each of the 52 shapes counts against one at rest: faces are near rest mostly.
        attention: how much more an error counts where people look, at eyes and lips, than at the neck.
        shut: how much more still it counts where lips meet.
        directions: from which it is looked at what can be seen of a face.
        least_importance: of a face that cannot be seen, such as the back of an eyeball, against one that all see.
    """

    faces: tuple[int, ...] = (3500, 1700, 700)
    left_out: tuple[tuple[str, ...], ...] = ((), (), ("lashes",))
    shape_weight: float = 0.5
    attention: float = 6.0
    shut: float = 8.0
    directions: int = 128
    least_importance: float = 0.01


def detail_levels(
    head: FineHead,
    parameters: LevelParameters = LevelParameters(),
    collapse: CollapseParameters = CollapseParameters(),
) -> list[np.ndarray]:
    """The faces of each level: int32 [N, 4], corner 4 * face + i of the fine head; -1 in the last for a triangle.

    One half of the head is made coarser and mirrored, so that levels are as symmetric as the head; parts that are not
    symmetric are made coarser as a whole.
    """
    mirrored = mirrored_corners(head)
    whole = np.isin(head.face_part, np.unique(head.face_part[(mirrored < 0).any(axis=1)]))
    left = head.poses[0, head.quads, 0].mean(axis=1) > 0
    used = np.flatnonzero(whole | left)
    state = Collapser(_triangulated(head, used, whole, parameters), collapse)
    levels = []
    for count, without in zip(parameters.faces, parameters.left_out, strict=True):
        parts = frozenset(i for i, name in enumerate(head.part_names) if name not in without)
        levels.append(_run(head, state, mirrored, whole, parts, count))
    return levels


def mirrored_corners(head: FineHead) -> np.ndarray:
    """For each corner [F, 4] the one on the other side of the head, as 4 * face + i; -1 where that has no such face."""
    faces = {tuple(sorted(row)): number for number, row in enumerate(head.quads.tolist())}
    found = np.full(head.quads.shape, -1)
    for number, row in enumerate(head.mirror[head.quads].tolist()):
        other = faces.get(tuple(sorted(row)))
        if other is not None:
            beside = head.quads[other].tolist()
            found[number] = [4 * other + beside.index(v) for v in row]
    return found


def importance(head: FineHead, parameters: LevelParameters) -> np.ndarray:
    """How much is seen of each face from around, at rest and with an open mouth, and looked at: [F]."""
    triangles = np.concatenate([head.quads[:, [0, 1, 2]], head.quads[:, [0, 2, 3]]])
    hiding = np.tile(head.face_part != _part(head, "lashes"), 2)
    directions = sphere_directions(parameters.directions)
    seen = []
    for pose in (0, head.opened):
        points = head.poses[pose].astype(np.float32)
        corners = points[head.quads]
        normals = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
        visible = direction_visibility(corners.mean(axis=1), normals, points, triangles[hiding], directions)
        cosine = np.maximum(normals @ directions.T, 0)
        seen.append((visible * cosine).sum(axis=1) / np.maximum(cosine.sum(axis=1), 1e-9))
    looked_at = 1 + (parameters.attention - 1) * head.attention
    # Between shut lips nothing is seen, until they gape.
    seen.append(head.shut.astype(np.float64))
    meeting = np.where(head.shut, parameters.shut, 1.0)
    return np.maximum(np.max(seen, axis=0), parameters.least_importance) * looked_at * meeting


def _part(head: FineHead, name: str) -> int:
    return head.part_names.index(name) if name in head.part_names else -1


def _triangulated(head: FineHead, used: np.ndarray, whole: np.ndarray, parameters: LevelParameters) -> Mesh:
    quads, numbers = head.quads[used], 4 * used[:, None] + np.arange(4)
    points = head.poses[0].astype(np.float64)[quads]
    other = np.linalg.norm(points[:, 1] - points[:, 3], axis=-1) < np.linalg.norm(points[:, 0] - points[:, 2], axis=-1)
    cuts = np.where(other[:, None, None], [[0, 1, 3], [1, 2, 3]], [[0, 1, 2], [0, 2, 3]])
    rows = np.arange(len(used))[:, None, None]
    weights = np.full(len(head.poses), parameters.shape_weight)
    weights[: head.at_rest] = 1.0
    part = head.face_part[used]
    return Mesh(
        poses=head.poses.astype(np.float64),
        pose_weights=weights,
        triangles=quads[rows, cuts].reshape(-1, 3),
        corners=numbers[rows, cuts].reshape(-1, 3),
        corner_uv=head.corner_uv.reshape(-1, 2).astype(np.float64),
        part=np.repeat(part, 2),
        importance=np.repeat(importance(head, parameters)[used], 2),
        middle=(head.mirror == np.arange(len(head.mirror))) & ~np.isin(np.arange(len(head.mirror)), head.quads[whole]),
        uv_metres=np.repeat(_uv_metres(head)[part], 2),
    )


def _uv_metres(head: FineHead) -> np.ndarray:
    """Metres for a unit of texture coordinates, for each part; 0 where nothing is painted."""
    points = np.concatenate([head.poses[0][head.quads], np.zeros((len(head.quads), 4, 0))], axis=-1)
    flat = np.concatenate([head.corner_uv, np.zeros((len(head.quads), 4, 1))], axis=-1)

    def area(corners: np.ndarray) -> np.ndarray:
        across = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
        return 0.5 * np.linalg.norm(across, axis=-1)

    metres = np.zeros(len(head.part_names))
    for number, name in enumerate(head.part_names):
        faces = head.face_part == number
        # The lining of the mouth and the tongue have one colour all over.
        if name not in ("mouth", "tongue") and faces.any():
            metres[number] = np.sqrt(area(points[faces]).sum() / max(area(flat[faces]).sum(), 1e-12))
    return metres


def _run(
    head: FineHead, state: Collapser, mirrored: np.ndarray, whole: np.ndarray, parts: frozenset[int], count: int
) -> np.ndarray:
    """Collapse until there are at most `count` faces of some parts on both sides together."""
    while True:
        faces = list(state.faces(parts))
        both = sum(1 if whole[face[0] // 4] else 2 for face in faces)
        if both <= count:
            return _both_sides(faces, mirrored, whole)
        # No collapse takes away more than two triangles, and four of both sides.
        for _ in range(max(1, (both - count) // 5)):
            if not state.collapse_next():
                return _both_sides(list(state.faces(parts)), mirrored, whole)


def _both_sides(faces: list[tuple[int, ...]], mirrored: np.ndarray, whole: np.ndarray) -> np.ndarray:
    flat = mirrored.ravel()
    rows = []
    for face in faces:
        rows.append(face)
        if not whole[face[0] // 4]:
            # Seen in a mirror, corners go round the other way.
            rows.append(tuple(int(flat[corner]) for corner in (face[0], *face[:0:-1])))
    return np.array([(*row, -1)[:4] for row in rows], np.int32)
