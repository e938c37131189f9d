"""Images as PyTorch's functions take them, planes of channels, and their borders."""

from __future__ import annotations

import torch
from torch import Tensor

# Borders as OpenCV names them: `reflect` 101, constant 0, replicate, wrap.
MIRROR, ZERO, REPEAT, WRAP = "mirror", "zero", "repeat", "wrap"


def planes(image: Tensor) -> Tensor:
    """[C, H, W] of an image [H, W] or [H, W, C]."""
    return image[None] if image.dim() == 2 else image.movedim(-1, 0)


def image_of(channels: Tensor, like: Tensor) -> Tensor:
    """Planes [C, H, W] as an image that has as many dimensions as another."""
    return channels[0] if like.dim() == 2 else channels.movedim(0, -1).contiguous()


def inside(places: Tensor, size: int, border: str) -> Tensor:
    """Where whole places, which may lie beyond the ends of a row of so many texels, find their value."""
    if border == WRAP:
        return places.remainder(size)
    if border == REPEAT or size == 1:
        return places.clamp(0, size - 1)
    assert border == MIRROR
    period = 2 * (size - 1)
    within = places.remainder(period)
    return torch.minimum(within, period - within)


def padded(channels: Tensor, reach: int, axis: int, border: str) -> Tensor:
    """Planes with so many more texels at both ends of an axis."""
    size = channels.shape[axis]
    if border == ZERO:
        shape = list(channels.shape)
        shape[axis] = reach
        nothing = channels.new_zeros(shape)
        return torch.cat([nothing, channels, nothing], axis)
    where = torch.arange(-reach, size + reach, device=channels.device)
    return channels.index_select(axis, inside(where, size, border))
