"""Soft regions of the face in texture space, drawn from the model's landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.head.model import HeadModel
from backend.imaging.arrays import Array
from backend.imaging.filters import smooth_step
from backend.photo.landmark_table import (
    BROW_LEFT,
    BROW_RIGHT,
    CHEEK_POINTS,
    EAR_FRONTS,
    EYE_LEFT,
    EYE_RIGHT,
    FACE_OVAL,
    LIPS_OUTER,
    NOSE,
    NOSE_BASE,
)
from backend.texture.uv_space import UVSpace


@dataclass(frozen=True)
class FaceRegions:
    """Soft masks float32 [R, R] in [0, 1], 0 outside the skin.

    Args:
        lips, nose, forehead: what the names say.
        brows: with a margin, so that all of their hair is inside.
        eyes: lids and the sockets around them.
        beard: where beards and moustaches grow: below the nose, in front of the ears, throat included.
        face: inside the landmarks' outer contour.
        texels_per_mm: texture density on the cheeks.
    """

    lips: Array
    nose: Array
    forehead: Array
    brows: Array
    eyes: Array
    beard: Array
    face: Array
    texels_per_mm: float


def plain_skin(regions: FaceRegions) -> Array:
    """Weight float32 [R, R] of skin with the person's tone: the face without lips, brows, eyes; beards count less."""
    hair = 1 - 0.75 * regions.beard
    return regions.face * (1 - regions.lips) * (1 - regions.brows) * (1 - regions.eyes) * hair


def face_regions(model: HeadModel, uv_space: UVSpace) -> FaceRegions:
    """Regions on the texels of `uv_space` (the skin)."""
    resolution = uv_space.resolution
    points = landmark_texels(model, resolution)
    density = uv_space.texels_per_metre(model.mean)
    cheeks = np.clip(np.round(points[list(CHEEK_POINTS)]).astype(int), 0, resolution - 1)
    texels_per_mm = max(float(np.median(density[cheeks[:, 1], cheeks[:, 0]])) / 1000, 1e-3)

    def area(*groups: tuple[int, ...], grow_mm: float, soft_mm: float, hull: bool) -> np.ndarray:
        mask = np.zeros((resolution, resolution), np.uint8)
        for group in groups:
            outline = points[list(group)].astype(np.float32)
            outline = cv2.convexHull(outline)[:, 0] if hull else outline
            cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 255, shift=4)
        return _grown(mask.astype(np.float32) / 255, grow_mm * texels_per_mm, soft_mm * texels_per_mm) * uv_space.mask

    position = uv_space.positions(model.mean)
    landmarks = model.landmarks(model.mean)
    below_nose = smooth_step(landmarks[NOSE_BASE, 1] + 0.002 - position[..., 1], 0.0, 0.004)
    # Beards end a little behind the jaw's corner, about as far back as the contour landmarks beside the ears.
    in_front = smooth_step(position[..., 2] - landmarks[list(EAR_FRONTS), 2].mean() + 0.015, 0.0, 0.01)
    face = area(FACE_OVAL, grow_mm=0, soft_mm=3, hull=False)
    above_brows = smooth_step(position[..., 1] - landmarks[list(BROW_LEFT + BROW_RIGHT), 1].max(), 0.0, 0.006)
    return FaceRegions(
        lips=area(LIPS_OUTER, grow_mm=0.5, soft_mm=1.0, hull=False),
        nose=area(NOSE, grow_mm=0, soft_mm=2.5, hull=True),
        forehead=face * above_brows,
        brows=area(BROW_RIGHT, BROW_LEFT, grow_mm=4, soft_mm=1.5, hull=True),
        eyes=area(EYE_RIGHT, EYE_LEFT, grow_mm=5, soft_mm=2.5, hull=True),
        beard=(below_nose * in_front * uv_space.mask).astype(np.float32),
        face=face,
        texels_per_mm=texels_per_mm,
    )


def landmark_texels(model: HeadModel, resolution: int) -> np.ndarray:
    """Where the landmarks lie in texture space: float64 [478, 2], texels (x right, y down), centres at whole numbers.

    Landmarks that lie on other parts than the skin get the place of the nearest texture coordinates that their
    vertices have, which is good enough only for the skin's; the iris landmarks are not for use.
    """
    uv_of_vertex = np.zeros((len(model.mean), 2))
    faces = model.part_faces("skin")
    quads, uv_quads = model.quads[faces], model.uv_quads[faces]
    for corner in range(4):
        there = quads[:, corner] >= 0
        uv_of_vertex[quads[there, corner]] = model.uv[uv_quads[there, corner]]
    uv = np.einsum("lk,lkd->ld", model.landmark_barycentric, uv_of_vertex[model.landmark_triangles])
    return np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1) * resolution - 0.5


def _grown(mask: np.ndarray, grow: float, soft: float) -> np.ndarray:
    """A mask grown by `grow` texels with a soft border of `soft` texels."""
    if grow >= 0.5:
        distance = cv2.distanceTransform((mask < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
        mask = (distance <= grow).astype(np.float32)
    return cv2.GaussianBlur(mask, (0, 0), max(soft * 0.6, 0.5)).astype(np.float32)
