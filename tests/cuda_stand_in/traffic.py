"""What goes between the stand-in for a GPU and the host while something runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from torch import Tensor
from torch.utils._pytree import tree_leaves

from tests.cuda_stand_in import device
from tests.cuda_stand_in.device import OnDevice


@dataclass(frozen=True)
class Traffic:
    """How many numbers each transfer took to the host and to the device."""

    to_host: list[int] = field(default_factory=list)
    to_device: list[int] = field(default_factory=list)


@contextlib.contextmanager
def traffic() -> Iterator[Traffic]:
    """Told of all transfers while it lasts."""
    told, run = Traffic(), device._run

    def watched(func: Any, args: tuple, kwargs: dict) -> Any:
        out = run(func, args, kwargs)
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        there = any(isinstance(leaf, OnDevice) for leaf in given)
        if not given:
            return out
        made = [leaf for leaf in tree_leaves(out) if isinstance(leaf, OnDevice)]
        if made:
            told.to_device.extend(leaf.numel() for leaf in given if not isinstance(leaf, OnDevice) and leaf.dim())
        elif there:
            told.to_host.append(out.numel() if isinstance(out, Tensor) else 1)
        return out

    with mock.patch.object(device, "_run", watched):
        yield told
