"""Sampling of images at places on tensors; what it does in `backend.imaging.sampling`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from backend.imaging.on_device.planes import REPEAT, inside
from backend.imaging.sampling import MAX_TAPS, Footprint

CUBIC = -0.75  # the free number of the cubic kernel, as OpenCV and PyTorch have it


def sample_image(
    image: Tensor,  # [H, W, C], linear light
    pixels: Tensor,  # [n, 2], x right, y down, centres at .5
    footprint: Footprint,
) -> Tensor:
    """Levels and taps as in the reference."""
    jacobian = footprint.jacobian
    length = jacobian.norm(dim=1)  # [n, 2]
    shortest = torch.maximum(length.amin(1), length.amax(1) / MAX_TAPS)
    coarsest = max(0, int(math.log2(min(image.shape[:2]))) - 3)
    level = shortest.clamp_min(1).log2().floor().clamp(0, coarsest).long()
    taps = (length / 2.0 ** level[:, None] - 0.25).ceil().clamp(1, MAX_TAPS).long()
    result = torch.zeros(len(pixels), image.shape[2], device=image.device)
    kind = (level * 16 + taps[:, 0]) * 16 + taps[:, 1]
    current, current_level = image, 0
    there = torch.zeros(256 * (coarsest + 1), dtype=torch.bool, device=image.device)
    there[kind] = True
    for key in there.nonzero()[:, 0].cpu().tolist():
        members = (kind == key).nonzero()[:, 0]
        wanted, nx, ny = key // 256, key // 16 % 16, key % 16
        while current_level < wanted:
            current, current_level = _halved(current), current_level + 1
        middle, along = pixels[members], jacobian[members]
        total = torch.zeros(len(members), image.shape[2], device=image.device)
        for i in range(nx):
            for j in range(ny):
                shift = along[..., 0] * ((i + 0.5) / nx - 0.5) + along[..., 1] * ((j + 0.5) / ny - 0.5)
                total += bicubic(current, (middle + shift) / 2.0**wanted)
        result[members] = total / (nx * ny)
    return result.clamp_min(0)


def _halved(image: Tensor) -> Tensor:
    """Box-filtered to half the size; odd sides lose nothing because the border repeats."""
    height, width = image.shape[:2]
    even = functional.pad(image.movedim(-1, 0)[None], (0, width % 2, 0, height % 2), mode="replicate")
    return functional.avg_pool2d(even, 2)[0].movedim(0, -1).contiguous()


def bicubic(image: Tensor, pixels: Tensor, border: str = REPEAT) -> Tensor:
    """By plain gathers, which every device has."""
    height, width = image.shape[:2]
    flat = image.reshape(height * width, *image.shape[2:])
    place = pixels - 0.5
    first = place.floor()
    x, y = first.long().unbind(1)
    wx, wy = (_cubic_weights(part) for part in (place - first).unbind(1))
    total = torch.zeros(len(pixels), *image.shape[2:], device=image.device)
    for i in range(4):
        row = inside(y + i - 1, height, border) * width
        for j in range(4):
            weight = wy[:, i] * wx[:, j]
            weight = weight if image.dim() == 2 else weight[:, None]
            total += weight * flat[row + inside(x + j - 1, width, border)]
    return total


def turned_parts(image: Tensor, matrices: Sequence[np.ndarray], size: int, border: str) -> Iterator[Tensor]:
    at = torch.arange(size, device=image.device, dtype=torch.float32)
    column, row = at.expand(size, size).flatten(), at[:, None].expand(size, size).flatten()
    places = torch.stack([column, row, torch.ones_like(row)])
    maps = torch.from_numpy(np.stack(matrices).astype(np.float32)).to(image.device) if matrices else at[:0]
    at_once = max(1, (1 << 22) // size**2)  # of some 200 bytes a texel
    for some in maps.split(at_once):
        pixels = (some @ places).movedim(1, -1) + 0.5  # [n, texels, 2]
        yield from bicubic(image, pixels.reshape(-1, 2), border).reshape(-1, size, size)


def _cubic_weights(fraction: Tensor) -> Tensor:
    """Of the four pixels around places [n] between the second and the third of them, [n, 4] (Keys 1981)."""
    near, far = torch.stack([fraction, 1 - fraction], 1), torch.stack([fraction + 1, 2 - fraction], 1)
    inner = ((CUBIC + 2) * near - (CUBIC + 3)) * near * near + 1
    outer = ((CUBIC * far - 5 * CUBIC) * far + 8 * CUBIC) * far - 4 * CUBIC
    return torch.stack([outer[:, 0], inner[:, 0], inner[:, 1], outer[:, 1]], 1)


def sample_linear(image: Tensor, pixels: Tensor) -> Tensor:
    height, width = image.shape
    place = pixels - 0.5
    first = place.floor()
    x, y = first.long().unbind(1)
    fx, fy = (place - first).unbind(1)
    total = torch.zeros(len(pixels), device=image.device)
    for dy, wy in ((0, 1 - fy), (1, fy)):
        for dx, wx in ((0, 1 - fx), (1, fx)):
            row, column = y + dy, x + dx
            there = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            value = image.reshape(-1)[row.clamp(0, height - 1) * width + column.clamp(0, width - 1)]
            total += torch.where(there, wy * wx * value, 0)
    return total


def gathered(values: Tensor, corners: Tensor, weights: Tensor) -> Tensor:
    return (values[corners] * weights[..., None]).sum(1)
