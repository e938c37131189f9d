"""The photo sampled at the texels' surface points on the device that the networks run on.

Points, footprints and colours are made there; the photo goes there once and the texture comes back once.
"""

from __future__ import annotations

import numpy as np
import torch

from backend.imaging.on_device.filters import gathered
from backend.imaging.on_device.sampling import sample_image
from backend.imaging.sampling import Footprint
from backend.imaging.tensors import linear_to_srgb
from backend.rendering.camera import Camera
from backend.texture.uv_space import UVSpace

TEXELS_AT_ONCE = 1 << 20  # some 200 bytes each


def sampled_texture(
    crop: np.ndarray,  # float32 [h, w, 3], linear light, a part of the photo
    offset: np.ndarray,  # [2], where it begins, pixels of the photo
    factor: int,  # how many times it was enlarged
    vertices: np.ndarray,  # float32 [V, 3]
    camera: Camera,
    footprint: Footprint,  # of the triangles, in pixels of the photo
    uv_space: UVSpace,
    seen: np.ndarray,  # int [n], flat indices of the texels that are asked for
    device: str,
) -> np.ndarray:
    """The texture, float32 [R, R, 3], sRGB-encoded; 0 where nothing is asked for."""
    image = torch.from_numpy(np.ascontiguousarray(np.moveaxis(crop, -1, 0))).to(device)
    points = torch.from_numpy(camera.to_camera(vertices).astype(np.float32)).to(device)
    jacobians = torch.from_numpy((factor * footprint.jacobian).astype(np.float32)).to(device)
    corners = torch.from_numpy(uv_space.triangles.astype(np.int64)).to(device)
    centre = torch.tensor(np.subtract(camera.centre_px, offset).astype(np.float32)).to(device)
    texture = np.zeros((*uv_space.mask.shape, 3), np.float32)
    for start in range(0, len(seen), TEXELS_AT_ONCE):
        texels = seen[start : start + TEXELS_AT_ONCE]
        triangle = torch.from_numpy(uv_space.triangle.reshape(-1)[texels].astype(np.int64)).to(device)
        weights = torch.from_numpy(uv_space.barycentric.reshape(-1, 3)[texels]).to(device)
        x, y, z = gathered(points, corners[triangle], weights).unbind(1)
        ahead = camera.focal_px / -z
        pixels = torch.stack([centre[0] + ahead * x, centre[1] - ahead * y], 1) * factor
        colour = linear_to_srgb(sample_image(image, pixels, jacobians[triangle]))
        texture.reshape(-1, 3)[texels] = colour.cpu().numpy()
    return texture
