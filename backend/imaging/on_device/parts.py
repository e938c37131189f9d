"""Connected parts of masks on tensors; what each function does is said in `backend.imaging.parts`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def parts(mask: Tensor) -> tuple[Tensor, int]:
    """Trees of texels that hook onto each other and are shortened until each part is one, in about ten rounds.

    Source: Zhang, Azad and Hu, "FastSV: a distributed-memory connected component algorithm with fast convergence",
    2020, on pixels.
    """
    height, width = mask.shape
    texels = height * width
    inside = functional.pad(mask.flatten(), (1, 0))  # number 0 is what is outside
    # Whole numbers up to 2^24 are exact in single precision, which every device finds the largest of.
    assert texels < 1 << 24
    own = torch.arange(texels + 1, device=mask.device, dtype=torch.float32)
    root = torch.where(inside, own, 0)
    while True:
        at = root.long()
        above = root[at]
        around = functional.max_pool2d(above[1:].reshape(1, height, width), 3, stride=1, padding=1)
        around = torch.where(inside, functional.pad(around.flatten(), (1, 0)), 0)
        hooked = root.scatter_reduce(0, at, around, "amax")
        hooked = torch.maximum(torch.maximum(hooked, around), above)
        if bool((hooked == root).all()):
            break
        root = hooked
    # A part has the number of one of its texels, by which parts are counted.
    count = (inside & (root == own)).cumsum(0, dtype=torch.int32)
    labels = torch.where(inside, count[root.long()], 0)
    return labels[1:].reshape(height, width), int(count[-1])


def texels_of_parts(labels: Tensor, count: int) -> Tensor:
    flat = labels.flatten().long()
    return torch.zeros(count + 1, device=labels.device, dtype=torch.int32).scatter_add(
        0, flat, torch.ones_like(flat, dtype=torch.int32)
    )


def largest_in_parts(labels: Tensor, count: int, values: Tensor) -> Tensor:
    found = torch.zeros(count + 1, device=labels.device)
    inside = torch.where(labels > 0, values, 0)
    return found.scatter_reduce(0, labels.flatten().long(), inside.flatten(), "amax")
