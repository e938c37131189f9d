"""The precision in which weights are stored: as float16, of which the eight significant bits of bfloat16 are used.

Networks do not notice the other three bits, and the zip with the backend in it packs what is left a sixth smaller.
"""

from __future__ import annotations

from typing import TypeVar

from torch import Tensor, nn

N = TypeVar("N", bound=nn.Module)


def as_stored(values: Tensor) -> Tensor:
    """A tensor rounded to what is stored of it, float16."""
    return values.bfloat16().half()


def network_as_stored(network: N) -> N:
    """A network whose weights, in place, are rounded to what is stored of them, float16."""
    return network.bfloat16().half()
