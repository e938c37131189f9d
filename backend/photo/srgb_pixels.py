"""Decoded images of any mode, depth and colour profile as 8-bit sRGB."""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageCms

from backend.imaging.colour import linear_to_srgb
from backend.photo.decoding_cost import MAX_WORKING_PIXELS

log = logging.getLogger(__name__)

# Converted at a time.
BAND_PIXELS = 2_000_000
# A profile that moves no colour by more than this is sRGB's; rounding alone moves them by one.
SAME_COLOUR_LEVELS = 2


def srgb_pixels(image: Image.Image) -> np.ndarray:
    """A decoded image of any mode as uint8 [H, W, 3] sRGB; large ones are reduced on the way, a band at a time."""
    width, height = image.size
    factor = max(1, math.isqrt(width * height // MAX_WORKING_PIXELS))
    rows = max(1, BAND_PIXELS // width // factor) * factor
    bands = (image.crop((0, top, width, min(top + rows, height))) for top in range(0, height, rows))
    if image.mode.startswith(("I", "F")):
        values = np.concatenate([_block_means(np.asarray(band), factor) for band in bands])
        return grey_of_depth(values, image.mode)
    shape = -(-height // factor), -(-width // factor), 3
    pixels, row = np.empty(shape, np.uint8), 0
    for band in bands:
        plain = _without_palette(band)
        part = np.asarray(_to_srgb(plain.reduce(factor) if factor > 1 else plain))
        pixels[row : row + len(part)] = part
        row += len(part)
    return pixels


def _block_means(values: np.ndarray, factor: int) -> np.ndarray:
    """[H, W] reduced by a whole factor, float32; as it is where that is 1."""
    if factor == 1:
        return values
    finite = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    size = (-(-values.shape[1] // factor), -(-values.shape[0] // factor))
    return cv2.resize(finite, size, interpolation=cv2.INTER_AREA)


def _without_palette(image: Image.Image) -> Image.Image:
    """A mode that can be reduced: no palette, no single bits, transparency as a channel."""
    if image.mode == "P" or "transparency" in image.info:
        return _keeping_profile(image, image.convert("RGBA" if "transparency" in image.info else "RGB"))
    if image.mode == "PA":
        return _keeping_profile(image, image.convert("RGBA"))
    return _keeping_profile(image, image.convert("L")) if image.mode == "1" else image


def _to_srgb(image: Image.Image) -> Image.Image:
    """8-bit sRGB without alpha of any mode without a palette."""
    alpha = None
    if image.mode in ("RGBA", "LA", "RGBa", "La"):
        with_alpha = image.convert("LA" if image.mode in ("LA", "La") else "RGBA")
        alpha = with_alpha.getchannel("A")
        image = _keeping_profile(image, with_alpha.convert("L" if with_alpha.mode == "LA" else "RGB"))
    colour = _apply_profile(image)
    if alpha is None:
        return colour
    # Nearly every photo with an alpha channel is opaque; then there is nothing to lay over white.
    if alpha.getextrema() == (255, 255):
        return colour
    white = Image.new("RGB", colour.size, (255, 255, 255))
    white.paste(colour, mask=alpha)
    return white


def _keeping_profile(source: Image.Image, converted: Image.Image) -> Image.Image:
    if "icc_profile" in source.info:
        converted.info["icc_profile"] = source.info["icc_profile"]
    return converted


def _apply_profile(image: Image.Image) -> Image.Image:
    """Convert from the embedded ICC profile to sRGB RGB; without a (usable) profile the values are taken as sRGB."""
    profile = image.info.get("icc_profile")
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB") or image.convert("RGB")
    if profile and image.mode in ("RGB", "L", "CMYK"):
        transform = _transform_to_srgb(profile, image.mode)
        if transform is not None:
            converted = ImageCms.applyTransform(image, transform)
            if converted is not None:
                return converted
    return image.convert("RGB")


@lru_cache(maxsize=2)  # for the bands of one photo
def _transform_to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The conversion from an ICC profile, None where it cannot be used or is that of sRGB.

    What counts is what the profile does to colours, which is its curves and primaries: its name may say anything.
    """
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        if mode != "RGB":
            return transform
        levels = np.arange(0, 256, 15, dtype=np.uint8)
        colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(len(levels), -1, 3)
        converted = np.asarray(ImageCms.applyTransform(Image.fromarray(colours), transform))
        same = np.abs(converted.astype(int) - colours).max() <= SAME_COLOUR_LEVELS
        return None if same else transform
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        log.warning("The photo's colour profile cannot be used (%s); its colours are taken as sRGB.", error)
        return None


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
