"""The face that a texture would show a camera, as the network looks at it: a lookup at fixed barycentrics."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from backend.head.model import HeadModel
from backend.identity.chip import SIDE, ChipSettings, chip_to_photo
from backend.rendering.camera import Camera
from backend.rendering.rasteriser import Rasteriser

OVERSAMPLING = 2


@dataclass(frozen=True)
class ChipLookup:
    """Where the chip's pixels look in a texture; differentiable in the texture, fixed in shape and camera.

    Args:
        grid: float32 [1, S, S, 2], places as `grid_sample` takes them, S = 150 times the oversampling.
        share: float32 [1, 1, S, S], 1 where the texture is seen, 0 where the background is.
        background: float32 [1, 3, 150, 150], sRGB-encoded in [0, 1]: eyes, mouth, hair, all that is no skin.
    """

    grid: Tensor
    share: Tensor
    background: Tensor

    def __call__(
        self,
        texture_srgb: Tensor,  # [B, 3, R, R], sRGB-encoded in [0, 1], row 0 is v = 1
    ) -> Tensor:
        """Aligned faces [B, 3, 150, 150], sRGB-encoded in [0, 1]."""
        grid = self.grid.expand(len(texture_srgb), -1, -1, -1)
        seen = functional.grid_sample(texture_srgb, grid, mode="bilinear", padding_mode="border", align_corners=False)
        factor = self.share.shape[-1] // SIDE
        share = functional.avg_pool2d(self.share, factor)
        return functional.avg_pool2d(seen * self.share, factor) + (1 - share) * self.background

    def to(self, device: torch.device | str) -> ChipLookup:
        return ChipLookup(self.grid.to(device), self.share.to(device), self.background.to(device))


def chip_camera(camera: Camera, landmarks_px: np.ndarray, settings: ChipSettings = ChipSettings()) -> Camera:
    """The camera whose picture is the aligned face of landmarks [478, 2] in another camera's picture."""
    warp = chip_to_photo(landmarks_px, settings)
    scale = float(np.hypot(warp[0, 0], warp[1, 0]))
    cosine, sine = warp[0, 0] / scale, warp[1, 0] / scale
    roll = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    x, y = np.linalg.solve(warp[:, :2], np.array(camera.centre_px) - warp[:, 2])
    return replace(
        camera,
        rotation=roll @ camera.rotation,
        translation=roll @ camera.translation,
        focal_px=camera.focal_px / scale,
        centre_px=(float(x), float(y)),
        width=SIDE,
        height=SIDE,
    )


def chip_lookup(
    model: HeadModel,
    vertices: np.ndarray,  # [V, 3], the head as it is seen, metres
    camera: Camera,
    rasteriser: Rasteriser,
    background: Tensor,  # float32 [1, 3, 150, 150], see `ChipLookup`
) -> ChipLookup:
    """The lookup for a head before a camera; the face is aligned by the head's own landmarks."""
    landmarks = camera.project(model.landmarks(vertices).astype(np.float64))
    close = chip_camera(camera, landmarks).scaled(OVERSAMPLING)
    drawn = tuple(name for name in model.part_names if name != "lashes")
    fragments = rasteriser.rasterise(vertices, model.triangles(*drawn), close)
    faces = model.part_faces(*drawn)
    part = np.repeat(model.face_part[faces], np.where(model.quads[faces, 3] < 0, 1, 2))
    skin = fragments.mask & (part[fragments.triangle] == model.part_names.index("skin"))
    corners = model.uv[model.uv_triangles(*drawn)]
    uv = np.einsum("hwk,hwkc->hwc", fragments.barycentric, corners[np.maximum(fragments.triangle, 0)])
    grid = np.stack([2 * uv[..., 0] - 1, 1 - 2 * uv[..., 1]], axis=-1)
    return ChipLookup(
        torch.from_numpy(grid.astype(np.float32))[None],
        torch.from_numpy(skin.astype(np.float32))[None, None],
        background,
    )
