"""The skin's regions at the vertices of the head model, for the vertex groups that artists get in Blender.

python -m backend.training.head.vertex_regions blender_addon/anatomy/vertex_regions.npz
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from backend.head.model import HeadModel, load_head_model
from backend.texture.skin_regions import skin_regions
from backend.texture.uv_space import uv_space

REGIONS = ("face", "lips", "lids", "ears", "scalp", "neck")
RESOLUTION = 1024


def vertex_regions(model: HeadModel, resolution: int = RESOLUTION) -> dict[str, np.ndarray]:
    """How much of each region there is at the skin's vertices.

    Args:
        model: gives vertices and texture coordinates.
        resolution: side of the masks that are looked up.

    Returns:
        `hm08_vertex_ids` int32 [N] of the skin's vertices, and for each of `REGIONS` uint8 [N], 255 = wholly inside.
    """
    regions = skin_regions(model, uv_space(model, resolution))
    faces = model.part_faces("skin")
    vertex, place = model.quads[faces].ravel(), model.uv_quads[faces].ravel()
    uv = model.uv[place[vertex >= 0]]
    vertex = vertex[vertex >= 0]
    column, row = (np.stack([uv[:, 0], 1 - uv[:, 1]]) * resolution - 0.5).astype(np.float32)
    skin, corner = np.unique(vertex, return_inverse=True)
    corners = np.bincount(corner)
    found: dict[str, np.ndarray] = {"hm08_vertex_ids": model.hm08_vertex_ids[skin].astype(np.int32)}
    for name in REGIONS:
        # On a seam of the texture a vertex has several places.
        values = cv2.remap(getattr(regions, name), column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        mean = np.bincount(corner, values.ravel()) / corners
        found[name] = np.round(255 * np.clip(mean, 0, 1)).astype(np.uint8)
    return found


def main(path: str) -> None:
    """Write the regions to an npz file."""
    np.savez_compressed(Path(path), **vertex_regions(load_head_model()))  # pyright: ignore[reportArgumentType]


if __name__ == "__main__":
    main(sys.argv[1])
