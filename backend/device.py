"""Which device the networks run on."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

from shared.errors import RelightifyError

# In PyTorch's words: `cuda` is a GPU of NVIDIA's and, in a ROCm build, of AMD's; `mps` is that of a Mac.
DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(device: str) -> str:
    """``cpu``, ``cuda`` or ``mps`` for a wish of ``auto``, ``cpu``, ``cuda`` or ``mps``.

    ``auto`` takes CUDA where it works, else the CPU: speed and memory of ``mps`` have not been measured.

    Raises:
        RelightifyError: ``bad_option``, ``no_cuda`` or ``no_mps``.
    """
    if device not in DEVICES:
        raise RelightifyError("bad_option", f"There is no device {device!r}.", f"Use {', '.join(DEVICES)}.")
    there = () if device == "cpu" or (device == "auto" and not may_have_gpu()) else available_devices()
    if device == "cuda" and "cuda" not in there:
        raise RelightifyError(
            "no_cuda",
            "CUDA was asked for, but PyTorch finds no usable GPU of NVIDIA's or AMD's.",
            "Use --device cpu, or install a driver and PyTorch's build for CUDA or ROCm; relightify doctor says what "
            "is there.",
        )
    if device == "mps" and "mps" not in there:
        raise RelightifyError(
            "no_mps",
            "Apple's GPU was asked for, but PyTorch finds none that it can use.",
            "Use --device cpu; --device mps needs a Mac with Apple silicon.",
        )
    if device == "auto":
        return "cuda" if "cuda" in there else "cpu"
    return device


def may_have_gpu() -> bool:
    """Whether the PyTorch that is installed may find a GPU: told by its build, without loading it, which takes a
    second."""
    spec = None if "torch" in sys.modules else importlib.util.find_spec("torch")
    build = None if spec is None or spec.origin is None else Path(spec.origin).parent / "version.py"
    if build is None or not build.is_file():
        return True
    text = build.read_text(encoding="utf-8")
    return not all(re.search(rf"^{kind}\b.*= None$", text, re.MULTILINE) for kind in ("cuda", "hip"))


def available_devices() -> tuple[str, ...]:
    """The devices that PyTorch can use here, the CPU first."""
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return ("cpu", *(name for name, usable in there.items() if usable))
