"""Octaves of detail: Laplacian pyramids whose levels mean the same size of detail at every size of the maps.

Octave 0 is the finest of a map of 4096 texels, octave 1 the finest of 2048, and so on; octave o holds wavelengths
around 3 * 2^o texels of a 4096 map, which is 0.23 mm * 2^o on the cheeks. Source: Burt and Adelson, "The Laplacian
pyramid as a compact image code", 1983.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from backend.imaging.arrays import Array, also_on_device, namespace

FINEST_SIDE = 4096
TEXELS_PER_WAVE = 3.0  # the middle of a pyramid level, which holds waves of 2 to 4 texels
COARSEST_OCTAVE = 4  # 3.7 mm: coarser variation is not skin detail, and continued it would look like blotches
OCTAVES = COARSEST_OCTAVE + 1


def finest_octave(side: int) -> int:
    """The octave that the finest level of a side x side map holds; sides are powers of two up to 4096."""
    return round(float(np.log2(FINEST_SIDE / side)))


def wavelength_mm(octave: int, texels_per_mm: float, side: int) -> float:
    """Wavelength in the middle of an octave, for maps with `texels_per_mm` at `side` texels."""
    return TEXELS_PER_WAVE * 2.0 ** (octave - finest_octave(side)) / texels_per_mm


def split(
    image: Array,  # float32 [R, R] or [R, R, C], R a power of two
    coarsest: int = COARSEST_OCTAVE,
) -> tuple[dict[int, Array], Array]:
    """Bands by octave, each [R / 2^k, ...] at its own size, and the rest, which is coarser."""
    bands, rest = {}, image
    for octave, band, reduced in levels(image, coarsest):
        bands[octave], rest = band, reduced
    return bands, rest


def levels(image: Array, coarsest: int = COARSEST_OCTAVE) -> Iterator[tuple[int, Array, Array]]:
    """The bands of `split` one after the other: octave, band, and the rest that is coarser than it."""
    current, subtract = image, namespace(image).subtract
    for octave in range(finest_octave(image.shape[0]), coarsest + 1):
        reduced = halved(current)
        band = doubled(reduced, current.shape[0])
        yield octave, subtract(current, band, out=band), reduced
        current = reduced


def join(bands: dict[int, Array], rest: Array | None = None) -> Array:
    """The image of bands and rest, at the size of the finest band; undoes `split`. No rest: the rest is 0."""
    total = rest
    for octave in sorted(bands, reverse=True):
        band = bands[octave]
        if total is None:
            total = band
        else:
            total = doubled(total, band.shape[0])
            total += band
    assert total is not None
    return total


@also_on_device("octaves")
def halved(image: Array) -> Array:
    """One step down of a pyramid: an image [R, R] or [R, R, C] smoothed, at half the size."""
    return cv2.pyrDown(image)


@also_on_device("octaves")
def doubled(image: Array, side: int) -> Array:
    """One step up of a pyramid: an image [R, R] or [R, R, C] on side x side texels, twice as many or one less."""
    return cv2.pyrUp(image, dstsize=(side, side))


@also_on_device("octaves")
def central_difference(image: Array, axis: int) -> Array:
    """Half the difference of the two neighbours along an axis (0 down, 1 right) of an image [H, W]; 0 at its ends."""
    return cv2.Sobel(image, cv2.CV_32F, axis, 1 - axis, ksize=1, scale=0.5)


@also_on_device("octaves")
def smoothed_difference(image: Array, right: int, down: int) -> Array:
    """A difference of an image [H, W], taken so many times right, and down, smoothed over three texels across; a single
    one is twice as large as by `central_difference`."""
    return cv2.Sobel(image, cv2.CV_32F, right, down, ksize=3, scale=0.25)


@also_on_device("octaves")
def reduce_to(image: Array, side: int) -> Array:
    """Area average of an image on side x side texels; enlarged bilinearly where it is smaller."""
    if image.shape[0] == side:
        return image
    kind = cv2.INTER_AREA if image.shape[0] > side else cv2.INTER_LINEAR
    return cv2.resize(image, (side, side), interpolation=kind)
