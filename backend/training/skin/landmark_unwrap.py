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
from backend.imaging.sampling import Footprint, sample_image
from backend.photo.face_detector import Face
from backend.photo.landmark_table import EYE_LEFT, EYE_RIGHT, FACE_OVAL, IRIS_LEFT, IRIS_RIGHT, LIPS_INNER
from backend.photo.reading import Photo
from backend.rendering.normals import vertex_normals
from backend.rendering.occlusion import points_in_view
from backend.texture.uv_space import UVSpace

# Residuals are averaged over this distance on the surface; the outline's landmarks slide and take no part.
RESIDUAL_SIGMA_M = 0.007
CELL_M = 0.002
FACING_LOW, FACING_HIGH = 0.12, 0.35
LARGEST_RESIDUAL = 0.08  # of the distance between the eyes; more is a wrong landmark


def unwrap_portrait(
    photo: Photo, face: Face, skin: np.ndarray, model: HeadModel, fit: HeadFit, space: UVSpace
) -> tuple[np.ndarray, np.ndarray]:
    """The portrait in texture space.

    Args:
        skin: float32 [H, W], 1 on the photo's skin.
        space: texels of the skin.

    Returns:
        texture float32 [R, R, 3], sRGB-encoded, and visibility float32 [R, R] in [0, 1].
    """
    vertices = fit.vertices(model)
    texel = np.flatnonzero(space.mask.reshape(-1))
    triangle, weights = space.triangle.reshape(-1)[texel], space.barycentric.reshape(-1, 3)[texel]
    corners = space.triangles[triangle]
    position = np.einsum("nk,nkd->nd", weights, vertices[corners])
    normal = np.einsum("nk,nkd->nd", weights, vertex_normals(vertices, space.mesh_triangles)[corners])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)

    towards = fit.camera.position - position
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    facing = np.einsum("nd,nd->n", normal, towards)
    seen = np.clip((facing - FACING_LOW) / (FACING_HIGH - FACING_LOW), 0, 1).astype(np.float32)
    near = np.flatnonzero(seen > 0)
    occluders = model.triangles(*(name for name in model.part_names if name != "lashes"))
    seen[near] *= points_in_view(position[near], normal[near], vertices, occluders, fit.camera.position)

    near = np.flatnonzero(seen > 0)
    pixels = fit.camera.project(position[near]) + residual_field(model, fit, face, position[near])
    seen[near] *= _sample(skin, pixels)
    pixels, near = pixels[seen[near] > 0], near[seen[near] > 0]
    visibility = np.zeros(space.mask.size, np.float32)
    visibility[texel] = seen
    visibility = _clean(visibility.reshape(space.mask.shape))

    uv = space.uv.astype(np.float64)[space.uv_triangles] * space.resolution
    texels = np.stack([uv[..., 0], space.resolution - uv[..., 1]], axis=-1)
    footprint = Footprint.of_triangles(fit.camera.project(vertices[space.triangles]), texels)
    linear = srgb_bytes_to_linear(photo.image_srgb)
    texture = np.zeros((space.mask.size, 3), np.float32)
    texture[texel[near]] = linear_to_srgb(sample_image(linear, pixels, footprint.select(triangle[near])))
    return texture.reshape(*space.mask.shape, 3), visibility


def residual_field(
    model: HeadModel,
    fit: HeadFit,
    face: Face,
    points: np.ndarray,  # [n, 3], on the fitted surface, head space
) -> np.ndarray:
    """How far the photo's landmarks lie from the fit's, pixels [n, 2], smoothed over the surface."""
    on_surface = model.landmarks(fit.vertices(model))
    residual = face.landmarks_px - fit.camera.project(on_surface)
    used = np.ones(len(residual), bool)
    used[[*FACE_OVAL, *IRIS_LEFT, *IRIS_RIGHT]] = False
    used &= np.linalg.norm(residual, axis=1) < LARGEST_RESIDUAL * fit.iod_px
    # The field is smooth: once per cell of 2 mm is enough.
    cell = np.floor((points - points.min(0)) / CELL_M).astype(np.int64)
    size = cell.max(0) + 1
    _, first, inverse = np.unique(
        (cell[:, 0] * size[1] + cell[:, 1]) * size[2] + cell[:, 2], return_index=True, return_inverse=True
    )
    anchors = on_surface[used]
    squared = (points[first] ** 2).sum(1)[:, None] + (anchors**2).sum(1) - 2 * points[first] @ anchors.T
    # A little weight on zero lets the correction die out away from the landmarks.
    weight = np.exp(-0.5 * np.maximum(squared, 0) / RESIDUAL_SIGMA_M**2)
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


def _sample(image: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Bilinear samples [n] of an image [H, W] at pixels [n, 2] (centres at .5); 0 outside."""
    rows = -(-len(pixels) // 1024)
    grid = np.full((rows * 1024, 2), -10.0, np.float32)
    grid[: len(pixels)] = pixels - 0.5
    values = cv2.remap(
        image, grid[:, 0].reshape(rows, 1024), grid[:, 1].reshape(rows, 1024), cv2.INTER_LINEAR, borderValue=0
    )
    return values.reshape(-1)[: len(pixels)]


def _clean(visibility: np.ndarray) -> np.ndarray:
    """Specks removed, borders drawn in by a texel or two and softened inwards."""
    radius = max(1, round(visibility.shape[0] / 512))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    opened = cv2.morphologyEx(visibility, cv2.MORPH_OPEN, kernel)
    return np.minimum(opened, cv2.GaussianBlur(cv2.erode(opened, kernel), (0, 0), radius))
