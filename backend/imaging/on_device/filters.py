"""What the stages are made of, on the device that the networks run on: images as tensors [C, H, W].

Each has its reference in NumPy, which the CPU runs and the tests compare it with: `masked_blur`, `reduced` and
`enlarged` in `imaging.filters`, `membrane` in `imaging.membrane`, `bicubic` in `imaging.sampling`, `inner_distance` and
`extended` in OpenCV's distance transform, `gathered` in `texture.uv_space`. Single precision throughout, which is all
that Apple's GPUs have.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

CUBIC = -0.75  # the free number of the cubic kernel, as OpenCV and PyTorch have it
FAR = torch.iinfo(torch.int64).max  # as a squared distance in texels: nothing was found


def masked_blur(
    image: Tensor,  # [C, H, W]
    weight: Tensor,  # [H, W], >= 0
    sigma: float,  # pixels
) -> Tensor:
    """Gaussian blur that counts each pixel by its weight; sides are multiples of the blur's reduction."""
    shrink = 1 << max(0, int(math.log2(max(sigma / 4, 1))))
    size = image.shape[-2:]
    both = torch.cat([image * weight, weight[None]])
    if shrink > 1:
        both = functional.avg_pool2d(both[None], shrink)[0]
    both = _gaussian(both, sigma / shrink)
    ratio = both[:-1] / both[-1:].clamp_min(1e-6)
    if shrink == 1:
        return ratio
    return functional.interpolate(ratio[None], size, mode="bilinear", align_corners=False)[0]


def _gaussian(image: Tensor, sigma: float) -> Tensor:
    """Gaussian blur with nothing beyond the border, the kernel four deviations to either side."""
    radius = round(8 * sigma + 1) // 2
    offsets = torch.arange(-radius, radius + 1, device=image.device, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    rows = functional.conv2d(image[:, None], kernel.reshape(1, 1, 1, -1), padding=(0, radius))
    return functional.conv2d(rows, kernel.reshape(1, 1, -1, 1), padding=(radius, 0))[:, 0]


def reduced(image: Tensor, side: int) -> Tensor:
    """Area average of [C, R, R] on side x side; R is a multiple of it."""
    return functional.avg_pool2d(image[None], image.shape[-1] // side)[0]


def enlarged(image: Tensor, side: int) -> Tensor:
    """Bicubic enlargement of [C, B, B] to side x side."""
    return functional.interpolate(image[None], (side, side), mode="bicubic", align_corners=False)[0]


def bicubic(
    image: Tensor,  # [C, H, W]
    pixels: Tensor,  # [n, 2], x right, y down, centres at .5
) -> Tensor:
    """Bicubic samples [n, C]; the border repeats. By plain gathers, which every device has."""
    height, width = image.shape[-2:]
    flat = image.reshape(len(image), -1)
    place = pixels - 0.5
    first = place.floor()
    x, y = first.long().unbind(1)
    wx, wy = (_cubic_weights(part) for part in (place - first).unbind(1))
    total = torch.zeros(len(pixels), len(image), device=image.device)
    for i in range(4):
        row = (y + i - 1).clamp(0, height - 1) * width
        for j in range(4):
            at = row + (x + j - 1).clamp(0, width - 1)
            total += (wy[:, i] * wx[:, j])[:, None] * flat[:, at].T
    return total


def _cubic_weights(fraction: Tensor) -> Tensor:
    """Of the four pixels around places [n] between the second and the third of them, [n, 4] (Keys 1981)."""
    near, far = torch.stack([fraction, 1 - fraction], 1), torch.stack([fraction + 1, 2 - fraction], 1)
    inner = ((CUBIC + 2) * near - (CUBIC + 3)) * near * near + 1
    outer = ((CUBIC * far - 5 * CUBIC) * far + 8 * CUBIC) * far - 4 * CUBIC
    return torch.stack([outer[:, 0], inner[:, 0], inner[:, 1], outer[:, 1]], 1)


def gathered(
    values: Tensor,  # [V, C], at the vertices
    corners: Tensor,  # int64 [n, 3], vertices
    weights: Tensor,  # [n, 3]
) -> Tensor:
    """Values [n, C] at points of a surface."""
    return (values[corners] * weights[..., None]).sum(1)


def nearest(mask: Tensor) -> tuple[Tensor, Tensor]:
    """For every texel of a bool mask [H, W] the nearest one that is True: its flat index, int64 [H, W], and the squared
    distance, int64 [H, W], `FAR` where there is none.

    By jump flooding (Rong and Tan, "Jump flooding in GPU with applications to Voronoi diagram and distance transform",
    2006), with steps of one once more at the end, after which hardly any texel is wrong, and those by little.
    """
    height, width = mask.shape
    rows = torch.arange(height, device=mask.device)[:, None]
    columns = torch.arange(width, device=mask.device)
    flat = rows * width + columns
    found, best = torch.where(mask, flat, -1), torch.where(mask, 0, FAR)
    step = 1 << max(0, (max(height, width) - 1).bit_length() - 1)
    while True:
        for dy in (-step, 0, step):
            for dx in (-step, 0, step):
                told = _shifted(found, dy, dx)
                squared = (rows - told // width) ** 2 + (columns - told % width) ** 2
                squared = torch.where(told < 0, FAR, squared)
                found, best = torch.where(squared < best, told, found), torch.minimum(squared, best)
        if step == 1:
            break
        step //= 2
    for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        told = _shifted(found, dy, dx)
        squared = (rows - told // width) ** 2 + (columns - told % width) ** 2
        squared = torch.where(told < 0, FAR, squared)
        found, best = torch.where(squared < best, told, found), torch.minimum(squared, best)
    return found, best


def _shifted(values: Tensor, dy: int, dx: int) -> Tensor:
    """What lies (dy, dx) from each texel of [H, W], -1 beyond the border."""
    height, width = values.shape
    padded = functional.pad(values, (max(-dx, 0), max(dx, 0), max(-dy, 0), max(dy, 0)), value=-1)
    top, left = max(dy, 0), max(dx, 0)
    return padded[top : top + height, left : left + width]


def inner_distance(mask: Tensor) -> Tensor:
    """Distance [H, W] of the texels of a bool mask to its border, 0 outside."""
    return nearest(~mask)[1].float().sqrt()


def extended(image: Tensor, mask: Tensor, texels: float) -> Tensor:
    """An image [C, H, W] in which texels up to so many outside a bool mask [H, W] take the nearest value inside."""
    found, squared = nearest(mask)
    source = torch.where(~mask & (squared <= texels * texels), found, -1).flatten()
    flat = image.flatten(1)
    return torch.where(source >= 0, flat[:, source.clamp_min(0)], flat).reshape(image.shape)
