"""The photo enlarged where it is small, and sampled at the texels' surface points, on the networks' device.

Points, footprints and colours are made there; the photo goes there once, and the texture stays.
"""

from __future__ import annotations

import numpy as np
import torch

from backend.imaging.arrays import to_device
from backend.imaging.colour import linear_to_srgb
from backend.imaging.sampling import Footprint, gathered, sample_image
from backend.rendering.camera import Camera
from backend.texture.parameters import EnlargingSettings
from backend.texture.super_resolution import Enlarger
from backend.texture.super_resolution_on_device import enlarged
from backend.texture.uv_space import UVSpace

TEXELS_AT_ONCE = 1 << 20  # some 200 bytes each


def enlarged_and_sampled(
    crop: np.ndarray,  # float32 [h, w, 3], linear light, a part of the photo
    offset: np.ndarray,  # [2], where it begins, pixels of the photo
    vertices: np.ndarray,  # float32 [V, 3]
    camera: Camera,
    footprint: Footprint,  # of the triangles, in pixels of the photo
    uv_space: UVSpace,
    seen: np.ndarray,  # int [n], flat indices of the texels that are asked for
    enlargers: tuple[Enlarger, ...],
    pixels_per_texel: float,
    enlarging: EnlargingSettings,
    device: str,
) -> torch.Tensor:
    """The texture, float32 [R, R, 3], sRGB-encoded; 0 where nothing is asked for."""
    image, factor = enlarged(to_device(crop, device), enlargers, pixels_per_texel, enlarging)
    points = to_device(camera.to_camera(vertices), device)
    jacobians = to_device(factor * footprint.jacobian, device)
    corners = to_device(uv_space.triangles.astype(np.int64), device)
    centre = to_device(np.subtract(camera.centre_px, offset), device)
    texture = torch.zeros((*uv_space.mask.shape, 3), device=device)
    for start in range(0, len(seen), TEXELS_AT_ONCE):
        texels = seen[start : start + TEXELS_AT_ONCE]
        triangle = to_device(uv_space.triangle.reshape(-1)[texels].astype(np.int64), device)
        weights = to_device(uv_space.barycentric.reshape(-1, 3)[texels], device)
        x, y, z = gathered(points, corners[triangle], weights).unbind(1)
        ahead = camera.focal_px / -z
        pixels = torch.stack([centre[0] + ahead * x, centre[1] - ahead * y], 1) * factor
        colour = linear_to_srgb(sample_image(image, pixels, Footprint(jacobians[triangle])))
        texture.reshape(-1, 3)[to_device(texels, device)] = colour
    return texture
