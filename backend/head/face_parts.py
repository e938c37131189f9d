"""Parts of the face on the head model's vertices, as people name them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.head.model import HeadModel
from backend.head.parameters import FacePartSettings
from backend.head.shading.albedo_basis import inside_ring
from backend.photo.landmark_table import (
    BROW_LEFT,
    BROW_RIGHT,
    FACE_OVAL,
    LID_LEFT,
    LID_RIGHT,
    LIPS_INNER,
    LIPS_OUTER,
    MOUTH_CORNERS,
    NOSE,
)

# `right` and `left` are the subject's.
PARTS = ("forehead", "eyes", "nose", "right cheek", "left cheek", "mouth", "jaw")


@dataclass(frozen=True)
class FaceParts:
    """Skin of the face, each vertex in one part.

    Args:
        vertices: int [n], of the head model.
        part: int [n], index into `PARTS`.
        area: float64 [n], the skin that belongs to each on the mean head, square metres.
    """

    vertices: np.ndarray
    part: np.ndarray
    area: np.ndarray


def face_parts(model: HeadModel, settings: FacePartSettings = FacePartSettings()) -> FaceParts:
    """The parts, by the landmarks of the mean face: nose, mouth and eyes first, the rest by height and side."""
    landmarks, skin = model.landmarks(model.mean).astype(np.float64), model.triangles("skin")
    points = model.mean.astype(np.float64)
    vertices = np.flatnonzero(inside_ring(points, landmarks[list(FACE_OVAL)], settings.border_m) > 0.5)
    vertices = vertices[np.isin(vertices, skin)]
    points, height = points[vertices], points[vertices, 1]

    def away(*groups: tuple[int, ...]) -> np.ndarray:
        chosen = landmarks[[number for group in groups for number in group]]
        return np.linalg.norm(points[:, None] - chosen[None], axis=-1).min(axis=1)

    brows = landmarks[list(BROW_RIGHT + BROW_LEFT), 1].max()
    corners = landmarks[list(MOUTH_CORNERS), 1].mean()
    part = np.select(
        [
            away(LIPS_OUTER, LIPS_INNER) < settings.mouth_m,
            away(NOSE) < settings.nose_m,
            height > brows,
            away(LID_RIGHT, LID_LEFT, BROW_RIGHT, BROW_LEFT) < settings.eyes_m,
            height < corners,
            points[:, 0] < 0,
        ],
        [PARTS.index(name) for name in ("mouth", "nose", "forehead", "eyes", "jaw", "right cheek")],
        PARTS.index("left cheek"),
    )
    corner_points = model.mean[skin].astype(np.float64)
    sides = corner_points[:, 1:] - corner_points[:, :1]
    a_third = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1) / 6
    area = np.bincount(skin.ravel(), np.repeat(a_third, 3), len(model.mean))[vertices]
    return FaceParts(vertices, part, area)
