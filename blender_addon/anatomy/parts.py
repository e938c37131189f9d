"""Leaving parts of the head out, in numpy alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .geometry import HeadGeometry

FULL, SKIN = "FULL", "SKIN"
SKIN_PART = "skin"


def kept_parts(geometry: HeadGeometry, parts: str) -> HeadGeometry:
    """The whole head, or its skin alone.

    Args:
        geometry: the whole head.
        parts: `FULL` or `SKIN`.

    Returns:
        Vertices that no face uses any more are gone; the others keep their order, and `hm08_vertex_ids` says who they
        were.
    """
    if parts == FULL:
        return geometry
    skin = geometry.part_names.index(SKIN_PART)
    faces = geometry.face_part == skin
    quads = geometry.quads[faces]
    used = np.zeros(len(geometry.vertices), bool)
    used[quads[quads >= 0]] = True
    new_index = np.where(used, np.cumsum(used) - 1, -1).astype(np.int32)
    return replace(
        geometry,
        vertices=geometry.vertices[used],
        quads=np.where(quads >= 0, new_index[quads], -1).astype(np.int32),
        corner_uv=geometry.corner_uv[faces],
        face_part=np.zeros(int(faces.sum()), np.uint8),
        part_names=(SKIN_PART,),
        shape_offsets=geometry.shape_offsets[:, used],
        hm08_vertex_ids=geometry.hm08_vertex_ids[used],
        eyes={},
    )
