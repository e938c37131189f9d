"""The parts of a head that artists select, paint or groom by, as weights of vertices; in numpy alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .geometry import HeadGeometry, part_faces

# Made by `python -m backend.training.head.vertex_regions`.
REGIONS_FILE = Path(__file__).with_name("vertex_regions.npz")
SKIN_GROUPS = {"Face": "face", "Lips": "lips", "Lids": "lids", "Ears": "ears", "Scalp": "scalp", "Neck": "neck"}
PART_GROUPS = {"Eyes": ("eye_left", "eye_right"), "Teeth": ("teeth",), "Tongue": ("tongue",), "Lashes": ("lashes",)}


def region_weights(hm08_vertex_ids: np.ndarray) -> dict[str, np.ndarray]:
    """Weights float32 [V] in [0, 1] of the regions of the skin by the name of the vertex group.

    Args:
        hm08_vertex_ids: int [V], -1 for vertices that no region has.
    """
    with np.load(REGIONS_FILE, allow_pickle=False) as data:
        place = {int(number): index for index, number in enumerate(data["hm08_vertex_ids"])}
        found = np.array([place.get(int(number), -1) for number in hm08_vertex_ids])
        return {
            name: (np.where(found >= 0, data[region][found], 0) / np.float32(255)).astype(np.float32)
            for name, region in SKIN_GROUPS.items()
        }


def vertex_groups(geometry: HeadGeometry) -> dict[str, np.ndarray]:
    """Weights float32 [V] in [0, 1] by the name of the vertex group; groups of parts that a head lacks are left out."""
    groups = region_weights(geometry.hm08_vertex_ids)
    for name, parts in PART_GROUPS.items():
        faces = np.concatenate([part_faces(geometry, part) for part in parts])
        if len(faces):
            corners = geometry.quads[faces]
            groups[name] = np.zeros(len(geometry.vertices), np.float32)
            groups[name][corners[corners >= 0]] = 1
    return groups
