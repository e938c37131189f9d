"""The regions of the skin (`backend.texture.skin_regions`) as tensors, for augmentations."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property

import cv2
import numpy as np
import torch
from torch import Tensor

from backend.head.model import HeadModel
from backend.texture.skin_regions import skin_regions
from backend.texture.uv_space import uv_space


@dataclass(frozen=True)
class RegionMasks:
    """`SkinRegions`, its masks as tensors.

    Args:
        down: float32 [2, R, R], unit step in texels (x, y) that goes down along the head, for the growth of hair.
    """

    island: Tensor
    face: Tensor
    lips: Tensor
    brows: Tensor
    eyes: Tensor
    nose: Tensor
    nose_tip: Tensor
    forehead: Tensor
    cheeks: Tensor
    under_eyes: Tensor
    lids: Tensor
    moustache: Tensor
    chin: Tensor
    beard: Tensor
    face_low: Tensor
    ears: Tensor
    neck: Tensor
    scalp: Tensor
    down: Tensor
    texels_per_mm: float
    points: np.ndarray

    @property
    def resolution(self) -> int:
        return self.island.shape[-1]

    def to(self, device: torch.device | str) -> RegionMasks:
        tensors = {f.name: v for f in fields(self) if isinstance(v := getattr(self, f.name), Tensor)}
        return replace(self, **{name: value.to(device) for name, value in tensors.items()})

    @cached_property
    def plain(self) -> Tensor:
        """Skin of the face without lips, brows, eyes and whiskers: what a skin tone is measured on."""
        hidden = torch.stack([self.lips, self.brows, self.eyes, self.moustache]).amax(0)
        area = torch.maximum(torch.maximum(self.cheeks, self.forehead), self.nose)
        return area * (1 - hidden)


def region_masks(model: HeadModel, resolution: int) -> RegionMasks:
    """Masks of the model's mean head."""
    space = uv_space(model, resolution)
    regions = skin_regions(model, space)
    values = {f.name: getattr(regions, f.name) for f in fields(regions)}
    places = {name: values.pop(name) for name in ("texels_per_mm", "points")}
    masks = {name: torch.from_numpy(np.ascontiguousarray(value, np.float32)) for name, value in values.items()}
    down = torch.from_numpy(_growth(space.positions(model.mean), space.mask))
    return RegionMasks(**masks, **places, down=down)


def _growth(position: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Unit steps in texels [2, R, R] along which the head's y falls fastest."""
    filled = cv2.GaussianBlur(
        np.where(mask, position[..., 1], position[..., 1][mask].min()).astype(np.float32), (0, 0), 3
    )
    step = -np.stack([cv2.Sobel(filled, cv2.CV_32F, 1, 0), cv2.Sobel(filled, cv2.CV_32F, 0, 1)])
    return (step / np.maximum(np.linalg.norm(step, axis=0), 1e-9)).astype(np.float32)
