"""Makes the add-on's levels of detail: `python -m release.detail_levels [blender_addon/anatomy/detail_levels.npz]`.

The mesh is the add-on's, with its finer eyes and teeth, and the collapsing is the training's; neither knows the other.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from backend.head.model import HeadModel, load_head_model
from backend.photo.parameters import EyeSizeSettings
from backend.training.head.levels.detail_levels import FineHead, detail_levels
from backend.training.head.vertex_regions import vertex_regions
from blender_addon.anatomy.detail_levels import LEVELS_FILE
from blender_addon.anatomy.geometry import HeadGeometry, head_geometry
from shared.head_mesh import HeadMesh

# Standard deviations along each of the first modes of identity that the levels have to be right for, both ways.
IDENTITY_MODES, IDENTITY_REACH = 3, 2.0
SIDES = ("Left", "Right")
# What shapes move further is of a lip, and what is nearer to the other lip than that meets it; metres.
MOVED_M, TOUCH_M = 0.001, 0.002


def geometry_of(model: HeadModel, identity: np.ndarray | None = None) -> HeadGeometry:
    """The add-on's geometry of a person of the head model, of the mean by default."""
    vertices = model.mean if identity is None else model.mean + np.tensordot(identity, model.identity_basis, 1)
    nothing = np.zeros(0, np.float32)
    return head_geometry(
        HeadMesh(
            vertices=vertices.astype(np.float32),
            quads=model.quads,
            uv=model.uv,
            uv_quads=model.uv_quads,
            face_part=model.face_part,
            part_names=np.array(model.part_names),
            expression_names=np.array(model.expression_names),
            expression_offsets=model.expression_basis.astype(np.float32),
            expression_weights=np.zeros(len(model.expression_names), np.float32),
            hm08_vertex_ids=model.hm08_vertex_ids,
            iris_radius_m=np.array(EyeSizeSettings().iris_radius_m[0], np.float32),
            **dict.fromkeys(
                (
                    *("iris_colour_srgb", "pupil_share", "teeth_colour_srgb", "camera_rotation", "camera_translation"),
                    *("camera_focal_px", "camera_centre_px", "image_size", "environment"),
                ),
                nothing,
            ),
        )
    )


def fine_head(model: HeadModel) -> FineHead:
    """The mean head, a few people on either side of it, and all shapes of the mean."""
    mean = geometry_of(model)
    people = []
    for mode in range(IDENTITY_MODES):
        for reach in (IDENTITY_REACH, -IDENTITY_REACH):
            identity = np.zeros(len(model.identity_basis), np.float32)
            identity[mode] = reach
            people.append(geometry_of(model, identity).vertices)
    shapes = mean.vertices + mean.shape_offsets
    return FineHead(
        poses=np.concatenate([[mean.vertices], people, shapes]).astype(np.float64),
        at_rest=1 + len(people),
        quads=mean.quads,
        corner_uv=mean.corner_uv,
        face_part=mean.face_part,
        part_names=mean.part_names,
        mirror=mirror_of(model, mean),
        attention=attention_to(model, mean),
        shut=where_lips_meet(mean),
        opened=1 + len(people) + mean.shape_names.index("jawOpen"),
    )


def attention_to(model: HeadModel, geometry: HeadGeometry) -> np.ndarray:
    """How much people look at each face of the add-on's mesh, [F] in [0, 1]: eyes, lids and lips most, then the face.

    Source: Yarbus 1967, "Eye Movements and Vision": of a face, eyes and mouth are fixated most by far.
    """
    regions = vertex_regions(model)
    at = np.zeros(int(model.hm08_vertex_ids.max()) + 2)
    at[regions["hm08_vertex_ids"]] = np.max([regions["lids"], regions["lips"], 0.3 * regions["face"]], axis=0) / 255
    # The last place is that of vertices that the base mesh does not have, numbered -1.
    found = at[geometry.hm08_vertex_ids][geometry.quads].max(axis=1)
    eyes = [geometry.part_names.index(name) for name in ("eye_left", "eye_right")]
    return np.where(np.isin(geometry.face_part, eyes), 1.0, found)


def where_lips_meet(geometry: HeadGeometry) -> np.ndarray:
    """Which faces have corners on a lip where it nearly touches the other at rest, bool [F]."""
    up, down = (
        np.linalg.norm(
            sum(geometry.shape_offsets[geometry.shape_names.index(f"{name}{side}")] for side in SIDES), axis=1
        )
        for name in ("mouthUpperUp", "mouthLowerDown")
    )
    around = np.isin(
        np.arange(len(up)), geometry.quads[np.isin(geometry.face_part, _numbers(geometry, "skin", "mouth"))]
    )
    upper, lower = (np.flatnonzero(around & (a > b) & (a > MOVED_M)) for a, b in ((up, down), (down, up)))
    apart = np.linalg.norm(geometry.vertices[upper, None] - geometry.vertices[None, lower], axis=-1)
    meeting = np.concatenate([upper[apart.min(axis=1) < TOUCH_M], lower[apart.min(axis=0) < TOUCH_M]])
    return np.asarray(np.isin(geometry.quads, meeting).any(axis=1))


def _numbers(geometry: HeadGeometry, *parts: str) -> list[int]:
    return [geometry.part_names.index(part) for part in parts]


def mirror_of(model: HeadModel, geometry: HeadGeometry) -> np.ndarray:
    """The vertex on the other side for each vertex of the add-on's mesh, int [V]: the model's, else the nearest."""
    across = geometry.vertices * np.array([-1, 1, 1], np.float32)
    added = np.arange(len(model.mirror), len(across))
    found = np.concatenate([model.mirror, np.zeros(len(added), np.int64)])
    for number in added:
        found[number] = np.linalg.norm(geometry.vertices - across[number], axis=1).argmin()
    return found


def main(path: Path) -> None:
    """Write the levels to an npz file."""
    head = fine_head(load_head_model())
    levels = detail_levels(head)
    arrays = {f"level_{number}": level for number, level in enumerate(levels, start=1)}
    whole = {"quads": head.quads, "face_part": head.face_part, "part_names": np.array(head.part_names)}
    np.savez_compressed(path, **whole, **arrays)  # pyright: ignore[reportArgumentType]
    for name, level in arrays.items():
        print(f"{name}: {(level[:, 3] >= 0).sum()} quads, {(level[:, 3] < 0).sum()} triangles")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else LEVELS_FILE)
