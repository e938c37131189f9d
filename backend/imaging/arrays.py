"""Arrays of NumPy's and tensors of a device, so that a step is written once for both.

A step asks `namespace` for the functions of the kind that it was given: NumPy itself for its arrays, and for tensors
PyTorch's under the same names, as in the array API standard (https://data-apis.org/array-api). What NumPy does not
know, filters and the like, has one name in `backend.imaging`: OpenCV's for arrays, and for tensors what stands under
the same name in `backend.imaging.on_device`; see `also_on_device`. Images are [H, W] or [H, W, C] in both. PyTorch is
not loaded where there are no tensors.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce, wraps
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

import numpy as np

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Holder = TypeVar("Holder", bound=DataclassInstance)

# numpy.ndarray or torch.Tensor, the same for all images of a call.
Array: TypeAlias = Any

Given = ParamSpec("Given")
Result = TypeVar("Result")


def is_tensor(values: object) -> bool:
    """Whether this is a tensor; anything else counts as NumPy's."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(values, torch.Tensor)


def namespace(values: Array) -> Any:
    """The functions for arrays of this kind, under NumPy's names: `backend.imaging.on_device.functions` for tensors."""
    return import_module("backend.imaging.on_device.functions") if is_tensor(values) else np


def also_on_device(module: str) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """A function on NumPy's arrays that hands tensors, told by its first argument, to the function of the same name in
    a module of `backend.imaging.on_device`."""

    def either(reference: Callable[Given, Result]) -> Callable[Given, Result]:
        @wraps(reference)
        def called(*args: Given.args, **kwargs: Given.kwargs) -> Result:
            return (there() if args and is_tensor(args[0]) else reference)(*args, **kwargs)

        def there() -> Callable[Given, Result]:
            # By its name: it knows its reference's module, which cannot know it.
            room: ModuleType = import_module(f"backend.imaging.on_device.{module}")
            return getattr(room, reference.__name__)

        return called

    return either


def to_device(values: Array, device: str) -> Array:
    """An array as a tensor on a device, of single precision if it is of double precision; a tensor as it is."""
    if is_tensor(values):
        return values
    import torch

    values = values.astype(np.float32) if values.dtype == np.float64 else values
    return torch.from_numpy(np.ascontiguousarray(values)).to(device)


def to_host(values: Array) -> np.ndarray:
    """An array as NumPy's."""
    return values.cpu().numpy() if is_tensor(values) else values


def on_device(holder: Holder, device: str, *names: str) -> Holder:
    """A dataclass with those of its images that are named, but for those that are None, on a device."""
    images = {name: getattr(holder, name) for name in names}
    return replace(holder, **{name: to_device(image, device) for name, image in images.items() if image is not None})


def on_host(holder: Holder, *names: str) -> Holder:
    """A dataclass with those of its images that are named, but for those that are None, as NumPy's."""
    images = {name: getattr(holder, name) for name in names}
    return replace(holder, **{name: to_host(image) for name, image in images.items() if image is not None})


def like(values: np.ndarray, kind: Array) -> Array:
    """An array of the host's as one of the kind of another, where that is."""
    return to_device(values, str(kind.device)) if is_tensor(kind) else values


def empty(shape: Sequence[int], kind: Array) -> Array:
    """A new float32 array of the kind of another, where that is; its values are anything."""
    if is_tensor(kind):
        return kind.new_empty(tuple(shape), dtype=import_module("torch").float32)
    return np.empty(shape, np.float32)


def filled_with(value: float, shape: Sequence[int], kind: Array) -> Array:
    """A new float32 array of one value, of the kind of another, where that is."""
    result = empty(shape, kind)
    result[...] = value
    return result


def copied(values: Array) -> Array:
    """A copy."""
    return values.clone() if is_tensor(values) else values.copy()


def largest_of(*images: Array) -> Array:
    """The largest of several images, texel by texel."""
    return reduce(namespace(images[0]).maximum, images)


def contiguous(values: Array) -> Array:
    """The same in rows without gaps; no copy where it is so already."""
    return values.contiguous() if is_tensor(values) else np.ascontiguousarray(values)


def as_int32(values: Array) -> Array:
    """Whole numbers of 32 bits, cut off towards 0."""
    return values.int() if is_tensor(values) else values.astype(np.int32)


def as_bytes(values: Array) -> Array:
    """Whole numbers of 8 bits, of values from 0 to 255."""
    return values.byte() if is_tensor(values) else values.astype(np.uint8)


def as_float32(values: Array) -> Array:
    """The same in single precision; no copy where it is so already."""
    return values.float() if is_tensor(values) else np.asarray(values, np.float32)


def medians(values: Array) -> np.ndarray:
    """The median of each column of values [n, C], n > 0, on the host: [C]."""
    if not is_tensor(values):
        return np.median(values, axis=0)
    ordered = values.sort(0).values
    middle = len(ordered) // 2
    return to_host(ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


def quantile(values: Array, share: float) -> float:
    """The value of an array that is not empty below which a share of it lies, interpolated between two of them."""
    if not is_tensor(values):
        return float(np.quantile(values, share))
    ordered = values.flatten().sort().values
    place = share * (len(ordered) - 1)
    low = int(place)
    near = to_host(ordered[low : low + 2])
    return float(near[0] + (place - low) * (near[-1] - near[0]))


def widened(values: Array) -> Array:
    """The same in double precision, but for tensors, which stay as they are: Apple's GPUs have no such, and most others
    are slow at it."""
    return values if is_tensor(values) else np.asarray(values, np.float64)


def average(values: Array, weights: Array) -> np.ndarray:
    """Mean of values [n] or [n, C] by weights [n]: a number, or [C]; on the host."""
    if not is_tensor(values):
        return np.average(values, axis=0, weights=weights)
    return to_host(namespace(values).tensordot(weights, values, axes=1) / weights.sum())


def add_up(total: np.ndarray, parts: Sequence[Array]) -> None:
    """Add arrays, one by one, to one of the host's, in place; those of a device are summed there, so that one comes."""
    for part in [to_host(sum(parts))] if is_tensor(parts[0]) else parts:
        total += part


def gather(table: Array, index: Array) -> Array:
    """Rows [..., C] of a table [n, C], or values [...] of a table [n], by their numbers [...]."""
    return table[index.long()] if is_tensor(index) else np.take(table, index, axis=0)


def values_at(image: Array, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Some few values [n] of an image [H, W] on the host, at rows and columns int [n]."""
    return to_host(image[like(rows, image), like(columns, image)])


def mask_of(texels: np.ndarray, shape: tuple[int, int], kind: Array) -> Array:
    """A bool image that is True at listed texels, flat indices int [n] of the host's; of the kind of another."""
    mask = empty(shape, kind) < -np.inf
    mask.reshape(-1)[like(texels, kind)] = True
    return mask


def weighted_sum(weights: np.ndarray, images: Array) -> Array:
    """The sum float32 [H, W] of images float32 [n, H, W], by weights [n]."""
    weights = weights.astype(np.float32)
    if is_tensor(images):
        return (like(weights, images)[:, None, None] * images).sum(0)
    return np.tensordot(weights, images, 1)


def places(mask: Array) -> Array:
    """Flat indices int [n] of the texels of a bool image that are True."""
    return mask.flatten().nonzero()[:, 0] if is_tensor(mask) else np.flatnonzero(mask)


def count(mask: Array) -> int:
    """How many texels of a bool image are True."""
    return int(mask.sum()) if is_tensor(mask) else int(np.count_nonzero(mask))


def median(values: Array) -> float:
    """The median of an array that is not empty, of an even number the mean of the middle two."""
    if not is_tensor(values):
        return float(np.median(values))
    ordered = values.flatten().sort().values
    middle = len(ordered) // 2
    return float(ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)
