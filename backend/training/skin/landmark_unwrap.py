"""Unwrapping for training: like `backend.texture.unwrap`, but drawn onto the detected landmarks and with fewer holes.

The fit leaves a millimetre between the model's landmarks and the photo's. Albedos of many people are to be compared and
mixed texel by texel, so that millimetre is taken out: the photo is sampled at the projected surface point plus the
landmarks' residual, interpolated smoothly over the face.
"""

from __future__ import annotations

import cv2
import numpy as np

from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel
from backend.imaging.colour import linear_to_srgb, srgb_bytes_to_linear
from backend.imaging.sampling import sample_image, sample_linear
from backend.photo.face_detector import Face
from backend.photo.landmark_table import EYE_LEFT, EYE_RIGHT, FACE_OVAL, IRIS_LEFT, IRIS_RIGHT, LIPS_INNER
from backend.photo.reading import Photo
from backend.rendering.normals import vertex_normals
from backend.texture.texel_points import softened_visibility, texel_footprints, texel_points
from backend.texture.uv_space import UVSpace
from backend.training.skin.parameters import LandmarkUnwrapSettings


def unwrap_portrait(
    photo: Photo,
    face: Face,
    skin: np.ndarray,
    model: HeadModel,
    fit: HeadFit,
    space: UVSpace,
    settings: LandmarkUnwrapSettings = LandmarkUnwrapSettings(),
) -> tuple[np.ndarray, np.ndarray]:
    """The portrait in texture space.

    Args:
        skin: float32 [H, W], 1 on the photo's skin.
        space: texels of the skin.

    Returns:
        texture float32 [R, R, 3], sRGB-encoded, and visibility float32 [R, R] in [0, 1].
    """
    vertices = fit.vertices(model)
    points = texel_points(
        space, vertices, vertex_normals(vertices, space.mesh_triangles), np.flatnonzero(space.mask.reshape(-1))
    )
    facing = points.facing(fit.camera.position)
    low, high = settings.facing
    seen = np.clip((facing - low) / (high - low), 0, 1).astype(np.float32)
    near = np.flatnonzero(seen > 0)
    seen[near] *= points.in_view(model, vertices, fit.camera.position, near)

    near = np.flatnonzero(seen > 0)
    pixels = fit.camera.project(points.position[near]) + residual_field(
        model, fit, face, points.position[near], settings
    )
    seen[near] *= sample_linear(skin, pixels)
    pixels, near = pixels[seen[near] > 0], near[seen[near] > 0]
    visibility = np.zeros(space.mask.size, np.float32)
    visibility[points.texel] = seen
    visibility = softened_visibility(visibility.reshape(space.mask.shape))

    footprint = texel_footprints(space, vertices, fit.camera)
    linear = srgb_bytes_to_linear(photo.image_srgb)
    texture = np.zeros((space.mask.size, 3), np.float32)
    colour = sample_image(linear, pixels, footprint.select(points.triangle[near]))
    texture[points.texel[near]] = linear_to_srgb(colour)
    return texture.reshape(*space.mask.shape, 3), visibility


def residual_field(
    model: HeadModel,
    fit: HeadFit,
    face: Face,
    points: np.ndarray,  # [n, 3], on the fitted surface, head space
    settings: LandmarkUnwrapSettings = LandmarkUnwrapSettings(),
) -> np.ndarray:
    """How far the photo's landmarks lie from the fit's, pixels [n, 2], smoothed over the surface."""
    on_surface = model.landmarks(fit.vertices(model))
    residual = face.landmarks_px - fit.camera.project(on_surface)
    used = np.ones(len(residual), bool)
    used[[*FACE_OVAL, *IRIS_LEFT, *IRIS_RIGHT]] = False
    used &= np.linalg.norm(residual, axis=1) < settings.largest_residual * fit.iod_px
    # The field is smooth: once per cell of 2 mm is enough.
    cell = np.floor((points - points.min(0)) / settings.cell_m).astype(np.int64)
    size = cell.max(0) + 1
    _, first, inverse = np.unique(
        (cell[:, 0] * size[1] + cell[:, 1]) * size[2] + cell[:, 2], return_index=True, return_inverse=True
    )
    anchors = on_surface[used]
    squared = (points[first] ** 2).sum(1)[:, None] + (anchors**2).sum(1) - 2 * points[first] @ anchors.T
    # A little weight on zero lets the correction die out away from the landmarks.
    weight = np.exp(-0.5 * np.maximum(squared, 0) / settings.residual_sigma_m**2)
    field = weight @ residual[used] / (weight.sum(1, keepdims=True) + 0.3)
    return field[inverse.reshape(-1)]


def portrait_skin(photo: Photo, face: Face) -> np.ndarray:
    """Inside the landmarks' hull, without eyes and mouth opening: float32 [H, W] in [0, 1].

    Hair that falls into the hull stays; it is found later, in texture space, where all people can be compared.
    """
    mask = np.zeros((photo.height, photo.width), np.uint8)
    hull = cv2.convexHull(face.landmarks_px[:468].astype(np.float32))[:, 0]
    cv2.fillPoly(mask, [np.round(hull).astype(np.int32)], 255)
    reach = max(1, round(0.02 * face.interocular_px))
    mask = cv2.erode(mask, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    for group in (EYE_LEFT, EYE_RIGHT, LIPS_INNER):
        cv2.fillPoly(mask, [np.round(face.landmarks_px[list(group)]).astype(np.int32)], 0)
    return cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 0.3 * reach)
