"""Patches that are cut out of a signal at a level, and what is measured of each.

Of most patches little needs to be measured to see that they are no marks, so that a measure is taken only of those that
are left (`Patches.only`), the cheap ones first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

# Rows and columns of an image.
Window = tuple[slice, slice]


@dataclass(frozen=True)
class Patches:
    """Patches, of which the texels of each stand together, in the order of what they were cut out by.

    Args:
        above: uint8 [H, W], 1 above the level, also where patches are too small or too large.
        labels: int32 [H, W] from 1, of all that were cut out, 0 is none.
        at: int [n], numbers of their texels in an image that is flat.
        sizes: int [count], texels of each.
        numbers: int32 [count], the label of each.
    """

    above: np.ndarray
    labels: np.ndarray
    at: np.ndarray
    sizes: np.ndarray
    numbers: np.ndarray

    @property
    def starts(self) -> np.ndarray:
        """Where the texels of each begin, int [count]."""
        return np.cumsum(self.sizes) - self.sizes

    def only(self, kept: np.ndarray) -> Patches:
        """Those patches, bool [count], among which the others are still labelled."""
        texels = np.repeat(kept, self.sizes)
        return replace(self, at=self.at[texels], sizes=self.sizes[kept], numbers=self.numbers[kept])

    def spread(self, values: np.ndarray) -> np.ndarray:
        """A value [count] of each patch at each of its texels, [n]."""
        return np.repeat(values, self.sizes)

    def of(self, image: np.ndarray) -> np.ndarray:
        """An image [H, W] at the texels, [n]."""
        return image.reshape(-1)[self.at]

    def total(self, values: np.ndarray) -> np.ndarray:
        """Sum of values [n] over each patch, float64 [count]."""
        return np.add.reduceat(values, self.starts, dtype=np.float64)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Mean of values [n] over each patch, float64 [count]."""
        return self.total(values) / self.sizes

    def largest(self, values: np.ndarray) -> np.ndarray:
        """The largest of values [n] of each patch, [count]."""
        return np.maximum.reduceat(values, self.starts)

    def quantile(self, values: np.ndarray, share: float, ordered: bool = False) -> np.ndarray:
        """A quantile of values [n] of each patch, [count]; `ordered`: they rise within each."""
        if not ordered:
            values = values[np.lexsort((values, self.spread(np.arange(len(self.sizes)))))]
        return values[self.starts + (share * (self.sizes - 1)).astype(int)]

    def extent(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns that each patch covers, int [count] each."""
        rows, columns = np.divmod(self.at, self.labels.shape[1])
        return self.largest(rows) + self.largest(-rows) + 1, self.largest(columns) + self.largest(-columns) + 1

    def window(self, margin: float, mirrored: bool = False) -> Window:
        """What holds these patches and a margin of so many texels; `mirrored`: and what lies opposite."""
        return window_of(self.at, self.labels.shape, margin, mirrored)


def window_of(at: np.ndarray, shape: tuple[int, ...], margin: float = 0, mirrored: bool = False) -> Window:
    """Rows and columns that hold texels, int [n] > 0 by their numbers, and a margin; see `Patches.window`."""
    (rows, columns), reach = np.divmod(at, shape[1]), int(np.ceil(margin))
    first, last = int(columns.min()), int(columns.max())
    if mirrored:
        first, last = min(first, shape[1] - 1 - last), max(last, shape[1] - 1 - first)
    top, bottom = int(rows.min()), int(rows.max())
    return (
        slice(max(top - reach, 0), min(bottom + reach + 1, shape[0])),
        slice(max(first - reach, 0), min(last + reach + 1, shape[1])),
    )


def rising(signal: np.ndarray, lowest: float) -> np.ndarray:
    """Numbers int [n] of the texels of an image [H, W] above a level, in the order of their values."""
    at = np.flatnonzero(signal > lowest)
    return at[np.argsort(signal.reshape(-1)[at], kind="stable")]


def cut_out(signal: np.ndarray, order: np.ndarray, level: float, texels: tuple[float, float]) -> Patches | None:
    """Connected patches of an image [H, W] above a level, of more and of fewer texels than these.

    Args:
        signal: float32 [H, W].
        order: of its texels, see `rising`.
        level: above which they are cut out.
        texels: that a patch has at least and at most, themselves left out.
    """
    order = order[np.searchsorted(signal.reshape(-1)[order], level, side="right") :]
    if len(order) <= texels[0]:
        return None
    above, labels = np.zeros(signal.shape, np.uint8), np.zeros(signal.shape, np.int32)
    above.reshape(-1)[order] = 1
    window = window_of(order, above.shape)
    count, numbers = cv2.connectedComponents(above[window], connectivity=4, ltype=cv2.CV_32S)
    labels[window] = numbers
    of = labels.reshape(-1)[order]
    sizes = np.bincount(of, minlength=count)
    kept = (sizes > texels[0]) & (sizes < texels[1])
    if not kept.any():
        return None
    # Small numbers are sorted by their digits.
    number = np.where(kept, np.cumsum(kept), 0).astype(np.min_scalar_type(count))
    of = number[of]
    labels[window] = 0
    labels.reshape(-1)[order] = of
    order = order[of > 0]
    order = order[np.argsort(of[of > 0], kind="stable")]
    return Patches(above, labels, order, sizes[kept], np.arange(1, kept.sum() + 1, dtype=np.int32))


def depths(patches: Patches) -> np.ndarray:
    """Radius in texels of the largest circle within each patch, float [count]."""
    window = patches.window(2)
    distance = np.zeros(patches.above.shape, np.float32)
    distance[window] = cv2.distanceTransform(patches.above[window], cv2.DIST_L2, 3)
    return patches.largest(patches.of(distance))


def alike(patches: Patches, other: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """How far each patch has its like, float [count]: a share of its strength [count] that others [n] have."""
    return np.clip(patches.mean(np.minimum(other, patches.spread(strength))) / strength, 0, 1)


def opposite(patches: Patches, image: np.ndarray) -> np.ndarray:
    """An image [H, W] at what lies opposite each of the texels, [n]."""
    rows, columns = np.divmod(patches.at, image.shape[1])
    return image[rows, image.shape[1] - 1 - columns]


def opposite_of_others(patches: Patches, near: np.ndarray, grown: np.ndarray) -> np.ndarray:
    """What a signal has at most near what lies opposite each texel, [n], 0 where that is of the same patch.

    Args:
        patches: that were cut out of the signal.
        near: structuring element, what is near.
        grown: float32 [H, W], the signal dilated by it.
    """
    window = patches.window(max(near.shape), mirrored=True)
    numbers = patches.labels[window].astype(np.float32)
    last, none = np.zeros(grown.shape, np.float32), np.float32(patches.labels.max() + 1)
    first = np.zeros(grown.shape, np.float32)
    last[window] = cv2.dilate(numbers, near)
    first[window] = cv2.erode(np.where(numbers > 0, numbers, none), near)
    own = patches.of(patches.labels)
    same = (opposite(patches, last) == own) | (opposite(patches, first) == own)
    return np.where(same, 0, opposite(patches, grown))


def steps(patches: Patches, images: Sequence[np.ndarray], reach: float) -> list[np.ndarray]:
    """How much larger images [H, W] are within each patch's border than without it, float [count] each.

    Light is alike on both sides of a border, so that these are of the pigment.

    Args:
        patches: of which.
        images: what is measured.
        reach: texels on either side.
    """
    window = patches.window(4 * reach + 4)
    labels = patches.labels[window]
    count, mask = patches.numbers[-1] + 1, (labels > 0).astype(np.uint8)
    within = np.where(cv2.erode(mask, square(reach)) == 0, labels, 0)
    without = cv2.dilate(labels.astype(np.float32), square(1.5 * reach)).astype(np.int32)
    without[cv2.dilate(mask, square(0.5 * reach)) > 0] = 0
    found = [np.zeros(len(patches.numbers)) for _ in images]
    wanted = np.zeros(int(labels.max()) + 1, bool)
    wanted[patches.numbers] = True
    cropped = [image[window] for image in images]
    for band, sign in ((within, 1), (without, -1)):
        at = np.nonzero(wanted[band])
        of = band[at]
        texels = np.maximum(np.bincount(of, minlength=count)[patches.numbers], 1)
        for number, image in enumerate(cropped):
            found[number] += sign * np.bincount(of, image[at], count)[patches.numbers] / texels
    return found


def square(reach: float) -> np.ndarray:
    """A square structuring element that reaches so many texels."""
    return np.ones((2 * round(reach) + 1,) * 2, np.uint8)
