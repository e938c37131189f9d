"""Likeness: sliders that change who a head is, as shape keys in millimetres that read 0 on the reconstructed head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import bpy
import numpy as np

from .. import compat
from ..anatomy.geometry import to_blender
from .mesh import LIKENESS
from .renewing.reshaping import carry_along, coordinates, eyeballs, vertex_ids

# Made by `python -m backend.training.head.likeness`.
LIKENESS_FILE = Path(__file__).with_name("likeness.npz")


@dataclass(frozen=True)
class Slider:
    """One measure of the face.

    Args:
        name: for people.
        range_mm: how far it goes to either side.
        offsets: float32 [N, 3], Blender space, metres for a millimetre more; by `hm08_vertex_ids` of the file.
    """

    name: str
    range_mm: float
    offsets: np.ndarray

    @property
    def key(self) -> str:
        """The name of its shape key."""
        return LIKENESS + self.name


@lru_cache(maxsize=1)
def likeness_file() -> tuple[np.ndarray, tuple[Slider, ...]]:
    """The numbers of the vertices [N] and the sliders, in the order of the panel."""
    with np.load(LIKENESS_FILE, allow_pickle=False) as data:
        offsets = to_blender(data["offsets_mm"].astype(np.float32) / 1000)
        sliders = zip(data["names"].tolist(), data["range_mm"].tolist(), offsets, strict=True)
        return data["hm08_vertex_ids"], tuple(Slider(*slider) for slider in sliders)


def likeness_keys(head: bpy.types.Object) -> list[bpy.types.ShapeKey]:
    """The sliders that a head has, in the order of the panel."""
    keys = head.data.shape_keys
    if keys is None:
        return []
    return [keys.key_blocks[slider.key] for slider in likeness_file()[1] if slider.key in keys.key_blocks]


def add_likeness(head: bpy.types.Object) -> None:
    """Give a head the sliders that it lacks, all at 0."""
    numbers, sliders = likeness_file()
    order = np.argsort(numbers)
    ids = vertex_ids(head.data)
    place = order[np.minimum(np.searchsorted(numbers, ids, sorter=order), len(order) - 1)]
    known = (ids >= 0) & (numbers[place] == ids)
    basis = coordinates(head.data.shape_keys.reference_key.data).reshape(-1, 3)
    eyes = eyeballs(head)
    for slider in sliders:
        if slider.key in head.data.shape_keys.key_blocks:
            continue
        moved = np.zeros_like(basis)
        moved[known] = slider.offsets[place[known]]
        carry_along(head, basis, moved, known)
        for eye in eyes:
            # An eyeball stays round: it moves and grows as a whole, and so do the vertices that only Blender has.
            old = eye[known[eye]]
            if len(old):
                moved[eye] = _similar(basis[old], moved[old], basis[eye])
        key = compat.add_shape_key(head, slider.key)
        key.data.foreach_set("co", (basis + moved).astype(np.float32).ravel())
        key.slider_min, key.slider_max = -slider.range_mm, slider.range_mm
        key.value = 0.0


def reset_likeness(head: bpy.types.Object) -> None:
    """Make a head the one that was reconstructed."""
    for key in likeness_keys(head):
        key.value = 0.0


def _similar(points: np.ndarray, moved: np.ndarray, others: np.ndarray) -> np.ndarray:
    """What moves other points [n, 3] as a shift and a scale move points [m, 3] nearest to how they `moved`."""
    middle, shift = points.mean(axis=0), moved.mean(axis=0)
    arm = points - middle
    growth = float(np.sum(arm * (moved - shift)) / np.sum(arm**2))
    return shift + growth * (others - middle)
