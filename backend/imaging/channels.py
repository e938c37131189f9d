"""Reductions over the few channels of each pixel, or coordinates of each point: over so short an axis NumPy's own take
twenty times as long. The values are the same to the last bit."""

from __future__ import annotations

from functools import reduce

import cv2
import numpy as np

from backend.imaging.arrays import Array, is_tensor, namespace


def largest(values: Array) -> Array:
    """The largest channel of values [..., C]: [...]."""
    return reduce(namespace(values).maximum, _channels(values))


def smallest(values: Array) -> Array:
    """The smallest channel of values [..., C]: [...]."""
    return reduce(namespace(values).minimum, _channels(values))


def total(values: Array) -> Array:
    """The sum of the channels of values [..., C], C < 8: [...]."""
    return reduce(namespace(values).add, _channels(values))


def length(vectors: Array) -> Array:
    """The Euclidean length of vectors [..., C], C < 8: [...]."""
    xp = namespace(vectors)
    return xp.sqrt(reduce(xp.add, (xp.square(channel) for channel in _channels(vectors))))


def norm(vectors: Array) -> Array:
    """The Euclidean length of vectors [..., C] as [..., 1], as NumPy takes it."""
    return length(vectors)[..., None] if is_tensor(vectors) else np.linalg.norm(vectors, axis=-1, keepdims=True)


def squared(vectors: Array) -> Array:
    """The squared length [H, W] of vectors [H, W, C], as NumPy takes it."""
    return vectors.square().sum(-1) if is_tensor(vectors) else np.einsum("hwk,hwk->hw", vectors, vectors)


def channel(values: Array, number: int) -> Array:
    """One channel of values [..., C] by itself, contiguous: [...]."""
    return values[..., number].contiguous() if is_tensor(values) else np.ascontiguousarray(values[..., number])


def with_channels(*channels: Array) -> Array:
    """An image float32 [H, W, C] of channels [H, W]."""
    return namespace(channels[0]).stack(channels, -1) if is_tensor(channels[0]) else cv2.merge(channels)


def _channels(values: Array) -> list[Array]:
    return [values[..., channel] for channel in range(values.shape[-1])]
