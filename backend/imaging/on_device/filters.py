"""Filters on tensors, images [H, W] or [H, W, C]; what they do, and their arguments, in `backend.imaging.filters`.

Single precision throughout, which is all that Apple's GPUs have.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from backend.imaging.on_device.planes import MIRROR, ZERO, image_of, padded, planes


def masked_blur(image: Tensor, weight: Tensor, sigma: float) -> Tensor:
    shrink = 1 << max(0, int(math.log2(max(sigma / 4, 1))))
    height, width = weight.shape
    both = torch.cat([planes(image) * weight, weight[None]])
    if shrink > 1:
        both = averaged(both, (max(1, height // shrink), max(1, width // shrink)))
    both = blurred(both, sigma / shrink, ZERO)
    ratio = both[:-1] / both[-1:].clamp_min(1e-6)
    if shrink > 1:
        ratio = functional.interpolate(ratio[None], (height, width), mode="bilinear", align_corners=False)[0]
    return image_of(ratio, image)


def gaussian_blur(image: Tensor, sigma: float, border: str = MIRROR) -> Tensor:
    return image_of(blurred(planes(image), sigma, border), image)


def blurred(channels: Tensor, sigma: float, border: str) -> Tensor:
    """`gaussian_blur` of planes [C, H, W], the kernel four deviations to either side."""
    radius = round(8 * sigma + 1) // 2
    offsets = torch.arange(-radius, radius + 1, device=channels.device, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    rows = functional.conv2d(padded(channels, radius, 2, border)[:, None], kernel.reshape(1, 1, 1, -1))[:, 0]
    return functional.conv2d(padded(rows, radius, 1, border)[:, None], kernel.reshape(1, 1, -1, 1))[:, 0]


def masked_reduce(image: Tensor, weight: Tensor, side: int) -> tuple[Tensor, Tensor]:
    if weight.shape[0] == side:
        return image, weight
    both = averaged(torch.cat([planes(image) * weight, weight[None]]), (side, side))
    return image_of(both[:-1] / both[-1:].clamp_min(1e-6), image), both[-1]


def averaged(channels: Tensor, size: tuple[int, int]) -> Tensor:
    """Area averages of planes [C, H, W] on fewer texels [C, h, w]."""
    for axis, wanted in ((1, size[0]), (2, size[1])):
        given = channels.shape[axis]
        if given % wanted == 0:
            channels = channels.unflatten(axis, (wanted, given // wanted)).mean(axis + 1)
        else:
            # How much of each texel lies in each of the larger ones.
            ends = torch.arange(wanted + 1, device=channels.device) * (given / wanted)
            at = torch.arange(given, device=channels.device)
            low, high = torch.maximum(ends[:-1, None], at), torch.minimum(ends[1:, None], at + 1)
            share = (high - low).clamp_min(0) * (wanted / given)
            channels = (channels.movedim(axis, -1) @ share.T).movedim(-1, axis)
    return channels


def enlarge(image: Tensor, side: int) -> Tensor:
    return image if image.shape[0] == side else resized(image, side, "bicubic")


def resized(image: Tensor, side: int, mode: str) -> Tensor:
    """An image on side x side texels, by interpolation in PyTorch's words."""
    whole = functional.interpolate(planes(image)[None], (side, side), mode=mode, align_corners=False)[0]
    return image_of(whole, image)


def grown(image: Tensor, reach: int, square: bool = False) -> Tensor:
    channels = planes(image.float())
    size = 2 * reach + 1
    shape = cv2.MORPH_RECT if square else cv2.MORPH_ELLIPSE
    # The ellipse row by row, each symmetric: half the length, or -1.
    halves = (np.count_nonzero(cv2.getStructuringElement(shape, (size, size)), axis=1) - 1) // 2
    height = channels.shape[1]
    result = torch.full_like(channels, -torch.inf)
    for half in sorted(set(halves.tolist()) - {-1}):
        along = functional.max_pool2d(channels[None], (1, 2 * half + 1), stride=1, padding=(0, half))[0]
        for offset in (np.flatnonzero(halves == half) - reach).tolist():
            first, last = max(0, -offset), min(height, height - offset)
            if first < last:
                here = result[:, first:last]
                result[:, first:last] = torch.maximum(here, along[:, first + offset : last + offset])
    return image_of(result, image).to(image.dtype)


def shrunk(image: Tensor, reach: int, square: bool = False) -> Tensor:
    if image.dtype == torch.bool:
        return ~grown(~image, reach, square)
    return -grown(-image, reach, square)


def filtered(image: Tensor, kernel: np.ndarray) -> Tensor:
    rows, columns = kernel.shape
    around = padded(padded(planes(image), columns // 2, 2, MIRROR), rows // 2, 1, MIRROR)
    weights = torch.from_numpy(np.ascontiguousarray(kernel, np.float32)).to(image.device)
    return image_of(functional.conv2d(around[:, None], weights[None, None])[:, 0], image)


def counts_before(mask: Tensor) -> Tensor:
    sums = mask.cumsum(0, dtype=torch.int32).cumsum(1, dtype=torch.int32)
    return functional.pad(sums, (1, 0, 1, 0))


def without_holes(mask: Tensor) -> Tensor:
    """By sweeps along rows and columns from outside until nothing more is reached."""
    free = functional.pad(~mask, (1, 1, 1, 1), value=True)
    outside = torch.zeros_like(free)
    outside[0] = True
    while True:
        before = outside
        for axis in (0, 1):
            outside = _swept(outside, free, axis) | _swept(outside.flip(axis), free.flip(axis), axis).flip(axis)
        if bool((outside == before).all()):
            return ~outside[1:-1, 1:-1]


def _swept(reached: Tensor, free: Tensor, axis: int) -> Tensor:
    """What lies behind something reached along an axis with nothing in between."""
    number = torch.arange(1, reached.shape[axis] + 1, device=reached.device)
    number = number[:, None] if axis == 0 else number
    latest = torch.where(reached, number, 0).cummax(axis).values
    blocked = torch.where(free, 0, number).cummax(axis).values
    return (latest > blocked) & free
