"""Soft regions of the skin in texture space, drawn on the head's front view from its landmarks.

Nothing here knows texels or vertex numbers: polygons of landmarks are filled in the mean head's front view (x, y in
metres) and looked up at every texel's surface point, so that any UV layout and any head model will do. Regions end
where the skin's nature changes; those of `backend.texture.regions` have margins, for work on photos.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial import KDTree

from backend.head.head_parts import ear_weight, proportions
from backend.head.model import HeadModel
from backend.imaging.filters import smooth_step
from backend.photo.landmark_table import (
    BROW_LEFT,
    BROW_RIGHT,
    CHEEK_LEFT,
    CHEEK_RIGHT,
    CHIN,
    CHIN_TIP,
    EAR_FRONTS,
    EYE_LEFT,
    EYE_RIGHT,
    FACE_OVAL,
    FOREHEAD_TOP,
    LID_LEFT,
    LID_RIGHT,
    LIPS_OUTER,
    MOUSTACHE,
    MOUTH_CORNERS,
    NOSE,
    NOSE_TIP,
    UNDER_EYE_LEFT,
    UNDER_EYE_RIGHT,
)
from backend.texture.uv_space import UVSpace

_PIXEL_M = 2.5e-4
_SIDE_M = 0.24


@dataclass(frozen=True)
class SkinRegions:
    """Soft masks float32 [R, R] in [0, 1], 0 off the skin, and where lengths and landmarks lie.

    Args:
        island: 1 on the skin.
        face: inside the landmarks' outline, from hairline to chin.
        lips, brows, eyes, nose, nose_tip, forehead, cheeks, under_eyes, lids, moustache, chin, beard, ears, neck,
            scalp: what the names say; `eyes` are lids with the sockets' borders, `beard` is where whiskers grow,
            `scalp` where head hair does.
        face_low: like `beard` but with cheeks: everything of the face below the eyes.
        texels_per_mm: density on the cheeks.
        points: float32 [478, 2], the landmarks in texels (x right, y down); those off the skin are taken to it.
    """

    island: np.ndarray
    face: np.ndarray
    lips: np.ndarray
    brows: np.ndarray
    eyes: np.ndarray
    nose: np.ndarray
    nose_tip: np.ndarray
    forehead: np.ndarray
    cheeks: np.ndarray
    under_eyes: np.ndarray
    lids: np.ndarray
    moustache: np.ndarray
    chin: np.ndarray
    beard: np.ndarray
    face_low: np.ndarray
    ears: np.ndarray
    neck: np.ndarray
    scalp: np.ndarray
    texels_per_mm: float
    points: np.ndarray


def skin_regions(model: HeadModel, space: UVSpace) -> SkinRegions:
    """Regions of the model's mean head on the texels of `space`."""
    view = _FrontView(model, space)
    area, at, landmarks = view.area, view.position, view.landmarks
    eye_y = landmarks[list(EYE_RIGHT + EYE_LEFT), 1].mean()
    ear_x, ear_z = np.abs(landmarks[list(EAR_FRONTS), 0]).mean(), landmarks[list(EAR_FRONTS), 2].mean()
    chin_y, top_y = landmarks[CHIN_TIP, 1], landmarks[FOREHEAD_TOP, 1]
    x, y, z = np.abs(at[..., 0]), at[..., 1], at[..., 2]

    lips = area(LIPS_OUTER, grow=0.3, soft=0.8)
    in_front = smooth_step(z, ear_z - 0.016, ear_z - 0.004)
    # Whiskers end on a line that rises from the mouth's corner to the ear.
    mouth_x, mouth_y = np.abs(landmarks[list(MOUTH_CORNERS), 0]).mean(), landmarks[list(MOUTH_CORNERS), 1].mean()
    line = mouth_y + 0.004 + (eye_y - 0.012 - mouth_y) * np.clip((x - mouth_x) / (ear_x - mouth_x), 0, 1) ** 2.2
    below_line = smooth_step(line - y, -0.004, 0.006)
    above_throat = smooth_step(y, chin_y - 0.045, chin_y - 0.02)
    moustache = area(MOUSTACHE, grow=1.0, soft=1.2) * (1 - lips)
    beard = np.maximum(below_line * above_throat * in_front, moustache) * (1 - lips) * view.inside
    ears = ear_weight(at.reshape(-1, 3), proportions(model.mean, model.mirror)).reshape(x.shape) * view.inside
    # The oval's upper landmarks lie at the middle of the forehead; foreheads go on to the hairline.
    oval = area(FACE_OVAL, grow=4, soft=4, hull=True) * (1 - ears) * smooth_step(z, ear_z - 0.01, ear_z)
    behind = smooth_step(ear_z - 0.004 - z, 0, 0.012)
    neck = (
        np.maximum(smooth_step(chin_y - 0.004 - y, 0, 0.012), behind * smooth_step(eye_y - 0.055 - y, 0, 0.012))
        * view.inside
    )
    hairline = np.where(z > ear_z - 0.02, top_y + 0.012, eye_y - 0.03)
    scalp = (
        np.maximum(smooth_step(y - hairline, 0, 0.012), behind * smooth_step(y - eye_y + 0.055, 0, 0.015))
        * view.inside
        * (1 - ears)
    )
    forehead = oval * smooth_step(y - landmarks[list(BROW_LEFT + BROW_RIGHT), 1].max(), -0.002, 0.006)
    return SkinRegions(
        island=space.mask.astype(np.float32),
        face=oval,
        lips=lips,
        brows=area(BROW_RIGHT, BROW_LEFT, grow=2.5, soft=1.5),
        eyes=area(EYE_RIGHT, EYE_LEFT, grow=2.5, soft=1.5),
        nose=area(NOSE, grow=1.5, soft=2.5, hull=True),
        nose_tip=area(NOSE_TIP, grow=2, soft=3, hull=True),
        forehead=forehead,
        cheeks=area(CHEEK_RIGHT, CHEEK_LEFT, grow=2, soft=5, hull=True) * (1 - ears),
        under_eyes=area(UNDER_EYE_RIGHT, UNDER_EYE_LEFT, grow=0, soft=2.5),
        lids=area(LID_RIGHT, LID_LEFT, grow=0.5, soft=1.5, hull=True),
        moustache=moustache,
        chin=area(CHIN, grow=1, soft=5, hull=True) * (1 - lips),
        beard=beard,
        face_low=oval * smooth_step(eye_y - 0.008 - y, 0, 0.01),
        ears=ears,
        neck=neck,
        scalp=scalp,
        texels_per_mm=view.texels_per_mm,
        points=view.points,
    )


class _FrontView:
    """The mean head's front view, in which polygons of landmarks are filled."""

    def __init__(self, model: HeadModel, space: UVSpace) -> None:
        self.position = space.positions(model.mean)
        self.landmarks = model.landmarks(model.mean)
        self.inside = space.mask.astype(np.float32)
        normals = space.normals(model.mean)
        self._facing = smooth_step(normals[..., 2], -0.25, 0.0) * self.inside
        rows, columns = np.nonzero(space.mask)
        _, nearest = KDTree(self.position[rows, columns]).query(self.landmarks)
        self.points = np.stack([columns[nearest], rows[nearest]], axis=1).astype(np.float32)
        cheeks = np.round(self.points[list(CHEEK_LEFT + CHEEK_RIGHT)]).astype(int)
        density = space.texels_per_metre(model.mean)[cheeks[:, 1], cheeks[:, 0]]
        self.texels_per_mm = max(float(np.median(density)) / 1000, 1e-3)

    def area(self, *groups: tuple[int, ...], grow: float, soft: float, hull: bool = False) -> np.ndarray:
        """Mask [R, R] of landmark polygons, grown and softened in millimetres."""
        side = round(_SIDE_M / _PIXEL_M)
        image = np.zeros((side, side), np.uint8)
        for group in groups:
            outline = self._pixels(self.landmarks[list(group), :2])
            outline = cv2.convexHull(outline)[:, 0] if hull else outline
            cv2.fillPoly(image, [np.round(outline * 16).astype(np.int32)], 255, shift=4)
        if grow > 0:
            distance = cv2.distanceTransform(255 - image, cv2.DIST_L2, 5)
            image = np.where(distance <= grow * 1e-3 / _PIXEL_M, 255, 0).astype(np.uint8)
        soft_image = cv2.GaussianBlur(image.astype(np.float32) / 255, (0, 0), max(0.6 * soft * 1e-3 / _PIXEL_M, 0.5))
        where = self._pixels(self.position[..., :2].reshape(-1, 2)).reshape(*self.position.shape[:2], 2)
        return cv2.remap(soft_image, where[..., 0], where[..., 1], cv2.INTER_LINEAR) * self._facing

    @staticmethod
    def _pixels(points: np.ndarray) -> np.ndarray:
        centre = _SIDE_M / 2
        return np.stack([points[:, 0] + centre, centre - 0.03 - points[:, 1]], axis=1).astype(np.float32) / np.float32(
            _PIXEL_M
        )
