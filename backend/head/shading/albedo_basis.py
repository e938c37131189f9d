"""A coarse linear model of the skin's albedo at the vertices, for the photometric refinement.

Either the constant-by-region model below, built from the head model's own landmarks, or a learned one (the PCA of the
coarse linear prior sampled at the vertices), behind the same small dataclass.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backend.head.model import HeadModel
from backend.imaging.arrays import Array, namespace, on_device
from backend.photo.landmark_table import BROW_LEFT, BROW_RIGHT, EYE_LEFT, EYE_RIGHT, LIPS_OUTER


@dataclass(frozen=True)
class AlbedoBasis:
    """Diffuse albedo of the vertices, linear RGB: mean + sum of coefficient times basis, coefficients ~ N(0, I).

    Args:
        mean: float32 [V, 3].
        basis: float32 [K, V, 3].
        tone_modes: so many leading modes describe the overall tone.
    """

    mean: Array
    basis: Array
    tone_modes: int = 3

    @cached_property
    def by_vertex(self) -> Array:
        """The basis vertex by vertex, float32 [V, 3 K], a colour's modes beside each other."""
        return namespace(self.basis).moveaxis(self.basis, 0, -1).reshape(len(self.mean), -1)

    def on_device(self, device: str) -> AlbedoBasis:
        """The same on a device; `cpu` is the host."""
        return self if device == "cpu" else on_device(self, device, "mean", "basis")


# Linear RGB of human skin: the middle between deep (0.10, 0.05, 0.035) and very fair (0.65, 0.45, 0.37) albedo, two
# standard deviations to either side along melanin; then haemoglobin (which reddens) and a rest. Assumed.
SKIN_MEAN = np.array([0.375, 0.25, 0.20])
MELANIN = np.array([0.14, 0.102, 0.083])
HAEMOGLOBIN = np.array([0.022, -0.016, -0.010])
REST = np.array([0.0, -0.008, 0.014])

# Offsets of the parts from the skin around them, mean and standard deviation.
LIPS = (np.array([-0.06, -0.09, -0.05]), np.array([0.05, 0.05, 0.04]))
BROWS = (np.array([-0.18, -0.11, -0.07]), np.array([0.12, 0.08, 0.06]))
LIDS = (np.array([-0.06, -0.05, -0.03]), np.array([0.05, 0.04, 0.03]))

# Blobs (landmark, radius in metres) in which the tone may differ a little: cheeks, nose, chin, lip, jaws, forehead.
BLOBS = (
    *((50, 0.030), (280, 0.030), (4, 0.014), (168, 0.020), (152, 0.025), (164, 0.016), (172, 0.030), (397, 0.030)),
    *((9, 0.025), (67, 0.030), (297, 0.030), (205, 0.025), (425, 0.025)),
)
BLOB_TONE = np.array([0.03, 0.024, 0.02])
BLOB_REDNESS = np.array([0.012, -0.010, -0.006])
BEARD = np.array([-0.06, -0.045, -0.03])


def region_albedo(model: HeadModel) -> AlbedoBasis:
    """Skin of one tone with lips, brows, lids and a beard of their own, and slight changes of tone between regions."""
    landmarks = model.landmarks(model.mean).astype(np.float64)
    points = model.mean.astype(np.float64)
    lips = inside_ring(points, landmarks[list(LIPS_OUTER)], 0.002)
    brows = np.maximum(*(inside_ring(points, landmarks[list(brow)], 0.002) for brow in (BROW_RIGHT, BROW_LEFT)))
    lids = np.maximum(
        near_landmarks(points, landmarks[list(EYE_RIGHT)], 0.005),
        near_landmarks(points, landmarks[list(EYE_LEFT)], 0.005),
    )
    everywhere = np.ones(len(points))
    modes = [everywhere[:, None] * tone for tone in (MELANIN, HAEMOGLOBIN, REST)]
    mean = everywhere[:, None] * SKIN_MEAN
    for weight, (offset, spread) in ((lips, LIPS), (brows, BROWS), (lids, LIDS)):
        mean = mean + weight[:, None] * offset
        modes.append(weight[:, None] * spread)
        modes.append(weight[:, None] * HAEMOGLOBIN * 2)
    jaw = np.maximum(*(near_landmarks(points, landmarks[[164, a, b, 152]], 0.02) for a, b in ((172, 150), (397, 379))))
    modes.append((jaw * (1 - lips))[:, None] * BEARD)
    for landmark, radius in BLOBS:
        blob = np.exp(-0.5 * np.sum((points - landmarks[landmark]) ** 2, axis=1) / radius**2)[:, None]
        modes += [blob * BLOB_TONE, blob * BLOB_REDNESS]
    return AlbedoBasis(mean.astype(np.float32), np.stack(modes).astype(np.float32))


def near_landmarks(points: np.ndarray, landmarks: np.ndarray, radius: float) -> np.ndarray:
    """1 at the landmarks, falling to 0.6 at `radius` and to 0 a little beyond; [V]."""
    squared = np.min(np.sum((points[:, None] - landmarks[None]) ** 2, axis=-1), axis=1)
    return np.exp(-0.5 * squared / radius**2)


def inside_ring(points: np.ndarray, ring: np.ndarray, softness: float) -> np.ndarray:
    """1 inside a ring of landmarks seen from the front, 0 outside, soft over `softness` metres; [V]."""
    outline = np.concatenate([ring, ring[:1]])[:, :2]
    start, edge = outline[:-1], np.diff(outline, axis=0)
    offset = points[:, None, :2] - start[None]
    along = np.clip(np.sum(offset * edge, axis=-1) / np.sum(edge**2, axis=-1), 0, 1)
    distance = np.min(np.linalg.norm(offset - along[..., None] * edge, axis=-1), axis=1)
    # Even-odd rule: a ray to +x crosses the outline an odd number of times from inside.
    upward = (start[None, :, 1] > points[:, None, 1]) != ((start + edge)[None, :, 1] > points[:, None, 1])
    height = np.where(edge[:, 1] == 0, 1e-12, edge[:, 1])
    crossing_x = start[:, 0] + (points[:, None, 1] - start[:, 1]) / height * edge[:, 0]
    inside = (np.sum(upward & (points[:, None, 0] < crossing_x), axis=1) % 2) == 1
    in_front = points[:, 2] > ring[:, 2].min() - 0.02
    return np.where(in_front, 1 / (1 + np.exp(-np.where(inside, distance, -distance) / softness * 2)), 0.0)
