"""Large maps a band of rows at a time: what one step leaves for the next stays in the cache, and no whole map is needed
in between. What comes out is the same as of the whole map at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from backend.side_by_side import each


class Rows(Protocol):
    """An image of which bands of rows can be had: an array, or what gives one of them at a time."""

    def __getitem__(self, rows: slice, /) -> np.ndarray: ...


@dataclass(frozen=True)
class Enlarged:
    """An image as it is at side x side texels, of which only the rows that are asked for are made.

    Args:
        image: float32 [B, B] or [B, B, C], B divides the side.
        side: texels a side.
        limits: values are clipped to these.
        kind: OpenCV's interpolation.
    """

    image: np.ndarray
    side: int
    limits: tuple[float, float] | None = None
    kind: int = cv2.INTER_CUBIC

    def __getitem__(self, rows: slice) -> np.ndarray:
        small = self.image.shape[0]
        factor, reach = self.side // small, 2  # cubic interpolation looks at two rows to each side
        if factor == 1:
            enlarged = self.image[rows]
        else:
            first, last = max(rows.start // factor - reach, 0), min(-(-rows.stop // factor) + reach, small)
            size = (self.side, (last - first) * factor)
            band = cv2.resize(self.image[first:last], size, interpolation=self.kind)
            enlarged = band[rows.start - first * factor : rows.stop - first * factor]
        return enlarged if self.limits is None else np.clip(enlarged, *self.limits)


@dataclass(frozen=True)
class Computed:
    """An image whose bands of rows are computed when they are asked for."""

    of: Callable[[slice], np.ndarray]

    def __getitem__(self, rows: slice) -> np.ndarray:
        return self.of(rows)


def at_side(image: np.ndarray, side: int) -> Rows:
    """The rows of `backend.imaging.octaves.reduce_to`: averaged where there are fewer, else enlarged bilinearly."""
    if image.shape[0] < side:
        return Enlarged(image, side, kind=cv2.INTER_LINEAR)
    return image if image.shape[0] == side else cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)


def pieces(count: int, most: int = 1 << 17) -> list[slice]:
    """So many points in pieces: few enough for the cache, enough to be worth a call."""
    return [slice(start, min(start + most, count)) for start in range(0, count, most)]


def bands(side: int) -> list[slice]:
    """The rows of side x side texels, a power of two, in bands of about as many texels as `pieces` have points."""
    return pieces(side, min(side, max(64, 1 << ((1 << 17) // side).bit_length() - 1)))


def in_bands(work: Callable[[slice], None], side: int) -> None:
    """Do some work for every band of rows, on all cores."""
    each(work, bands(side))


def filled_in_bands(values: Callable[[slice], np.ndarray], side: int, channels: int | None = None) -> np.ndarray:
    """An image float32 [side, side] or [side, side, channels], made a band at a time."""
    result = np.empty((side, side) if channels is None else (side, side, channels), np.float32)

    def fill(rows: slice) -> None:
        result[rows] = values(rows)

    in_bands(fill, side)
    return result


def reduced_in_bands(
    values: Callable[[slice], np.ndarray], side: int, small: int, channels: int | None = None
) -> np.ndarray:
    """Area average, float32 [small, small] or with channels, of an image [side, side] that is made a band at a time.

    `small` divides the side, and by 64 at most.
    """
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
    image: Callable[[slice], np.ndarray], weight: Callable[[slice], np.ndarray], side: int, sigma: float
) -> Enlarged:
    """`backend.imaging.filters.masked_blur` of an image [side, side] and its weight that are made a band at a time."""
    shrink = 1 << max(0, int(np.log2(max(sigma / 4, 1))))
    both = reduced_in_bands(lambda rows: _weighted(image(rows), weight(rows)), side, side // shrink, 2)
    numerator, denominator = (
        cv2.GaussianBlur(np.ascontiguousarray(both[..., k]), (0, 0), sigma / shrink, borderType=cv2.BORDER_CONSTANT)
        for k in range(2)
    )
    return Enlarged(numerator / np.maximum(denominator, 1e-6), side, kind=cv2.INTER_LINEAR)


def _weighted(image: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return cv2.merge([(image * weight).astype(np.float32, copy=False), weight.astype(np.float32, copy=False)])
