"""What the head model's shapes leave out and an artist expects: a tongue that passes between the teeth, shut lips.

Pure numpy, head space (metres, +y up, +z out of the face). Shapes stay linear, so that exports carry them as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .._shared import HeadMesh


@dataclass(frozen=True)
class Correctives:
    """How much of other shapes is added, and how the tongue passes over the lower lip.

    Args:
        jaw_for_tongue: part of `jawOpen` that belongs to `tongueOut`: crowns have to be 11 mm apart for a tongue.
        tongue_root, tongue_blade, tongue_tip: where on the tongue at rest, along z, it begins to go its own way,
            wholly does, and ends, metres.
        blade_lift, tip_lift: how far the blade rises from where the jaw would take it, and the tip beyond that, so
            that it passes over the lower lip on its straight way out, metres.
        tip_reach: part of the tip's way forward that is left.
        tip_thickness: part of the tip's thickness that is left: a tongue that is put out is drawn thin.
        press_for_puff: part of `mouthPressLeft` and `mouthPressRight` that belongs to `cheekPuff`: lips that hold air
            are pressed together.
    """

    jaw_for_tongue: float = 0.6
    tongue_root: float = -0.040
    tongue_blade: float = 0.0
    tongue_tip: float = 0.0144
    blade_lift: float = 0.009
    tip_lift: float = 0.015
    tip_reach: float = 0.9
    tip_thickness: float = 0.6
    press_for_puff: float = 0.5


def with_correctives(mesh: HeadMesh, correctives: Correctives = Correctives()) -> HeadMesh:
    """The head with what `Correctives` says added to its shapes; shapes and parts that it lacks are passed over."""
    names = [str(name) for name in mesh.expression_names]
    offsets = np.array(mesh.expression_offsets, np.float32)
    shape = dict(zip(names, offsets, strict=True))
    if {"tongueOut", "jawOpen"} <= shape.keys():
        jaw = correctives.jaw_for_tongue * shape["jawOpen"]
        tongue = _vertices_of(mesh, "tongue")
        depth = mesh.vertices[tongue, 2]
        blade = _smooth_step(correctives.tongue_root, correctives.tongue_blade, depth)
        tip = np.clip((depth - correctives.tongue_blade) / (correctives.tongue_tip - correctives.tongue_blade), 0, 1)
        # An opening jaw swings back; a tongue that is put out does not.
        jaw[tongue, 2] *= 1 - blade
        jaw[tongue, 1] += correctives.blade_lift * blade + correctives.tip_lift * tip
        if tip.any():
            height = mesh.vertices[tongue, 1]
            centre = height[tip > 0].mean()
            jaw[tongue, 1] -= (1 - correctives.tip_thickness) * tip * (height - centre)
        shape["tongueOut"][tongue, 2] *= 1 - (1 - correctives.tip_reach) * blade
        shape["tongueOut"] += jaw
    if {"cheekPuff", "mouthPressLeft", "mouthPressRight"} <= shape.keys():
        shape["cheekPuff"] += correctives.press_for_puff * (shape["mouthPressLeft"] + shape["mouthPressRight"])
    return replace(mesh, expression_offsets=offsets)


def _vertices_of(mesh: HeadMesh, part: str) -> np.ndarray:
    names = [str(name) for name in mesh.part_names]
    if part not in names:
        return np.zeros(0, np.int64)
    quads = mesh.quads[mesh.face_part == names.index(part)]
    return np.unique(quads[quads >= 0])


def _smooth_step(low: float, high: float, values: np.ndarray) -> np.ndarray:
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return t * t * (3 - 2 * t)
