"""Filters, and blurring and resizing of images that are known only in part."""

from __future__ import annotations

import cv2
import numpy as np

from backend.imaging.arrays import Array, also_on_device, as_float32, namespace

# Median absolute deviation to standard deviation, of a normal distribution.
MAD_TO_STD = 1.4826
# What lies beyond an image's border: its mirror image about the outermost pixel, nothing, or the outermost pixel.
BORDERS = {"mirror": cv2.BORDER_REFLECT_101, "zero": cv2.BORDER_CONSTANT, "repeat": cv2.BORDER_REPLICATE}


@also_on_device("filters")
def masked_blur(
    image: Array,  # float32 [H, W] or [H, W, C]
    weight: Array,  # float32 [H, W], >= 0
    sigma: float,  # pixels
) -> Array:
    """Gaussian blur that counts each pixel by its weight (normalised convolution, Knutsson and Westin 1993).

    Far from any weight the result goes to 0. Wide blurs run on a reduced image.
    """
    shrink = 1 << max(0, int(np.log2(max(sigma / 4, 1))))
    height, width = weight.shape
    expanded = weight if image.ndim == 2 else weight[..., None]
    numerator, denominator = (image * expanded).astype(np.float32), weight.astype(np.float32)
    size = (max(1, width // shrink), max(1, height // shrink))
    if shrink > 1:
        numerator = cv2.resize(numerator, size, interpolation=cv2.INTER_AREA)
        denominator = cv2.resize(denominator, size, interpolation=cv2.INTER_AREA)
    numerator = cv2.GaussianBlur(numerator, (0, 0), sigma / shrink, borderType=cv2.BORDER_CONSTANT)
    denominator = cv2.GaussianBlur(denominator, (0, 0), sigma / shrink, borderType=cv2.BORDER_CONSTANT)
    denominator = np.maximum(denominator, 1e-6)
    ratio = numerator / (denominator if image.ndim == 2 else denominator[..., None])
    return cv2.resize(ratio, (width, height), interpolation=cv2.INTER_LINEAR) if shrink > 1 else ratio


@also_on_device("filters")
def gaussian_blur(image: Array, sigma: float, border: str = "mirror") -> Array:
    """Gaussian blur of an image float32 [H, W] or [H, W, C], sigma in pixels; `border` is one of `BORDERS`."""
    return cv2.GaussianBlur(image, (0, 0), sigma, borderType=BORDERS[border])


@also_on_device("filters")
def masked_reduce(image: Array, weight: Array, side: int) -> tuple[Array, Array]:
    """Area averages of an image [R, R, C] by weight [R, R], and of the weight, on side x side pixels."""
    if weight.shape[0] == side:
        return image, weight
    reduced_weight = cv2.resize(weight, (side, side), interpolation=cv2.INTER_AREA)
    total = cv2.resize(image * weight[..., None], (side, side), interpolation=cv2.INTER_AREA)
    return total / np.maximum(reduced_weight, 1e-6)[..., None], reduced_weight


@also_on_device("filters")
def enlarge(image: Array, side: int) -> Array:
    """Bicubic enlargement of [B, B] or [B, B, C] to side x side; the same image where that is its size."""
    if image.shape[0] == side:
        return image
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)


@also_on_device("filters")
def grown(image: Array, reach: int, square: bool = False) -> Array:
    """The largest value within so many pixels of each, a disc or a square, of an image [H, W]."""
    return cv2.dilate(image, _shape(reach, square))


@also_on_device("filters")
def shrunk(image: Array, reach: int, square: bool = False) -> Array:
    """The smallest value within so many pixels of each, a disc or a square, of an image [H, W]."""
    return cv2.erode(image, _shape(reach, square))


def _shape(reach: int, square: bool) -> np.ndarray:
    kind = cv2.MORPH_RECT if square else cv2.MORPH_ELLIPSE
    return cv2.getStructuringElement(kind, (2 * reach + 1, 2 * reach + 1))


@also_on_device("filters")
def filtered(image: Array, kernel: np.ndarray) -> Array:
    """Correlation of an image float32 [H, W] with a kernel float32 of odd sides, mirrored at the border."""
    return cv2.filter2D(image, cv2.CV_32F, kernel)


@also_on_device("filters")
def counts_before(mask: Array) -> Array:
    """How many texels of a bool mask [H, W] that are True lie above and left of each corner: int32 [H + 1, W + 1]."""
    return cv2.integral(mask.view(np.uint8), sdepth=cv2.CV_32S)


@also_on_device("filters")
def without_holes(mask: Array) -> Array:
    """A bool mask [H, W] and all that it encloses."""
    outline, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros(mask.shape, np.uint8), outline, -1, 1, cv2.FILLED) > 0


@also_on_device("distance")
def inner_distance(mask: Array) -> Array:
    """Distance float32 [H, W] of the pixels of a bool mask to its border, 0 outside."""
    return cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)


def smooth_step(x: Array | float, low: float, high: float) -> Array:
    """0 at `low`, 1 at `high`, smooth in between; `low` may be the larger."""
    t = namespace(x).clip((x - low) / (high - low), 0, 1)
    return as_float32(t * t * (3 - 2 * t))
