"""Gaussian blur of batches of tensors, with gradients, for networks and their training."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def gaussian_blur(
    image: Tensor,  # [B, C, H, W]
    sigma: float,  # pixels
) -> Tensor:
    """Gaussian blur with repeated borders; wide ones on a smaller copy, which looks the same."""
    if sigma < 0.2:
        return image
    factor = 1
    while sigma / factor > 3.2 and min(image.shape[-2:]) // (2 * factor) >= 16:
        factor *= 2
    small = functional.avg_pool2d(image, factor) if factor > 1 else image
    # Averaging blocks and bilinear enlargement blur as well, by (f^2 - 1) / 12 and about f^2 / 6.
    reduced = math.sqrt(max(sigma**2 - (0.25 * factor**2 if factor > 1 else 0), 0.04)) / factor
    radius = max(1, math.ceil(2.6 * reduced))
    offsets = torch.arange(-radius, radius + 1, dtype=image.dtype, device=image.device)
    kernel = torch.exp(-0.5 * (offsets / reduced) ** 2)
    kernel = kernel / kernel.sum()
    batch, channels, height, width = small.shape
    flat = small.reshape(batch * channels, 1, height, width)
    flat = functional.conv2d(functional.pad(flat, (radius, radius, 0, 0), mode="replicate"), kernel.view(1, 1, 1, -1))
    flat = functional.conv2d(functional.pad(flat, (0, 0, radius, radius), mode="replicate"), kernel.view(1, 1, -1, 1))
    blurred = flat.reshape(batch, channels, height, width)
    if factor == 1:
        return blurred
    return functional.interpolate(blurred, image.shape[-2:], mode="bilinear", align_corners=False)
