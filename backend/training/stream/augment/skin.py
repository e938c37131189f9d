"""The skin that augmentations work on, in optical density, and the brushes that they share."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from backend.imaging.tensors import gaussian_blur

DARKEST = 0.006  # linear albedo of black hair
# Optical density per unit of pigment, red green blue of linear sRGB. Haemoglobin takes green most, then blue (its
# absorption bands at 540 and 575 nm); the slope of melanin is that between light and dark skins of real people, which
# is flatter than its absorption alone because of scattering. Model: Tsumura et al., "Image-based skin color and texture
# analysis/synthesis by extracting hemoglobin and melanin information in the skin", SIGGRAPH 2003.
MELANIN = (0.48, 0.59, 0.65)
HAEMOGLOBIN = (0.12, 0.75, 0.65)


@dataclass(frozen=True)
class Skin:
    """One skin in texture space, on any device.

    Args:
        density: float32 [3, R, R], optical density -ln(linear diffuse albedo).
        height: float32 [R, R], mesoscopic relief outwards, mm.
        gloss: float32 [R, R], factor on the specular albedo; 1 = ordinary skin.
    """

    density: Tensor
    height: Tensor
    gloss: Tensor

    @staticmethod
    def of_albedo(albedo: Tensor) -> Skin:
        """Flat, ordinary skin of a linear albedo [3, R, R]."""
        flat = torch.zeros_like(albedo[0])
        return Skin(to_density(albedo), flat, flat + 1)

    @property
    def albedo(self) -> Tensor:
        """Linear diffuse albedo [3, R, R]."""
        return torch.exp(-self.density).clamp(DARKEST, 0.98)

    @property
    def resolution(self) -> int:
        return self.density.shape[-1]

    def with_density(self, density: Tensor) -> Skin:
        return replace(self, density=density)

    def with_pigment(self, melanin: Tensor, haemoglobin: Tensor | None = None) -> Skin:
        """More (or less) pigment, each [R, R] in units of density."""
        density = self.density + melanin * axis(MELANIN, self.density)
        if haemoglobin is not None:
            density = density + haemoglobin * axis(HAEMOGLOBIN, self.density)
        return replace(self, density=density)

    def with_relief(self, height: Tensor, gloss: Tensor | None = None) -> Skin:
        """Relief added, [R, R] in mm, and gloss multiplied."""
        return replace(self, height=self.height + height, gloss=self.gloss if gloss is None else self.gloss * gloss)


def to_density(albedo: Tensor) -> Tensor:
    """Optical density of linear albedo."""
    return -torch.log(albedo.clamp(DARKEST, 1.0))


def axis(values: tuple[float, float, float], like: Tensor) -> Tensor:
    """Three channel values as [3, 1, 1] beside `like`."""
    return like.new_tensor(values)[:, None, None]


def blur(image: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of [R, R] or [C, R, R], sigma in texels."""
    return gaussian_blur(image.reshape(1, -1, *image.shape[-2:]), sigma).reshape(image.shape)


def masked_blur(image: Tensor, mask: Tensor, sigma: float) -> Tensor:
    """Gaussian average of [C, R, R] over the texels of a soft mask [R, R]."""
    return blur(image * mask, sigma) / blur(mask, sigma).clamp_min(1e-3)


def noise(rng: np.random.Generator, resolution: int, cell: float, like: Tensor, channels: int = 1) -> Tensor:
    """Smooth noise float32 [channels, R, R], about N(0, 1), with bumps of about `cell` texels."""
    side = max(2, math.ceil(resolution / max(cell, 1.0)) + 3)
    grid = torch.from_numpy(rng.standard_normal((1, channels, side, side), dtype=np.float32)).to(like.device)
    if side >= resolution:
        return grid[0, :, :resolution, :resolution]
    # Bicubic interpolation loses about half of the variance on average; 1.35 gives it back.
    size = round(side * max(cell, 1.0))
    wide = torch.nn.functional.interpolate(grid, (size, size), mode="bicubic", align_corners=False)
    start = int(rng.integers(0, max(1, min(round(cell), size - resolution))))
    return 1.35 * wide[0, :, start : start + resolution, start : start + resolution]


def sample_points(rng: np.random.Generator, weight: Tensor, count: int) -> np.ndarray:
    """`count` places float32 [count, 2] in texels (x, y), as dense as the weight [R, R] says."""
    if count <= 0:
        return np.zeros((0, 2), np.float32)
    coarse = torch.nn.functional.avg_pool2d(weight[None, None], 4)[0, 0].cpu().numpy().astype(np.float64)
    total = np.cumsum(coarse.ravel())
    if total[-1] <= 0:
        return np.zeros((0, 2), np.float32)
    cell = np.searchsorted(total, rng.random(count) * total[-1], side="right").clip(0, coarse.size - 1)
    corner = np.stack([cell % coarse.shape[1], cell // coarse.shape[1]], axis=1) * 4.0
    return (corner + rng.random((count, 2)) * 4 - 0.5).astype(np.float32)


def splat(points: np.ndarray, values: np.ndarray, resolution: int, like: Tensor) -> Tensor:
    """Sum of values [n] spread bilinearly at points [n, 2] (texels): float32 [R, R]; what falls outside is dropped."""
    low = np.floor(points).astype(np.int64)
    part = points - low
    image = np.zeros(resolution * resolution)
    for dx in (0, 1):
        for dy in (0, 1):
            x, y = low[:, 0] + dx, low[:, 1] + dy
            share = np.abs(1 - dx - part[:, 0]) * np.abs(1 - dy - part[:, 1]) * values
            inside = (x >= 0) & (x < resolution) & (y >= 0) & (y < resolution)
            image += np.bincount(y[inside] * resolution + x[inside], share[inside], resolution * resolution)
    return torch.from_numpy(image.reshape(resolution, resolution).astype(np.float32)).to(like.device)


def strokes(
    starts: np.ndarray,  # [n, 2] texels
    steps: np.ndarray,  # [n, 2] texels, whole length and direction
    bends: np.ndarray,  # [n], sideways bow as a share of the length
    values: np.ndarray,  # [n], coverage per texel of length
    resolution: int,
    like: Tensor,
) -> Tensor:
    """Thin curved lines, each spread over the texels that it crosses: float32 [R, R], overlaps add."""
    length = np.linalg.norm(steps, axis=1)
    count = max(2, int(np.ceil(np.percentile(length, 95) / 0.8))) if len(length) else 2
    t = np.linspace(0, 1, count, dtype=np.float32)[None, :, None]
    side = np.stack([-steps[:, 1], steps[:, 0]], axis=1)[:, None] * bends[:, None, None]
    points = starts[:, None] + t * steps[:, None] + t * (1 - t) * 4 * side
    taper = 1 - 0.6 * t[..., 0]  # hairs thin out towards the tip
    weight = (values * length / count)[:, None] * taper
    return splat(points.reshape(-1, 2), weight.reshape(-1), resolution, like)
