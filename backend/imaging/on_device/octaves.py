"""Steps of Laplacian pyramids on tensors, images [H, W] or [H, W, C]; what they do in `backend.imaging.octaves`."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from backend.imaging.on_device.filters import averaged, filtered, resized
from backend.imaging.on_device.planes import MIRROR, image_of, padded, planes

SOBEL = ((1, 2, 1), (-1, 0, 1), (1, -2, 1))  # by how many times the difference is taken


def halved(image: Tensor) -> Tensor:
    channels, binomial = planes(image), (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
    for axis in (1, 2):
        around = padded(channels, 2, axis, MIRROR)
        evens = 2 * torch.arange((channels.shape[axis] + 1) // 2, device=image.device)
        steps = (around.index_select(axis, evens + k) for k in range(5))
        channels = torch.stack([weight * part for weight, part in zip(binomial, steps, strict=True)]).sum(0)
    return image_of(channels, image)


def doubled(image: Tensor, side: int) -> Tensor:
    channels = planes(image)
    for axis in (1, 2):
        size = channels.shape[axis]
        before = torch.cat([channels.narrow(axis, min(1, size - 1), 1), channels.narrow(axis, 0, size - 1)], axis)
        after = torch.cat([channels.narrow(axis, 1, size - 1), channels.narrow(axis, size - 1, 1)], axis)
        pairs = torch.stack([(before + 6 * channels + after) / 8, (channels + after) / 2], axis + 1)
        channels = pairs.flatten(axis, axis + 1).narrow(axis, 0, side)
    return image_of(channels, image)


def reduce_to(image: Tensor, side: int) -> Tensor:
    if image.shape[0] == side:
        return image
    if image.shape[0] < side:
        return resized(image, side, "bilinear")
    return image_of(averaged(planes(image), (side, side)), image)


def central_difference(image: Tensor, axis: int) -> Tensor:
    around = padded(image[None], 1, axis + 1, MIRROR)[0]
    size = image.shape[axis]
    return (around.narrow(axis, 2, size) - around.narrow(axis, 0, size)) / 2


def smoothed_difference(image: Tensor, right: int, down: int) -> Tensor:
    return filtered(image, 0.25 * np.outer(SOBEL[down], SOBEL[right]))


def enlarged_rows(image: Tensor, side: int, rows: slice, kind: int) -> Tensor:
    if image.shape[0] == side:
        return image[rows]
    return resized(image, side, {cv2.INTER_CUBIC: "bicubic", cv2.INTER_LINEAR: "bilinear"}[kind])[rows]
