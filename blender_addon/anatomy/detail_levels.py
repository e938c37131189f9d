"""Coarser versions of a head, as faces between some of its own vertices; in numpy alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Made by `python -m release.detail_levels`.
LEVELS_FILE = Path(__file__).with_name("detail_levels.npz")
# Level 0 is the head itself.
COARSER_LEVELS = 3


@dataclass(frozen=True)
class Topology:
    """The faces of a head, whoever it is.

    Args:
        quads: int32 [F, 4], vertices.
        face_part: uint8 [F], index into `part_names`.
        part_names: names of the parts.
    """

    quads: np.ndarray
    face_part: np.ndarray
    part_names: tuple[str, ...]

    def of_parts(self, parts: set[str]) -> tuple[np.ndarray, np.ndarray]:
        """The faces [N] that a head of some parts has, and their vertices int32 [N, 4] as that head numbers them."""
        wanted = [index for index, name in enumerate(self.part_names) if name in parts]
        faces = np.flatnonzero(np.isin(self.face_part, wanted))
        quads = self.quads[faces]
        return faces, np.searchsorted(np.unique(quads), quads).astype(np.int32)


def topology() -> Topology:
    """The faces that the levels were made from: those of every head as it is imported."""
    with np.load(LEVELS_FILE, allow_pickle=False) as data:
        return Topology(data["quads"], data["face_part"], tuple(str(name) for name in data["part_names"]))


def level_corners(level: int) -> np.ndarray:
    """The faces int32 [N, 4] of a level 1, 2 or 3: corner 4 * face + i of the whole head, -1 in a triangle's last."""
    with np.load(LEVELS_FILE, allow_pickle=False) as data:
        return data[f"level_{level}"]
