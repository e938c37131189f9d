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
    """Where the fitted head shows skin, bool [H, W], and its colour under the fit's light, float32 [H, W, 3], linear.

    Both in the photo's pixels; the colour is 0 elsewhere. Skin of one albedo, shadowed by the head itself.
    """
    vertices = fit.vertices(model)
    pixels = fit.camera.project(vertices)
    extent = float((pixels.max(0) - pixels.min(0)).max())
    scale = min(1.0, settings.expected_side_px / max(extent, 1.0))
    triangles = model.triangles()
    fragments = rasteriser.rasterise(vertices, triangles, fit.camera.scaled(scale))
    faces = np.repeat(model.face_part, np.where(model.quads[:, 3] < 0, 1, 2))
    # Lashes are see-through; what lies under them is skin.
    skin_parts = [model.part_names.index(name) for name in ("skin", "lashes") if name in model.part_names]
    region = fragments.mask & np.isin(faces, skin_parts)[np.maximum(fragments.triangle, 0)]
    colour = fit.skin_albedo * shading(fragments.interpolate(triangles, transfer), fit.light)
    colour = np.where(region[..., None], colour, 0).astype(np.float32)
    size = (fit.camera.width, fit.camera.height)
    full = cv2.resize(region.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    return full, cv2.resize(colour, size, interpolation=cv2.INTER_NEAREST)
