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
    argsort,
    broadcast_to,
    cumsum,
    einsum,
    exp,
    floor,
    full_like,
    hypot,
    log,
    log1p,
    matmul,
    mean,
    moveaxis,
    ones_like,
    round,
    searchsorted,
    sign,
    sqrt,
    square,
    stack,
    subtract,
    sum,
    tanh,
    where,
    zeros_like,
)
from torch import amax as max
from torch import concatenate as concat

__all__ = [
    "abs",
    "add",
    "argmax",
    "argsort",
    "broadcast_to",
    "clip",
    "concat",
    "cross",
    "cumsum",
    "einsum",
    "exp",
    "floor",
    "full_like",
    "hypot",
    "log",
    "log1p",
    "logaddexp",
    "matmul",
    "max",
    "maximum",
    "mean",
    "minimum",
    "moveaxis",
    "ones_like",
    "round",
    "searchsorted",
    "sign",
    "sqrt",
    "square",
    "stack",
    "subtract",
    "sum",
    "tanh",
    "tensordot",
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


def cross(first: Tensor, second: Tensor) -> Tensor:
    """Cross products of vectors [..., 3]."""
    return torch.linalg.cross(first, second)


def logaddexp(first: float, second: Tensor) -> Tensor:
    """The logarithm of the sum of e to a number and e to each value."""
    return torch.logaddexp(torch.full_like(second, first), second)


def tensordot(first: Tensor, second: Tensor, axes: int) -> Tensor:
    """The sum of products over so many of the last axes of the first and the first ones of the second."""
    return torch.tensordot(first, second, dims=axes)
