"""Large maps a band of rows at a time: what one step leaves for the next stays in the cache, and no whole map is needed
in between. What comes out is the same as of the whole map at once.

On a device all rows are one band: `like` is any image of the kind that is worked on, and may be left out for NumPy's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from backend.imaging.arrays import Array, also_on_device, as_float32, is_tensor, namespace
from backend.imaging.channels import channel, with_channels
from backend.imaging.filters import gaussian_blur
from backend.imaging.octaves import reduce_to
from backend.side_by_side import First, Second, each, side_by_side


class Rows(Protocol):
    """An image of which bands of rows can be had: an array, or what gives one of them at a time."""

    def __getitem__(self, rows: slice, /) -> Array: ...


@dataclass(frozen=True)
class Enlarged:
    """An image as it is at side x side texels, of which only the rows that are asked for are made.

    Args:
        image: float32 [B, B] or [B, B, C], B divides the side.
        side: texels a side.
        limits: values are clipped to these.
        kind: OpenCV's interpolation.
    """

    image: Array
    side: int
    limits: tuple[float, float] | None = None
    kind: int = cv2.INTER_CUBIC

    def __getitem__(self, rows: slice) -> Array:
        enlarged = enlarged_rows(self.image, self.side, rows, self.kind)
        return enlarged if self.limits is None else namespace(enlarged).clip(enlarged, *self.limits)


@also_on_device("octaves")
def enlarged_rows(image: Array, side: int, rows: slice, kind: int) -> Array:
    """Rows of an image [B, B] or [B, B, C] enlarged to side x side, by one of OpenCV's interpolations."""
    small = image.shape[0]
    factor, reach = side // small, 2  # cubic interpolation looks at two rows to each side
    if factor == 1:
        return image[rows]
    first, last = max(rows.start // factor - reach, 0), min(-(-rows.stop // factor) + reach, small)
    band = cv2.resize(image[first:last], (side, (last - first) * factor), interpolation=kind)
    return band[rows.start - first * factor : rows.stop - first * factor]


@dataclass(frozen=True)
class Computed:
    """An image whose bands of rows are computed when they are asked for."""

    of: Callable[[slice], Array]

    def __getitem__(self, rows: slice) -> Array:
        return self.of(rows)


def at_side(image: Array, side: int) -> Rows:
    """The rows of `backend.imaging.octaves.reduce_to`: averaged where there are fewer, else enlarged bilinearly."""
    if image.shape[0] < side:
        return Enlarged(image, side, kind=cv2.INTER_LINEAR)
    return reduce_to(image, side)


def pieces(count: int, most: int = 1 << 17, like: Array = None) -> list[slice]:
    """So many points in pieces: few enough for the cache, enough to be worth a call."""
    if is_tensor(like):
        return [slice(0, count)]
    return [slice(start, min(start + most, count)) for start in range(0, count, most)]


def two_steps(first: Callable[[], First], second: Callable[[], Second], like: Array) -> tuple[First, Second]:
    """What two steps give that do not need each other: on all cores, on a device one after the other."""
    return (first(), second()) if is_tensor(like) else side_by_side(first, second)


def bands(side: int, like: Array = None) -> list[slice]:
    """The rows of side x side texels, a power of two, in bands of about as many texels as `pieces` have points."""
    return pieces(side, min(side, max(64, 1 << ((1 << 17) // side).bit_length() - 1)), like)


def in_bands(work: Callable[[slice], None], side: int, like: Array = None) -> None:
    """Do some work for every band of rows, on all cores."""
    if is_tensor(like):
        work(slice(0, side))
    else:
        each(work, bands(side))


def filled_in_bands(
    values: Callable[[slice], Array], side: int, channels: int | None = None, like: Array = None
) -> Array:
    """An image float32 [side, side] or [side, side, channels], made a band at a time."""
    if is_tensor(like):
        return as_float32(values(slice(0, side)))
    result = np.empty((side, side) if channels is None else (side, side, channels), np.float32)

    def fill(rows: slice) -> None:
        result[rows] = values(rows)

    in_bands(fill, side)
    return result


def reduced_in_bands(
    values: Callable[[slice], Array], side: int, small: int, channels: int | None = None, like: Array = None
) -> Array:
    """Area average, float32 [small, small] or with channels, of an image [side, side] that is made a band at a time.

    `small` divides the side, and by 64 at most.
    """
    if is_tensor(like):
        return reduce_to(filled_in_bands(values, side, channels, like), small)
    factor = side // small
    result = np.empty((small, small) if channels is None else (small, small, channels), np.float32)

    def fill(rows: slice) -> None:
        band = values(rows)
        if factor > 1:
            band = cv2.resize(band, (small, band.shape[0] // factor), interpolation=cv2.INTER_AREA)
        result[rows.start // factor : rows.stop // factor] = band

    in_bands(fill, side)
    return result


def blurred_in_bands(
    image: Callable[[slice], Array], weight: Callable[[slice], Array], side: int, sigma: float, like: Array = None
) -> Enlarged:
    """`backend.imaging.filters.masked_blur` of an image [side, side] and its weight that are made a band at a time."""
    shrink = 1 << max(0, int(np.log2(max(sigma / 4, 1))))
    both = reduced_in_bands(lambda rows: _weighted(image(rows), weight(rows)), side, side // shrink, 2, like)
    numerator, denominator = (gaussian_blur(channel(both, k), sigma / shrink, "zero") for k in range(2))
    return Enlarged(numerator / namespace(denominator).maximum(denominator, 1e-6), side, kind=cv2.INTER_LINEAR)


def _weighted(image: Array, weight: Array) -> Array:
    return with_channels(as_float32(image * weight), as_float32(weight))
