"""Filtered sampling over the footprints of texels on the device that the networks run on; the reference is
`backend.imaging.sampling.sample_image`."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from backend.imaging.on_device.filters import bicubic
from backend.imaging.sampling import MAX_TAPS


def sample_image(
    image: Tensor,  # [C, H, W], linear light
    pixels: Tensor,  # [n, 2], x right, y down, centres at .5
    jacobian: Tensor,  # [n, 2, 2], d(pixel x, y) / d(texel x, y)
) -> Tensor:
    """Average an image over texel footprints: [n, C]; levels and taps as in the reference."""
    length = jacobian.norm(dim=1)  # [n, 2]
    shortest = torch.maximum(length.amin(1), length.amax(1) / MAX_TAPS)
    coarsest = max(0, int(math.log2(min(image.shape[-2:]))) - 3)
    level = shortest.clamp_min(1).log2().floor().clamp(0, coarsest).long()
    taps = (length / 2.0 ** level[:, None] - 0.25).ceil().clamp(1, MAX_TAPS).long()
    result = torch.zeros(len(pixels), len(image), device=image.device)
    kind = (level * 16 + taps[:, 0]) * 16 + taps[:, 1]
    current, current_level = image, 0
    for key in sorted(set(kind.cpu().tolist())):
        members = (kind == key).nonzero()[:, 0]
        wanted, nx, ny = key // 256, key // 16 % 16, key % 16
        while current_level < wanted:
            current, current_level = _halved(current), current_level + 1
        middle, along = pixels[members], jacobian[members]
        total = torch.zeros(len(members), len(image), device=image.device)
        for i in range(nx):
            for j in range(ny):
                shift = along[..., 0] * ((i + 0.5) / nx - 0.5) + along[..., 1] * ((j + 0.5) / ny - 0.5)
                total += bicubic(current, (middle + shift) / 2.0**wanted)
        result[members] = total / (nx * ny)
    return result.clamp_min(0)


def _halved(image: Tensor) -> Tensor:
    """Box-filtered to half the size; odd sides lose nothing because the border repeats."""
    height, width = image.shape[-2:]
    even = functional.pad(image[None], (0, width % 2, 0, height % 2), mode="replicate")
    return functional.avg_pool2d(even, 2)[0]
