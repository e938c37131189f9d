"""The builds of PyTorch. `build_addon.py` knows them too, and runs where no package is: nothing is imported here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GpuKind = Literal["cuda", "rocm", "apple", "none"]

TORCH = "torch==2.13.0"
# The first that tells its progress in numbers.
PIP = "pip>=24.1"
GIB = 2**30


@dataclass(frozen=True)
class Variant:
    """One build of PyTorch.

    Args:
        kind: the GPU it is for.
        text: for people.
        download_gib, disk_gib: of the whole backend with it, rounded up.
    """

    kind: GpuKind
    text: str
    download_gib: float
    disk_gib: float


# The first was measured, the others are PyTorch's share as its packages list it. Sizes differ a little by version.
VARIANTS: dict[str, Variant] = {
    "none": Variant("none", "Processor Only", 0.5, 1.2),
    "cuda": Variant("cuda", "NVIDIA (CUDA)", 3.4, 7.5),
    "rocm": Variant("rocm", "AMD (ROCm)", 4.9, 17.5),
    "apple": Variant("apple", "Apple", 0.4, 1.1),
}
# Of everything but PyTorch; measured.
BACKEND_DOWNLOAD_GIB = 0.25
