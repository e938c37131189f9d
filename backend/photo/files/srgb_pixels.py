"""Decoded images of any mode, depth and colour profile as 8-bit sRGB."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from backend.imaging.colour import linear_to_srgb
from backend.photo.files.colour_profile import UNUSABLE_PROFILE, lab_to_srgb, profile_conversion
from backend.photo.files.decoding_cost import MAX_WORKING_PIXELS
from backend.photo.files.stated_colour import StatedColour

# Converted at a time.
BAND_PIXELS = 2_000_000
ImageConversion = Callable[[Image.Image], Image.Image]


def srgb_pixels(image: Image.Image, stated: StatedColour = StatedColour()) -> tuple[np.ndarray, tuple[str, ...]]:
    """A decoded image of any mode as uint8 [H, W, 3] sRGB, and warnings of colours that could not be converted.

    Large ones are reduced on the way, a band at a time.
    """
    width, height = image.size
    factor = max(1, math.isqrt(width * height // MAX_WORKING_PIXELS))
    rows = max(1, BAND_PIXELS // width // factor) * factor
    bands = (image.crop((0, top, width, min(top + rows, height))) for top in range(0, height, rows))
    if image.mode.startswith(("I", "F")):
        values = np.concatenate([_block_means(np.asarray(band), factor) for band in bands])
        grey = grey_of_depth(values, image.mode)
        return (grey, ()) if image.mode == "F" else converted_pixels(grey, stated, "L")
    mode = _plain_mode(image)
    to_srgb = _conversion(stated, mode, lambda: np.asarray(_thinned(image).convert("RGB")))
    shape = -(-height // factor), -(-width // factor), 3
    pixels, row = np.empty(shape, np.uint8), 0
    for band in bands:
        plain = _without_palette(band)
        part = np.asarray(_over_white(plain.reduce(factor) if factor > 1 else plain, to_srgb))
        pixels[row : row + len(part)] = part
        row += len(part)
    return pixels, _warnings(stated, mode)


def converted_pixels(pixels: np.ndarray, stated: StatedColour, mode: str = "RGB") -> tuple[np.ndarray, tuple[str, ...]]:
    """8-bit values [H, W, 3], of which `mode` L means that all three are alike, as uint8 sRGB; and warnings."""
    to_srgb = _conversion(stated, mode, lambda: thinned(pixels))

    def convert(part: np.ndarray) -> np.ndarray:
        return np.asarray(to_srgb(Image.fromarray(np.ascontiguousarray(part)).convert(mode)))

    return (pixels if stated.as_it_is else in_bands(convert, pixels)), _warnings(stated, mode)


def _conversion(stated: StatedColour, mode: str, whole: Callable[[], np.ndarray]) -> ImageConversion:
    """From images of a mode (L, RGB, CMYK or LAB) to sRGB; `whole` are the picture's values, some of them at least."""
    if mode == "LAB":
        return lab_to_srgb
    if stated.profile is not None:
        return profile_conversion(stated.profile, mode)
    encoding = stated.encoding
    if mode == "CMYK" or encoding.is_srgb:
        return lambda image: image.convert("RGB")
    some = whole() if encoding.beyond_white else np.empty((0, 3), np.uint8)
    peak = encoding.brightest(np.broadcast_to(some.reshape(-1, some.shape[-1]), (some[..., 0].size, 3)) / 255)

    def convert(image: Image.Image) -> Image.Image:
        return Image.fromarray(encoding.to_srgb(np.asarray(image.convert("RGB")) / np.float32(255), peak))

    return convert


def _warnings(stated: StatedColour, mode: str) -> tuple[str, ...]:
    if stated.profile is not None and mode != "LAB":
        return () if profile_conversion(stated.profile, mode).usable else (UNUSABLE_PROFILE,)
    if mode == "CMYK":
        return ("The photo is made for print (CMYK) and has no colour profile, so its colours may be a little off.",)
    return (stated.warning,) if stated.warning else ()


def _block_means(values: np.ndarray, factor: int) -> np.ndarray:
    """[H, W] reduced by a whole factor, float32; as it is where that is 1."""
    if factor == 1:
        return values
    finite = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    size = (-(-values.shape[1] // factor), -(-values.shape[0] // factor))
    return cv2.resize(finite, size, interpolation=cv2.INTER_AREA)


def _plain_mode(image: Image.Image) -> str:
    """The mode, L, RGB, CMYK or LAB, in which the image is converted."""
    if image.mode in ("CMYK", "LAB"):
        return image.mode
    grey = image.mode in ("1", "L", "LA", "La") and "transparency" not in image.info
    return "L" if grey else "RGB"


def _thinned(image: Image.Image) -> Image.Image:
    """Some of the image's pixels, unchanged."""
    step = max(1, math.isqrt(image.width * image.height // BAND_PIXELS))
    return image.resize((-(-image.width // step), -(-image.height // step)), Image.Resampling.NEAREST)


def thinned(pixels: np.ndarray) -> np.ndarray:
    """Some of the pixels of an array [H, W, ...]."""
    step = max(1, math.isqrt(pixels.shape[0] * pixels.shape[1] // BAND_PIXELS))
    return pixels[::step, ::step]


def _without_palette(image: Image.Image) -> Image.Image:
    """A mode that can be reduced: no palette, no single bits, transparency as a channel."""
    if image.mode == "P" or "transparency" in image.info:
        return image.convert("RGBA" if "transparency" in image.info else "RGB")
    if image.mode == "PA":
        return image.convert("RGBA")
    return image.convert("L") if image.mode == "1" else image


def _opaque(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Colours L, RGB, CMYK or LAB of an image without a palette, and its alpha where there is one."""
    if image.mode in ("RGBA", "LA", "RGBa", "La"):
        with_alpha = image.convert("LA" if image.mode in ("LA", "La") else "RGBA")
        return with_alpha.convert("L" if with_alpha.mode == "LA" else "RGB"), with_alpha.getchannel("A")
    return (image if image.mode in ("L", "RGB", "CMYK", "LAB") else image.convert("RGB")), None


def _over_white(image: Image.Image, to_srgb: ImageConversion) -> Image.Image:
    """8-bit sRGB without alpha of an image without a palette."""
    plain, alpha = _opaque(image)
    colour = to_srgb(plain)
    # Nearly every photo with an alpha channel is opaque; then there is nothing to lay over white.
    if alpha is None or alpha.getextrema() == (255, 255):
        return colour
    white = Image.new("RGB", colour.size, (255, 255, 255))
    white.paste(colour, mask=alpha)
    return white


def in_bands(convert: Callable[[np.ndarray], np.ndarray], values: np.ndarray) -> np.ndarray:
    """`convert`, which keeps the shape and gives uint8, a few rows at a time: its temporaries stay small."""
    out = np.empty(values.shape, np.uint8)
    rows = max(1, BAND_PIXELS // max(1, values[0].size))
    for top in range(0, len(values), rows):
        out[top : top + rows] = convert(values[top : top + rows])
    return out


def grey_of_depth(values: np.ndarray, mode: str) -> np.ndarray:
    """Grey values [H, W] of 16 or 32 bits, or floating point (linear light), to uint8 sRGB [H, W, 3]."""
    if mode == "F":
        grey = encode_linear(values)
    else:
        top = 65535 if mode.startswith("I;16") or values.max(initial=0) <= 65535 else np.iinfo(np.int32).max
        grey = in_bands(lambda part: np.round(np.clip(part.astype(np.float64) / top, 0, 1) * 255), values)
    return np.repeat(grey[..., None], 3, axis=2)


def encode_linear(values: np.ndarray) -> np.ndarray:
    """Floating point images hold linear light by custom; those that go beyond 1 are scaled to their bright end."""

    def finite(part: np.ndarray) -> np.ndarray:
        return np.nan_to_num(part.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)

    # Of a large image every second, third, ... row and column tell its bright end well enough.
    step = max(1, math.isqrt(values.size // BAND_PIXELS))
    white = max(1.0, float(np.percentile(finite(values[::step, ::step]), 99.5)))
    return in_bands(lambda part: np.round(linear_to_srgb(finite(part) / white) * 255), values)
