"""A stand-in for a GPU: CUDA's or, where the variable `STAND_IN` says so, that of a Mac (MPS).

Its tensors hold CPU tensors and refuse to meet the CPU's, as a GPU's do; those of MPS refuse double precision, too. So
code for GPUs runs to its end on machines without one, with gradients and autocast, and a tensor on the wrong device
is an error. What it cannot show: speed, memory, kernels that only a GPU has, and steps of optimisers, whose weights
are replaced when a network moves to it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map_only

aten: Any = torch.ops.aten
KIND = os.environ.get("STAND_IN", "cuda")
DEVICE = f"{KIND}:0"
# What a GPU takes from both devices at once.
MIXED = (aten.copy_.default, aten._to_copy.default, aten.index.Tensor, aten.index_put_.default, aten.index_put.default)


class OnDevice(Tensor):
    """A tensor that says it is on the device and holds one on the CPU."""

    held: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl  # pyright: ignore[reportAssignmentType]

    @staticmethod
    def __new__(cls, held: Tensor) -> OnDevice:
        return Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            layout=held.layout,
            device=torch.device(DEVICE),
            requires_grad=held.requires_grad,
        )

    def __init__(self, held: Tensor) -> None:
        self.held = held

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


def _run(func: Any, args: tuple, kwargs: dict) -> Any:
    """One operation, on the CPU, after the checks that the device makes."""
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    on_device = [t for t in tensors if isinstance(t, OnDevice)]
    on_cpu = [t for t in tensors if not isinstance(t, OnDevice) and t.dim() > 0]
    if (
        on_device
        and on_cpu
        and (func not in MIXED or (func is aten.index.Tensor and not isinstance(args[0], OnDevice)))
    ):
        raise RuntimeError(f"Expected all tensors to be on the same device: {func}")
    if func is aten._fused_sdp_choice.default:
        return 0  # attention as plain products: its other kernels are the device's own
    wanted = None if kwargs.get("device") is None else torch.device(kwargs["device"])
    if wanted is not None and wanted.type == KIND:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    held_args, held_kwargs = tree_map_only(OnDevice, lambda t: t.held, (args, kwargs))
    out = func(*held_args, **held_kwargs)
    if wanted is not None:
        to_device = wanted.type == KIND
    else:
        to_device = isinstance(args[0], OnDevice) if func is aten.copy_.default else bool(on_device)
    if not to_device:
        return out
    if KIND == "mps" and any(leaf.dtype == torch.float64 for leaf in tree_leaves(out) if isinstance(leaf, Tensor)):
        raise TypeError(f"The MPS framework doesn't support float64: {func}")
    out = tree_map_only(Tensor, lambda t: t if isinstance(t, OnDevice) else OnDevice(t), out)
    return return_and_correct_aliasing(func, args, kwargs, out)


class _Operations(TorchDispatchMode):
    """Sees what makes tensors on the device from nothing, too."""

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return _run(func, args, kwargs or {})


class _Calls(TorchFunctionMode):
    """Sees calls that do not reach `_Operations`: PyTorch makes their tensors by itself."""

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = {name: _numbered(value) if name == "device" else value for name, value in (kwargs or {}).items()}
        args = tuple(_numbered(value) for value in args)
        if func in (torch.tensor, torch.as_tensor) and kwargs.get("device") is not None:
            device = kwargs.pop("device")
            return func(*args, **kwargs).to(device)
        if func is Tensor.new_tensor:
            device = kwargs.pop("device", args[0].device)
            return torch.tensor(args[1], **{"dtype": args[0].dtype, **kwargs}).to(device)
        if KIND == "mps" and func is functional.scaled_dot_product_attention:
            # Which kernel to take is looked up by the device, and PyTorch for CPUs has none for this one.
            return _attention(*args, **kwargs)
        return func(*args, **kwargs)


def _attention(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> Tensor:
    """Attention as plain products, without mask or dropout."""
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    return scores.softmax(dim=-1) @ value


def _numbered(value: Any) -> Any:
    """The device with its number: what has none is looked up in a library of the device."""
    if isinstance(value, torch.device) and value.type == KIND and value.index is None:
        return torch.device(DEVICE)
    return DEVICE if isinstance(value, str) and value == KIND else value


def _inference_mode(mode: Any = True) -> Any:
    """For `torch.inference_mode`, whose tensors cannot be wrapped."""
    if callable(mode):
        return torch.no_grad()(mode)
    return torch.no_grad() if mode else contextlib.nullcontext()


def install() -> None:
    """Before anything of the project is imported: decorators take what is there then."""
    torch.inference_mode = _inference_mode  # pyright: ignore[reportAttributeAccessIssue]
    torch.__future__.set_overwrite_module_params_on_conversion(True)


@contextlib.contextmanager
def stand_in() -> Iterator[None]:
    """While it lasts there is the device."""
    answers: dict[str, Callable] = {
        "_lazy_init": lambda: None,
        "is_available": lambda: True,
        "is_bf16_supported": lambda *_: True,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "set_device": lambda _: None,
        "synchronize": lambda *_: None,
        "empty_cache": lambda: None,
    }
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(torch.backends.mps, "is_available", return_value=KIND == "mps"))
        for name, answer in answers.items() if KIND == "cuda" else ():
            stack.enter_context(mock.patch.object(torch.cuda, name, answer))
        stack.enter_context(_Operations())
        stack.enter_context(_Calls())
        yield
