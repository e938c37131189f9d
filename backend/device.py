"""Which device the networks run on."""

from __future__ import annotations

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
    there = () if device == "cpu" else available_devices()
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


def available_devices() -> tuple[str, ...]:
    """The devices that PyTorch can use here, the CPU first."""
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return ("cpu", *(name for name, usable in there.items() if usable))
