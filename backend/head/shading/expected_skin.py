"""Where the fit expects skin in the photo, and what colour: the seed of the skin mask."""

from __future__ import annotations

import cv2
import numpy as np

from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel
from backend.head.parameters import HeadFitParameters
from backend.rendering.light_transfer import shading
from backend.rendering.rasteriser import Rasteriser


def expected_skin(
    model: HeadModel,
    fit: HeadFit,
    transfer: np.ndarray,  # float32 [V, 9], see `backend.rendering.light_transfer`
    rasteriser: Rasteriser,
    settings: HeadFitParameters = HeadFitParameters(),
) -> tuple[np.ndarray, np.ndarray]:
    """Where the fitted head shows skin, and its colour under the fit's light.

    Skin of one albedo, shadowed by the head itself.

    Returns:
        Bool [H, W], in the photo's pixels, and float32 [h, w, 3], linear RGB, over the same frame but on as few pixels
        as it was rendered on; 0 elsewhere.
    """
    vertices = fit.vertices(model)
    pixels = fit.camera.project(vertices)
    extent = float((pixels.max(0) - pixels.min(0)).max())
    scale = min(1.0, settings.expected_side_px / max(extent, 1.0))
    triangles, camera = model.triangles(), fit.camera.scaled(scale)
    pixels = camera.project(vertices)
    frame = np.array([camera.width, camera.height])
    left, top = np.clip(np.floor(pixels.min(0)), 0, frame - 1).astype(int)
    right, bottom = np.clip(np.ceil(pixels.max(0)), (left + 1, top + 1), frame).astype(int)
    fragments = rasteriser.rasterise(vertices, triangles, camera.window(left, top, right - left, bottom - top))
    faces = np.repeat(model.face_part, np.where(model.quads[:, 3] < 0, 1, 2))
    # Lashes are see-through; what lies under them is skin.
    skin_parts = [model.part_names.index(name) for name in ("skin", "lashes") if name in model.part_names]
    region = fragments.mask & np.isin(faces, skin_parts)[np.maximum(fragments.triangle, 0)]
    corners = transfer[triangles[fragments.triangle[region]]]
    reached = np.einsum("nk,nkc->nc", fragments.barycentric[region], corners)
    shown = np.zeros((camera.height, camera.width), np.uint8)
    shown[top:bottom, left:right] = region
    colour = np.zeros((*shown.shape, 3), np.float32)
    colour[top:bottom, left:right][region] = fit.skin_albedo * shading(reached, fit.light)
    size = (fit.camera.width, fit.camera.height)
    return cv2.resize(shown, size, interpolation=cv2.INTER_NEAREST) > 0, colour
