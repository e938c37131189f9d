"""Bilinear samples of images on tensors; what they do, and their arguments, in `backend.imaging.sampling`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def bilinear(image: Tensor, pixels: Tensor) -> Tensor:
    return _sampled(image, pixels, repeat=True)


def warped(image: Tensor, offset: Tensor) -> Tensor:
    height, width = image.shape[:2]
    y, x = torch.arange(height, device=image.device)[:, None], torch.arange(width, device=image.device)[None]
    pixels = torch.stack([x + 0.5 + offset[..., 0], y + 0.5 + offset[..., 1]], -1)
    return _sampled(image, pixels.reshape(-1, 2), repeat=True).reshape(image.shape)


def part_resized(image: Tensor, corner: Sequence[float], scale: float, size: tuple[int, int], repeat: bool) -> Tensor:
    x, y = (
        (torch.arange(count, device=image.device) + 0.5) / scale + float(start)
        for count, start in zip(size, corner, strict=True)
    )
    pixels = torch.stack([x.repeat(len(y)), y.repeat_interleave(len(x))], 1)
    return _sampled(image, pixels, repeat).reshape(len(y), len(x), *image.shape[2:])


def _sampled(image: Tensor, pixels: Tensor, repeat: bool) -> Tensor:
    """Samples [n, ...] of an image [H, W, ...] at pixels [n, 2]; beyond the border it repeats, or is 0."""
    height, width = image.shape[:2]
    flat = image.reshape(height * width, -1)
    place = pixels - 0.5
    first = place.floor()
    (x, y), (right, down) = first.long().unbind(1), (place - first).unbind(1)
    total = image.new_zeros((len(pixels), flat.shape[1]))
    for dy, across in ((0, 1 - down), (1, down)):
        for dx, along in ((0, 1 - right), (1, right)):
            row, column = (y + dy).clamp(0, height - 1), (x + dx).clamp(0, width - 1)
            share = across * along
            if not repeat:
                share = share * ((row == y + dy) & (column == x + dx))
            total += share[:, None] * flat[row * width + column]
    return total.reshape(len(pixels), *image.shape[2:])
