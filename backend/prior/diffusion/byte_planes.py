"""Half-precision weights in files that pack well: the high bytes of all numbers, and then their low bytes.

The high byte holds sign, exponent and the first bits, some of which are far more frequent than others; the low one is
as good as random. One after the other, as numbers lie in memory, they pack worse by a tenth.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

# Names sort so, and with them the bytes in the file.
_HIGH, _LOW = "high.", "low."


def save_planes(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors of half precision, any shape, on the CPU."""
    planes = {}
    for name, tensor in tensors.items():
        low, high = tensor.contiguous().unsqueeze(-1).view(torch.uint8).unbind(-1)
        planes |= {_HIGH + name: high.contiguous(), _LOW + name: low.contiguous()}
    save_file(planes, path)


def load_planes(path: Path) -> dict[str, Tensor]:
    """What `save_planes` wrote, in half precision; tensors that lie there as they are, as they are.

    Raises:
        OSError: there is no such file.
    """
    with safe_open(path, "pt") as file:
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
    names = [name.removeprefix(_HIGH) for name in stored if name.startswith(_HIGH)]
    pairs = {name: torch.stack([stored[_LOW + name], stored[_HIGH + name]], -1) for name in names}
    return {name: pair.view(torch.half)[..., 0] for name, pair in pairs.items()} or stored
