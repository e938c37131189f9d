"""Reading a photograph: any common file in, an upright sRGB image out (DESIGN section 5, step 1)."""

from __future__ import annotations

import io
import logging
import math
import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, UnidentifiedImageError

from backend.imaging.colour import srgb_bytes_to_linear
from backend.photo.camera_raw import is_camera_raw
from backend.photo.decoding_cost import (
    JPEG_SCAN,
    MAX_JPEG_SCAN_PIXELS,
    MAX_TAG_BYTES,
    MAX_WORKING_PIXELS,
    decoding_bytes,
    exif_block,
    tag_bytes,
)
from backend.photo.deep_tiff import decode_deep_tiff
from backend.photo.exif_focal import FILM_DIAGONAL_MM, focal_35mm
from backend.photo.file_errors import camera_raw, too_large, truncated, unreadable
from backend.photo.sizes import MIN_SIDE_PX, check_size, reduced
from backend.photo.srgb_pixels import srgb_pixels
from shared.errors import RelightifyError

log = logging.getLogger(__name__)

# The formats that are read. Pillow knows forty others, some of which start programs (EPS runs Ghostscript).
FORMATS = ("JPEG", "MPO", "PNG", "TIFF", "WEBP", "HEIF", "AVIF", "BMP", "GIF")
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
    of an animation the first frame is taken. Images over `MAX_WORKING_PIXELS` are reduced. Whatever the file says of
    itself, reading it takes at most 1.5 GB, or it is refused.

    Args:
        data: the file's bytes, in one of `FORMATS`.

    Raises:
        RelightifyError: ``photo_empty``, ``photo_unreadable``, ``photo_is_raw``, ``photo_truncated``,
            ``photo_too_small`` or ``photo_too_large``.
    """
    if not data:
        raise RelightifyError("photo_empty", "The photo file is empty.", "Choose another file or copy it again.")
    try:
        pixels, focal = _read(data)
    except RelightifyError:
        raise
    except MemoryError as error:
        raise RelightifyError(
            "photo_too_large",
            "The photo does not fit into the memory that is free.",
            "Close other programs, or scale the photo down.",
        ) from error
    except Exception as error:
        # What a damaged file makes of a decoder is anybody's guess: RuntimeError, struct.error, cv2.error, ...
        log.warning("The photo cannot be decoded.", exc_info=True)
        raise truncated() from error
    pixels.setflags(write=False)
    return Photo(pixels, focal)


def _read(data: bytes) -> tuple[np.ndarray, float | None]:
    """Pixels uint8 [H, W, 3] sRGB, upright and reduced, and the focal length."""
    if data[:4] in _TIFF_MAGIC and tag_bytes(data) > MAX_TAG_BYTES:
        raise truncated()  # before Pillow reads every tag, however often they name the same bytes
    if is_camera_raw(data):
        raise camera_raw()
    image = _open(data)
    if image is None:
        pixels, focal = decode_deep_tiff(data), None
    else:
        pixels, focal = _decode(image, data)
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SIDE_PX:
        raise RelightifyError(
            "photo_too_small",
            f"The photo has only {width} x {height} pixels.",
            f"Use one with at least {MIN_SIDE_PX} pixels a side; 500 or more across the face gives good textures.",
        )
    return np.ascontiguousarray(reduced(pixels)), focal


def _formats() -> list[str]:
    """Those of `FORMATS` that this Pillow has."""
    pillow_heif.register_heif_opener()
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _open(data: bytes) -> Image.Image | None:
    """Open without decoding; None for a TIFF that Pillow does not know."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of what `_decode` handles: an image large enough to be an attack on memory.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data), formats=_formats())
    except Image.DecompressionBombError as error:
        raise too_large() from error
    except UnidentifiedImageError as error:
        if data[:4] in _TIFF_MAGIC:
            return None
        raise unreadable() from error
    except MemoryError:
        raise
    except Exception as error:
        # A known signature followed by a header that ends too early.
        raise truncated() from error


def _decode(image: Image.Image, data: bytes) -> tuple[np.ndarray, float | None]:
    """Pixels uint8 [H, W, 3] sRGB, upright, and the focal length."""
    width, height = image.size
    check_size(width, height, decoding_bytes(image, data))
    if image.format in ("JPEG", "MPO") and width * height * data.count(JPEG_SCAN) > MAX_JPEG_SCAN_PIXELS:
        raise too_large()
    if width * height > 4 * MAX_WORKING_PIXELS:
        # JPEG decoders can skip the finest DCT coefficients, which keeps memory low; others ignore the wish.
        image.draft("RGB" if image.mode != "CMYK" else "CMYK", (width // 2, height // 2))
    # A TIFF is its own EXIF data, which has been looked at.
    if image.format != "TIFF" and tag_bytes(exif_block(image)) > MAX_TAG_BYTES:
        log.warning("The EXIF data of the photo is larger than any camera's; going on without.")
        image.info.pop("exif", None)
    try:
        exif = image.getexif()
        focal = focal_35mm(exif, (width, height))
    except Exception as error:
        log.warning("The EXIF data of the photo cannot be read (%s); going on without.", error)
        focal = None
    try:
        image.load()
    except Image.DecompressionBombError as error:
        raise too_large() from error
    except MemoryError:
        raise
    except Exception as error:
        raise truncated() from error
    return _upright(image, srgb_pixels(image)), focal


# --- pixels -----------------------------------------------------------------------------------------------------


def _upright(image: Image.Image, pixels: np.ndarray) -> np.ndarray:
    """Apply the EXIF orientation of `image` to decoded pixels."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:
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
