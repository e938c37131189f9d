"""PyTorch's functions for what NumPy calls so: the namespace of tensors, see `backend.imaging.arrays`.

A number beside a tensor stays a number: nothing goes to the device for it.
"""

from __future__ import annotations

import torch
from torch import (
    Tensor,
    abs,
    add,
    argmax,
    exp,
    floor,
    hypot,
    log,
    round,
    sign,
    sqrt,
    square,
    stack,
    subtract,
    tanh,
    where,
    zeros_like,
)
from torch import concatenate as concat

__all__ = [
    "abs",
    "add",
    "argmax",
    "clip",
    "concat",
    "exp",
    "floor",
    "hypot",
    "log",
    "maximum",
    "minimum",
    "round",
    "sign",
    "sqrt",
    "square",
    "stack",
    "subtract",
    "tanh",
    "where",
    "zeros_like",
]


def maximum(first: Tensor | float, second: Tensor | float) -> Tensor:
    """The larger of each two, one of which may be a number."""
    if isinstance(first, Tensor):
        return torch.maximum(first, second) if isinstance(second, Tensor) else first.clamp_min(float(second))
    return maximum(second, first)


def minimum(first: Tensor | float, second: Tensor | float) -> Tensor:
    """The smaller of each two, one of which may be a number."""
    if isinstance(first, Tensor):
        return torch.minimum(first, second) if isinstance(second, Tensor) else first.clamp_max(float(second))
    return minimum(second, first)


def clip(values: Tensor, lowest: Tensor | float, highest: Tensor | float) -> Tensor:
    """Values within limits, each of them a number or a tensor."""
    return minimum(maximum(values, lowest), highest)
