"""The ICT Face Model Light (MIT), read from `sources/ict_facekit` into head space."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.training.head.sources.hm08 import HALF_IPD

FILE = "ict_facekit/ict_facekit.npz"
SOURCE = "ICT-VGL/ICT-FaceKit, commit da5f95a607f5e6b37755b38d3385d7f2853732e5, MIT licence"


@dataclass(frozen=True)
class Eyeball:
    """A sphere in head space, metres."""

    centre: np.ndarray
    radius: float


@dataclass(frozen=True)
class IctModel:
    """The ICT model with its mean scaled to an interpupillary distance of 63 mm, origin between the eyes.

    Args:
        mean: float64 [V, 3], metres, head space.
        modes: float32 [100, V, 3], metres for a coefficient of 1; coefficients are N(0, 1).
        expressions: float32 [53, V, 3], metres for a weight of 1.
        expression_names: ARKit names with ``_L`` and ``_R``.
        quads: int32 [F, 4], -1 in the last column marks a triangle.
        parts: half-open vertex ranges by part name.
    """

    mean: np.ndarray
    modes: np.ndarray
    expressions: np.ndarray
    expression_names: tuple[str, ...]
    quads: np.ndarray
    parts: dict[str, tuple[int, int]]

    def part_vertices(self, *names: str) -> np.ndarray:
        """Vertex indices of the named parts, int64 [n]."""
        return np.concatenate([np.arange(*self.parts[n]) for n in names])

    def triangles(self, *names: str) -> np.ndarray:
        """Triangles int32 [n, 3] whose corners all lie in the named parts."""
        inside = np.zeros(len(self.mean) + 1, bool)
        inside[self.part_vertices(*names)] = True
        inside[-1] = True  # the -1 of triangles
        quads = self.quads[inside[self.quads].all(axis=1)]
        triangles = np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], axis=1).reshape(-1, 3)
        return triangles[(triangles >= 0).all(axis=1)]

    def skin_triangles(self) -> np.ndarray:
        """Triangles of face, head and neck, int32 [n, 3]; they end inside the lips and behind the lid margins."""
        return self.triangles("face", "head_and_neck")

    def eyeball(self, side: str) -> Eyeball:
        """The mean eyeball of a side (``left`` or ``right``): the sphere through its widest parts, cornea aside."""
        return fit_eyeball(self.mean[self.part_vertices(f"eyeball_{side}")])


def fit_eyeball(points: np.ndarray) -> Eyeball:
    """Sphere of the sclera through the outer shell [n, 3] of an eyeball that looks along +z."""
    low, high = points.min(axis=0), points.max(axis=0)
    radius = float((high - low)[:2].mean() / 2)
    centre = (low + high) / 2
    # The cornea bulges in front, so that depth is taken from the back.
    centre[2] = low[2] + radius
    return Eyeball(centre, radius)


def load_ict(sources: Path) -> IctModel:
    """Read the model from the folder of sources."""
    with np.load(sources / FILE, allow_pickle=False) as data:
        centimetres = data["neutral"].astype(np.float64)
        ranges = {str(n): (int(a), int(b)) for n, (a, b) in zip(data["part_names"], data["part_ranges"], strict=True)}
        eye = fit_eyeball(centimetres[slice(*ranges["eyeball_left"])]).centre
        scale = HALF_IPD / eye[0]
        return IctModel(
            mean=(centimetres - eye * [0, 1, 1]) * scale,
            modes=data["identity_modes"].astype(np.float32) * np.float32(scale),
            expressions=data["expression_modes"].astype(np.float32) * np.float32(scale),
            expression_names=tuple(data["expression_names"].tolist()),
            quads=data["quads"],
            parts=ranges,
        )
