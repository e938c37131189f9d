"""Connected parts of masks on tensors; what each function does is said in `backend.imaging.parts`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def parts(mask: Tensor) -> tuple[Tensor, int]:
    """Every texel takes the largest number in its part, along rows, columns and diagonals by turns."""
    height, width = mask.shape
    texels = height * width
    assert texels * max(height, width) < 2**31
    own = torch.arange(1, texels + 1, device=mask.device, dtype=torch.int32).reshape(height, width)
    found = torch.where(mask, own, 0)
    while True:
        before = found
        for axis in (0, 1):
            ahead = _along(found, mask, axis)
            found = torch.maximum(ahead, _along(found.flip(axis), mask.flip(axis), axis).flip(axis))
        # Whole numbers up to 2^24 are exact in single precision.
        around = functional.max_pool2d(found.float()[None], 3, stride=1, padding=1)[0]
        found = torch.where(mask, around.int(), 0)
        if bool((found == before).all()):
            break
    # A part's number is that of one of its texels, by which they are counted.
    number = (found == torch.where(mask, own, -1)).flatten().cumsum(0, dtype=torch.int32)
    labels = torch.where(mask, number[(found - 1).clamp_min(0).flatten().long()].reshape(height, width), 0)
    return labels, int(number[-1])


def _along(found: Tensor, mask: Tensor, axis: int) -> Tensor:
    """The largest number from the beginning of each run of a mask up to each of its texels."""
    most = found.numel() + 1
    # Runs are told apart by how much lies between them and the first texel.
    run = (~mask).cumsum(axis, dtype=torch.int32) * most
    return torch.where(mask, (found + run).cummax(axis).values - run, 0)


def texels_of_parts(labels: Tensor, count: int) -> Tensor:
    flat = labels.flatten().long()
    return torch.zeros(count + 1, device=labels.device, dtype=torch.int32).scatter_add(
        0, flat, torch.ones_like(flat, dtype=torch.int32)
    )


def largest_in_parts(labels: Tensor, count: int, values: Tensor) -> Tensor:
    found = torch.zeros(count + 1, device=labels.device)
    inside = torch.where(labels > 0, values, 0)
    return found.scatter_reduce(0, labels.flatten().long(), inside.flatten(), "amax")
