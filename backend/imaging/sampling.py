"""Filtered sampling of an image over the footprints of texels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from backend.imaging.arrays import Array, also_on_device
from backend.imaging.channels import largest, length, smallest

MAX_TAPS = 4  # a side; longer footprints go to a coarser level of the pyramid
_ROW = 4096  # remap works on images, so lists of points are laid out in rows of this length


@dataclass(frozen=True)
class Footprint:
    """How pixels move with texels: float64, on a device float32, [n, 2, 2], d(pixel x, y) / d(texel x, y), for n
    triangles or texels."""

    jacobian: Array

    @staticmethod
    def of_triangles(pixel_corners: np.ndarray, texel_corners: np.ndarray) -> Footprint:
        """The affine map of each triangle, from its corners in pixels and in texels, both [n, 3, 2] with y down."""
        pixels = pixel_corners[:, 1:] - pixel_corners[:, :1]
        texels = texel_corners[:, 1:] - texel_corners[:, :1]
        (a, b), (c, d) = (texels[:, 0, 0], texels[:, 0, 1]), (texels[:, 1, 0], texels[:, 1, 1])
        determinant = a * d - b * c
        determinant = np.where(np.abs(determinant) < 1e-9, np.inf, determinant)
        inverse = np.stack([np.stack([d, -b], -1), np.stack([-c, a], -1)], -2) / determinant[:, None, None]
        # Rows of `pixels` and `texels` are edges: pixels = texels @ J^T.
        return Footprint(np.einsum("nij,njk->nki", inverse, pixels))

    @property
    def size(self) -> np.ndarray:
        """Pixels that a texel is wide, float64 [n]: the root of its area."""
        return np.sqrt(np.abs(np.linalg.det(self.jacobian)))

    def scaled(self, factor: float) -> Footprint:
        """The footprints in an image resized by `factor`."""
        return Footprint(self.jacobian * factor)

    def select(self, index: np.ndarray) -> Footprint:
        """The footprints of listed triangles."""
        return Footprint(np.take(self.jacobian, index, axis=0))


@also_on_device("sampling")
def sample_image(
    image: Array,  # float32 [H, W, C], linear light
    pixels: Array,  # [n, 2], x right, y down, centres at .5
    footprint: Footprint,
) -> Array:
    """Average an image over texel footprints: float32 [n, C].

    Where a texel covers less than a pixel this is bicubic interpolation. Where it covers more, up to 4 x 4 bicubic taps
    spread over its parallelogram average the level of a box pyramid whose pixels are just finer than the footprint's
    short side, which filters along both axes apart (anisotropic) without blurring what the texel can hold.
    """
    along = length(footprint.jacobian.swapaxes(1, 2))  # [n, 2], pixels per step in texel x and y
    shortest = np.maximum(smallest(along), largest(along) / MAX_TAPS)
    level = np.floor(np.log2(np.maximum(shortest, 1.0))).astype(int)
    level = np.clip(level, 0, max(0, int(np.log2(min(image.shape[:2]))) - 3))
    taps = np.clip(np.ceil(along / (2.0**level)[:, None] - 0.25), 1, MAX_TAPS).astype(int)
    result = np.empty((len(pixels), image.shape[2]), np.float32)
    kind = (level * 16 + taps[:, 0]) * 16 + taps[:, 1]
    current, current_level = image, 0
    for key in np.unique(kind):
        members = np.flatnonzero(kind == key)
        wanted, nx, ny = key // 256, key // 16 % 16, key % 16
        while current_level < wanted:
            current, current_level = _halved(current), current_level + 1
        total = np.zeros((len(members), image.shape[2]), np.float32)
        for i in range(nx):
            for j in range(ny):
                shift = np.array([(i + 0.5) / nx - 0.5, (j + 0.5) / ny - 0.5])
                at = (pixels[members] + footprint.jacobian[members] @ shift) / 2.0**wanted
                total += bicubic(current, at)
        result[members] = total / (nx * ny)
    return np.maximum(result, 0)


def _halved(image: np.ndarray) -> np.ndarray:
    """Box-filtered to half the size; odd sides lose nothing because the border repeats."""
    height, width = image.shape[:2]
    even = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    halved = cv2.resize(even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return halved.reshape(*halved.shape[:2], -1)  # OpenCV drops a single channel


@also_on_device("sampling")
def bicubic(image: Array, pixels: Array) -> Array:
    """Bicubic samples float32 [n, C] of an image [H, W, C] at pixels [n, 2], centres at .5; the border repeats."""
    count = len(pixels)
    padded = np.zeros((-(-count // _ROW) * _ROW, 2), np.float32)
    padded[:count] = pixels - 0.5
    grid = padded.reshape(-1, _ROW, 2)
    # OpenCV addresses at most 32767 rows and pixels; rows of 4096 points keep every job far below.
    values = cv2.remap(image, grid[..., 0], grid[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return values.reshape(len(padded), -1)[:count]


@also_on_device("sampling")
def turned_parts(image: Array, matrices: Sequence[np.ndarray], size: int, border: str) -> Iterator[Array]:
    """Square parts float32 [size, size] of an image [H, W], one after the other, by bicubic samples.

    Args:
        image: float32 [H, W].
        matrices: float64 [2, 3] each, the affine map from a part's texels (column, row) to the image's.
        size: of the parts.
        border: ``mirror`` or ``wrap``, what lies beyond the image.
    """
    mode = {"mirror": cv2.BORDER_REFLECT_101, "wrap": cv2.BORDER_WRAP}[border]
    for matrix in matrices:
        yield cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=mode)


@also_on_device("sampling")
def sample_linear(image: Array, pixels: Array) -> Array:
    """Bilinear samples float32 [n] of an image [H, W] at pixels [n, 2], centres at .5; 0 outside."""
    grid = np.full((-(-len(pixels) // _ROW) * _ROW, 2), -10.0, np.float32)
    grid[: len(pixels)] = pixels - 0.5
    grid = grid.reshape(-1, _ROW, 2)
    image = np.ascontiguousarray(image, np.float32)
    values = cv2.remap(image, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR, borderValue=0)
    return values.reshape(-1)[: len(pixels)]


@also_on_device("bilinear")
def bilinear(image: Array, pixels: Array) -> Array:
    """Bilinear samples float64, on a device float32, [n, ...] of an image [H, W, ...] at pixels [n, 2], centres at .5;
    the border repeats."""
    maps = (pixels - 0.5).astype(np.float32)
    flat = image.reshape(*image.shape[:2], -1)
    channels = [
        cv2.remap(
            np.ascontiguousarray(flat[..., c]), maps[:, 0], maps[:, 1], cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE
        )
        for c in range(flat.shape[2])
    ]
    return np.stack(channels, axis=-1).reshape(len(pixels), *image.shape[2:]).astype(np.float64)


@also_on_device("bilinear")
def warped(image: Array, offset: Array) -> Array:
    """An image [H, W, ...] looked up at each pixel plus an offset [H, W, 2], x and y in pixels; its border repeats."""
    height, width = image.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    place = x + offset[..., 0], y + offset[..., 1]
    return cv2.remap(image, *place, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


@also_on_device("bilinear")
def part_resized(image: Array, corner: Sequence[float], scale: float, size: tuple[int, int], repeat: bool) -> Array:
    """A part of an image float32 [H, W] or [H, W, C] at another scale, [h, w] or [h, w, C], bilinear.

    Args:
        image: of which.
        corner: x and y of the part's corner, pixels.
        scale: new pixels a pixel.
        size: w and h.
        repeat: whether the border repeats; else nothing lies beyond it.
    """
    # New pixel i covers [i, i + 1) / scale; warpAffine counts pixel centres as whole numbers.
    shift = [-value * scale + 0.5 * scale - 0.5 for value in corner]
    place = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    border = cv2.BORDER_REPLICATE if repeat else cv2.BORDER_CONSTANT
    return cv2.warpAffine(image, place, size, flags=cv2.INTER_LINEAR, borderMode=border)


@also_on_device("sampling")
def gathered(
    values: Array,  # [V, C], at the vertices
    corners: Array,  # int [n, 3], vertices
    weights: Array,  # [n, 3]
) -> Array:
    """Values [n, C] at points of a surface."""
    return np.einsum("nk,nkc->nc", weights, np.take(values, corners, axis=0))
