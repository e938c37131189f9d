"""The precision in which weights are stored: as float16, of which the eight significant bits of bfloat16 are used.

Networks do not notice the other three bits, and the zip with the backend in it packs what is left a sixth smaller.
"""

from __future__ import annotations

from typing import TypeVar

from torch import Tensor, nn

Stored = TypeVar("Stored", Tensor, nn.Module)


def as_stored(values: Stored) -> Stored:
    """A tensor rounded to what is stored of it, float16; of a network, all its weights, in place."""
    return values.bfloat16().half()
