"""Reading a photograph: any common file in, an upright sRGB image out (DESIGN section 5, step 1)."""

from __future__ import annotations

import io
import logging
import math
import warnings
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import pillow_heif
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from backend.imaging.colour import linear_to_srgb, srgb_bytes_to_linear
from shared.errors import RelightifyError

log = logging.getLogger(__name__)

MIN_SIDE_PX = 64
# What later stages work on: enough for a face at 4096 texels, and 300 MB as linear float32.
MAX_WORKING_PIXELS = 25_000_000
FILM_DIAGONAL_MM = math.hypot(36.0, 24.0)
_TIFF_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


@dataclass(frozen=True)
class Photo:
    """An upright photograph.

    Args:
        image_srgb: uint8 [H, W, 3], sRGB-encoded, row 0 is the top.
        focal_35mm: focal length in mm as equivalent on 35 mm film (by the image diagonal), None where the file does
            not say or the image was cropped.
    """

    image_srgb: np.ndarray
    focal_35mm: float | None = None

    @property
    def height(self) -> int:
        return self.image_srgb.shape[0]

    @property
    def width(self) -> int:
        return self.image_srgb.shape[1]

    @property
    def focal_px(self) -> float | None:
        """Focal length in pixels, None where `focal_35mm` is."""
        if self.focal_35mm is None:
            return None
        return self.focal_35mm / FILM_DIAGONAL_MM * math.hypot(self.width, self.height)

    @cached_property
    def image_linear(self) -> np.ndarray:
        """float32 [H, W, 3], linear light in [0, 1]; computed once and read-only."""
        linear = srgb_bytes_to_linear(self.image_srgb)
        linear.setflags(write=False)
        return linear


def read_photo(data: bytes) -> Photo:
    """Decode the bytes of an image file into an upright sRGB photograph.

    The EXIF orientation is applied, an embedded ICC profile is converted to sRGB, transparency is laid over white, and
    of an animation the first frame is taken. Images over `MAX_WORKING_PIXELS` are reduced.

    Args:
        data: the file's bytes: JPEG, PNG, TIFF, WebP, HEIC, AVIF, or whatever else Pillow reads.

    Raises:
        RelightifyError: ``photo_empty``, ``photo_unreadable``, ``photo_truncated``, ``photo_too_small`` or
            ``photo_too_large``.
    """
    if not data:
        raise RelightifyError("photo_empty", "The photo file is empty.", "Choose another file or copy it again.")
    pillow_heif.register_heif_opener()
    image = _open(data)
    if image is None:
        pixels = _decode_tiff_of_unusual_depth(data)
        focal = None
    else:
        pixels, focal = _decode(image)
    if min(pixels.shape[:2]) < MIN_SIDE_PX:
        height, width = pixels.shape[:2]
        raise RelightifyError(
            "photo_too_small",
            f"The photo has only {width} x {height} pixels.",
            f"Use one with at least {MIN_SIDE_PX} pixels a side; 500 or more across the face gives good textures.",
        )
    pixels = np.ascontiguousarray(_reduced(pixels))
    pixels.setflags(write=False)
    return Photo(pixels, focal)


def _open(data: bytes) -> Image.Image | None:
    """Open without decoding; None for a TIFF that Pillow does not know."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of what `_decode` handles: an image large enough to be an attack on memory.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except UnidentifiedImageError as error:
        if data[:4] in _TIFF_MAGIC:
            return None
        raise _unreadable() from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        # A known signature followed by a header that ends too early.
        raise _truncated() from error


def _decode(image: Image.Image) -> tuple[np.ndarray, float | None]:
    """Pixels uint8 [H, W, 3] sRGB, upright, and the focal length."""
    width, height = image.size
    if width * height > 4 * MAX_WORKING_PIXELS:
        # JPEG decoders can skip the finest DCT coefficients, which keeps memory low; others ignore the wish.
        image.draft("RGB" if image.mode != "CMYK" else "CMYK", (width // 2, height // 2))
    try:
        exif = image.getexif()
        focal = _focal_35mm(exif, (width, height))
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, ArithmeticError) as error:
        log.warning("The EXIF data of the photo cannot be read (%s); going on without.", error)
        focal = None
    try:
        image.load()
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
        raise _truncated() from error
    return _upright(image, np.asarray(_to_srgb(image))), focal


def _upright(image: Image.Image, pixels: np.ndarray) -> np.ndarray:
    """Apply the EXIF orientation of `image` to decoded pixels."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, ArithmeticError):
        return pixels  # already logged where the focal length was read
    turned = {
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: p[::-1].transpose(1, 0, 2),
        7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
        8: lambda p: p[:, ::-1].transpose(1, 0, 2),
    }.get(orientation)
    return turned(pixels) if turned else pixels


def _to_srgb(image: Image.Image) -> Image.Image:
    """Any mode to 8-bit sRGB without alpha."""
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_grey_of_depth(np.asarray(image), image.mode)).convert("RGB")
    alpha = None
    if image.mode == "P" or "transparency" in image.info:
        image = _keeping_profile(image, image.convert("RGBA" if "transparency" in image.info else "RGB"))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
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
    profile_bytes = image.info.get("icc_profile")
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB") or image.convert("RGB")
    if profile_bytes and image.mode in ("RGB", "L", "CMYK"):
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(profile_bytes))
            if "sRGB" in ImageCms.getProfileDescription(profile) and image.mode == "RGB":
                return image
            srgb = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError) as error:
            log.warning("The photo's colour profile cannot be used (%s); its colours are taken as sRGB.", error)
    return image.convert("RGB")


def _grey_of_depth(values: np.ndarray, mode: str) -> np.ndarray:
    """Grey values of 16 or 32 bits, or floating point (linear light), to uint8 sRGB [H, W]."""
    if mode == "F":
        return _encode_linear(values)
    top = 65535 if mode.startswith("I;16") or values.max(initial=0) <= 65535 else np.iinfo(np.int32).max
    return np.round(np.clip(values.astype(np.float64) / top, 0, 1) * 255).astype(np.uint8)


def _encode_linear(values: np.ndarray) -> np.ndarray:
    """Floating point images hold linear light by custom; those that go beyond 1 are scaled to their bright end."""
    values = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    white = max(1.0, float(np.percentile(values, 99.5)))
    return np.round(linear_to_srgb(values / white) * 255).astype(np.uint8)


def _decode_tiff_of_unusual_depth(data: bytes) -> np.ndarray:
    """16-bit and floating point RGB(A) TIFF, which Pillow does not open, by OpenCV; uint8 [H, W, 3]."""
    try:
        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise _unreadable() from error
    if values is None:
        raise _unreadable()
    values = values.reshape(*values.shape[:2], -1)
    if values.dtype.kind == "f":
        colour, alpha = _encode_linear(values[..., :3]), np.clip(values[..., 3:4], 0, 1)
    else:
        top = 65535 if values.dtype.itemsize == 2 else 255
        colour = np.round(values[..., :3] / top * 255).astype(np.uint8)
        alpha = values[..., 3:4].astype(np.float32) / top
    if colour.shape[2] < 3:
        colour = np.repeat(colour[..., :1], 3, axis=2)
    colour = colour[..., ::-1]
    if alpha.shape[2]:
        colour = np.round(colour * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return colour


def _reduced(pixels: np.ndarray) -> np.ndarray:
    """Area-averaged down to `MAX_WORKING_PIXELS` where larger."""
    height, width = pixels.shape[:2]
    factor = math.sqrt(MAX_WORKING_PIXELS / (height * width))
    if factor >= 1:
        return pixels
    size = (max(round(width * factor), MIN_SIDE_PX), max(round(height * factor), MIN_SIDE_PX))
    log.info("The photo of %d x %d pixels is reduced to %d x %d.", width, height, *size)
    return cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)


def _focal_35mm(exif: Image.Exif, size: tuple[int, int]) -> float | None:
    """Equivalent focal length in mm from EXIF, for an image of `size` (width, height) as stored."""
    ifd = exif.get_ifd(ExifTags.IFD.Exif)
    stored = (ifd.get(ExifTags.Base.ExifImageWidth), ifd.get(ExifTags.Base.ExifImageHeight))
    if stored[0] and stored[1] and not _same_shape((float(stored[0]), float(stored[1])), size):
        log.info("The photo was cropped after it was taken, so its focal length is not used.")
        return None
    focal = float(ifd.get(ExifTags.Base.FocalLengthIn35mmFilm) or 0)
    if focal <= 0:
        focal = _focal_from_sensor(ifd, stored)
    return focal if 5.0 <= focal <= 1500.0 else None


def _same_shape(a: tuple[float, float], b: tuple[float, float]) -> bool:
    ratio_a, ratio_b = max(a) / min(a), max(b) / min(b)
    return abs(ratio_a / ratio_b - 1) < 0.02


def _focal_from_sensor(ifd: dict, stored: tuple) -> float:
    """Equivalent focal length from the lens' focal length and the sensor's pixel density, 0 where not given."""
    focal_mm = float(ifd.get(ExifTags.Base.FocalLength) or 0)
    density = float(ifd.get(ExifTags.Base.FocalPlaneXResolution) or 0)
    unit_mm = {2: 25.4, 3: 10.0, 4: 1.0}.get(ifd.get(ExifTags.Base.FocalPlaneResolutionUnit, 2), 0.0)
    if not (focal_mm > 0 and density > 0 and unit_mm > 0 and stored[0] and stored[1]):
        return 0.0
    diagonal_mm = math.hypot(float(stored[0]), float(stored[1])) / density * unit_mm
    return focal_mm * FILM_DIAGONAL_MM / diagonal_mm


def _unreadable() -> RelightifyError:
    return RelightifyError(
        "photo_unreadable", "The file is not an image that can be read.", "Use a JPEG, PNG, TIFF, WebP or HEIC file."
    )


def _truncated() -> RelightifyError:
    return RelightifyError(
        "photo_truncated", "The photo file is damaged or incomplete.", "Copy or download it again, or export it anew."
    )


def _too_large() -> RelightifyError:
    return RelightifyError(
        "photo_too_large", "The photo has more than 178 million pixels.", "Scale it down to at most 100 megapixels."
    )
