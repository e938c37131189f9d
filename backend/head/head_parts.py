"""Where face, ears, scalp and neck lie on a head, told from its shape alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.imaging.filters import smooth_step

REGIONS = ("face", "ears", "scalp", "neck")
HAIRLINE = 0.058  # metres above the eyes, where an adult's forehead ends in the middle
JAW_SLOPE = 0.5  # how far the jaw line rises per metre towards the ear


@dataclass(frozen=True)
class Proportions:
    """The few measures of a head that its regions follow; metres, head space.

    Args:
        chin: (y, z) of the lowest point of the chin that still faces forward.
        ear: (y, z) of the ear's middle.
        ear_base: |x| where the ear stands off the head.
    """

    chin: tuple[float, float]
    ear: tuple[float, float]
    ear_base: float


def proportions(
    vertices: np.ndarray,  # float [V, 3], metres, head space
    mirror: np.ndarray,  # int [V]
) -> Proportions:
    """Find chin and ears: the midline's farthest point down and forward, and what is farthest to the side."""
    middle = vertices[mirror == np.arange(len(mirror))]
    near_chin = middle[np.abs(middle[:, 1] + 0.11) < 0.04]
    chin = near_chin[(near_chin @ [0, -1, 0.5]).argmax()]
    beside_eyes = vertices[np.abs(vertices[:, 1] + 0.01) < 0.06]
    side = np.abs(beside_eyes[:, 0])
    ear = beside_eyes[side > side.max() - 0.012].mean(axis=0)
    return Proportions((float(chin[1]), float(chin[2])), (float(ear[1]), float(ear[2])), float(side.max() - 0.017))


def ear_weight(points: np.ndarray, head: Proportions) -> np.ndarray:
    """1 on the ears, 0 elsewhere, smooth between: float64 [n] at points [n, 3] (metres, head space)."""
    x, y, z = points.T
    off = smooth_step(np.abs(x), head.ear_base - 0.003, head.ear_base + 0.005)
    return off * (1 - smooth_step(np.hypot(y - head.ear[0], z - head.ear[1]), 0.035, 0.055))


def below_jaw(points: np.ndarray, head: Proportions) -> np.ndarray:
    """Metres [n] below the jaw line, which rises from the chin to the ear; negative above it."""
    _, y, z = points.T
    return head.chin[0] - JAW_SLOPE * np.minimum(z - head.chin[1], 0) - y


def region_of(points: np.ndarray, head: Proportions) -> np.ndarray:
    """Index into `REGIONS`, uint8 [n], of points [n, 3] on the skin.

    The face is what lies in front of the ears, between hairline and chin, above the jaw line.
    """
    _, y, z = points.T
    in_front = z > head.ear[1] + 0.02
    face = in_front & (y > head.chin[0]) & (y < HAIRLINE) & (below_jaw(points, head) < 0)
    neck = (below_jaw(points, head) >= 0) | (y < head.chin[0])
    region = np.where(face, 0, np.where(neck, 3, 2))
    return np.where(ear_weight(points, head) > 0.5, 1, region).astype(np.uint8)
