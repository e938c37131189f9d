"""Which device the networks run on."""

from __future__ import annotations

from shared.errors import RelightifyError

DEVICES = ("auto", "cpu", "cuda")


def choose_device(device: str) -> str:
    """``cpu`` or ``cuda`` for a wish of ``auto``, ``cpu`` or ``cuda``.

    Raises:
        RelightifyError: ``bad_option`` or ``no_cuda``.
    """
    if device not in DEVICES:
        raise RelightifyError("bad_option", f"There is no device {device!r}.", f"Use {', '.join(DEVICES)}.")
    if device == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        raise RelightifyError(
            "no_cuda",
            "CUDA was asked for, but PyTorch finds no usable NVIDIA GPU.",
            "Use --device cpu, or install a CUDA build of PyTorch and a driver; relightify doctor says what is there.",
        )
    return "cpu"
