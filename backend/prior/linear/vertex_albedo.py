"""The albedo PCA of the coarse prior at the head model's vertices, for the photometric term of the fit."""

from __future__ import annotations

import cv2
import numpy as np

from backend.head.model import HeadModel
from backend.head.shading.albedo_basis import AlbedoBasis
from backend.prior.linear.factor_model import AlbedoPca


def vertex_albedo(pca: AlbedoPca, model: HeadModel, components: int = 30, side: int = 128) -> AlbedoBasis:
    """Mean and leading components at the vertices, each channel on its own; the other parts' vertices get any value.

    Args:
        pca: of the albedo.
        model: whose vertices.
        components: of each channel; more of them only cost the fit time (training portraits).
        side: texels a side at which they are looked up.
    """
    uv = np.zeros((len(model.mean), 2), np.float32)
    uv[model.triangles("skin").reshape(-1)] = model.uv[model.uv_triangles("skin").reshape(-1)]
    column, row = uv[:, :1] * side - 0.5, (1 - uv[:, 1:]) * side - 0.5

    def at_vertices(image: np.ndarray) -> np.ndarray:
        return cv2.remap(np.ascontiguousarray(image), column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    mean = at_vertices(pca.mean_map(side)).reshape(-1, 3)
    basis = np.zeros((3, components, len(uv), 3), np.float32)
    for channel in range(3):
        maps = pca.component_maps(channel, side)[:components]
        for index, image in enumerate(maps):
            basis[channel, index, :, channel] = at_vertices(image).reshape(-1)
    used = np.abs(basis).max(axis=(2, 3)) > 0
    return AlbedoBasis(mean.astype(np.float32), basis[used])
