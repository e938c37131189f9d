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
from PIL import ExifTags, Image, TiffImagePlugin, UnidentifiedImageError

from backend.imaging.colour import srgb_bytes_to_linear
from backend.photo.decoding_cost import (
    JPEG_SCAN,
    MAX_DECODING_BYTES,
    MAX_JPEG_SCAN_PIXELS,
    MAX_TAG_BYTES,
    MAX_WORKING_PIXELS,
    decoding_bytes,
    exif_block,
    tag_bytes,
)
from backend.photo.srgb_pixels import encode_linear, in_bands, srgb_pixels
from shared.errors import RelightifyError

log = logging.getLogger(__name__)

MIN_SIDE_PX = 64
# The formats that are read. Pillow knows forty others, some of which start programs (EPS runs Ghostscript).
FORMATS = ("JPEG", "MPO", "PNG", "TIFF", "WEBP", "HEIF", "AVIF", "BMP", "GIF")
MAX_SIDE_PX = 32767
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
    of an animation the first frame is taken. Images over `MAX_WORKING_PIXELS` are reduced. Whatever the file says of
    itself, reading it takes at most 1.5 GB, or it is refused.

    Args:
        data: the file's bytes, in one of `FORMATS`.

    Raises:
        RelightifyError: ``photo_empty``, ``photo_unreadable``, ``photo_truncated``, ``photo_too_small`` or
            ``photo_too_large``.
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
        raise _truncated() from error
    pixels.setflags(write=False)
    return Photo(pixels, focal)


def _read(data: bytes) -> tuple[np.ndarray, float | None]:
    """Pixels uint8 [H, W, 3] sRGB, upright and reduced, and the focal length."""
    if data[:4] in _TIFF_MAGIC and tag_bytes(data) > MAX_TAG_BYTES:
        raise _truncated()  # before Pillow reads every tag, however often they name the same bytes
    image = _open(data)
    if image is None:
        pixels, focal = _decode_tiff_of_unusual_depth(data), None
    else:
        pixels, focal = _decode(image, data)
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SIDE_PX:
        raise RelightifyError(
            "photo_too_small",
            f"The photo has only {width} x {height} pixels.",
            f"Use one with at least {MIN_SIDE_PX} pixels a side; 500 or more across the face gives good textures.",
        )
    return np.ascontiguousarray(_reduced(pixels)), focal


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
        raise _too_large() from error
    except UnidentifiedImageError as error:
        if data[:4] in _TIFF_MAGIC:
            return None
        raise _unreadable() from error
    except MemoryError:
        raise
    except Exception as error:
        # A known signature followed by a header that ends too early.
        raise _truncated() from error


def _decode(image: Image.Image, data: bytes) -> tuple[np.ndarray, float | None]:
    """Pixels uint8 [H, W, 3] sRGB, upright, and the focal length."""
    width, height = image.size
    _check_size(width, height, decoding_bytes(image, data))
    if image.format in ("JPEG", "MPO") and width * height * data.count(JPEG_SCAN) > MAX_JPEG_SCAN_PIXELS:
        raise _too_large()
    if width * height > 4 * MAX_WORKING_PIXELS:
        # JPEG decoders can skip the finest DCT coefficients, which keeps memory low; others ignore the wish.
        image.draft("RGB" if image.mode != "CMYK" else "CMYK", (width // 2, height // 2))
    # A TIFF is its own EXIF data, which has been looked at.
    if image.format != "TIFF" and tag_bytes(exif_block(image)) > MAX_TAG_BYTES:
        log.warning("The EXIF data of the photo is larger than any camera's; going on without.")
        image.info.pop("exif", None)
    try:
        exif = image.getexif()
        focal = _focal_35mm(exif, (width, height))
    except Exception as error:
        log.warning("The EXIF data of the photo cannot be read (%s); going on without.", error)
        focal = None
    try:
        image.load()
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except MemoryError:
        raise
    except Exception as error:
        raise _truncated() from error
    return _upright(image, srgb_pixels(image)), focal


# --- what decoding will take ------------------------------------------------------------------------------------


def _check_size(width: int, height: int, decoding: int) -> None:
    if max(width, height) > MAX_SIDE_PX:
        raise RelightifyError(
            "photo_too_large",
            f"The photo has a side of {max(width, height)} pixels.",
            f"Cut the part with the face out; {MAX_SIDE_PX} pixels a side are the most that is read.",
        )
    if decoding > MAX_DECODING_BYTES:
        raise _too_large()


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


def _decode_tiff_of_unusual_depth(data: bytes) -> np.ndarray:
    """16-bit and floating point RGB(A) TIFF, which Pillow does not open, by OpenCV; uint8 [H, W, 3]."""
    width, height, texel_bytes = _tiff_layout(data)
    # OpenCV holds the image, and a strip or tile of it, which may be all of it again.
    _check_size(width, height, 2 * width * height * texel_bytes)
    try:
        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise _unreadable() from error
    if values is None:
        raise _unreadable()
    if values.dtype.kind == "f":
        for row in values:  # one that is no number would spoil its neighbours
            np.nan_to_num(row, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    values = _reduced(values)
    values = values.reshape(*values.shape[:2], -1)
    if values.dtype.kind == "f":
        colour, alpha = encode_linear(values[..., :3]), values[..., 3:4]
    else:
        top = np.iinfo(values.dtype).max
        colour = in_bands(lambda part: np.round(np.clip(part / top, 0, 1) * 255), values[..., :3])
        alpha = values[..., 3:4].astype(np.float32) / top
    if colour.shape[2] < 3:
        colour = np.repeat(colour[..., :1], 3, axis=2)
    colour = colour[..., ::-1]
    if alpha.shape[2]:
        for row, cover in zip(colour, np.clip(alpha, 0, 1), strict=True):
            row[:] = np.round(row * cover + 255 * (1 - cover)).astype(np.uint8)
    return colour


def _tiff_layout(data: bytes) -> tuple[int, int, int]:
    """Width and height in pixels and bytes a pixel, as the first directory of a TIFF says.

    Raises:
        RelightifyError: ``photo_unreadable``.
    """
    try:
        head = data[:16] if data[2:4] in (b"+\x00", b"\x00+") else data[:8]
        directory = TiffImagePlugin.ImageFileDirectory_v2(head)
        stream = io.BytesIO(data)
        stream.seek(directory.next)
        directory.load(stream)
        bits = directory.get(258) or (1,)
        samples = max(int(directory.get(277) or 1), len(bits))
        return int(directory[256]), int(directory[257]), max(1, samples * int(max(bits)) // 8)
    except Exception as error:
        raise _unreadable() from error


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
        "photo_too_large",
        "The photo would take more than a gigabyte of memory, or very long, to be decoded.",
        "Scale it down to at most 80 megapixels, or save it as a JPEG.",
    )
