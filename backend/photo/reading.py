"""Reading a photograph: any common file in, an upright sRGB image out (DESIGN section 5, step 1)."""

from __future__ import annotations

import io
import logging
import math
import warnings
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pillow_heif
from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from backend.imaging.colour import srgb_bytes_to_linear
from backend.photo.files.camera_raw import is_camera_raw
from backend.photo.files.decoding_cost import (
    JPEG_SCAN,
    MAX_JPEG_SCAN_PIXELS,
    MAX_TAG_BYTES,
    decoding_bytes,
    draft_scale,
    tag_bytes,
)
from backend.photo.files.deep_heif import decode_deep_heif
from backend.photo.files.deep_tiff import decode_deep_tiff
from backend.photo.files.exif_tags import FILM_DIAGONAL_MM, exif_data, focal_35mm, or_none, orientation_of
from backend.photo.files.file_errors import camera_raw, too_large, truncated, unknown
from backend.photo.files.jpeg_steps import JpegSteps, jpeg_steps
from backend.photo.files.lost_end import Rescued, ends_in_zeros, rescued
from backend.photo.files.sizes import MIN_SIDE_PX, check_size, reduced
from backend.photo.files.srgb_pixels import srgb_pixels
from backend.photo.files.stated_colour import stated_colour
from backend.photo.files.tiff_rewriting import is_deep_in_planes, main_picture
from backend.photo.parameters import ReadingSettings
from shared.errors import RelightifyError

log = logging.getLogger(__name__)

# The formats that are read. Pillow knows forty others, some of which start programs (EPS runs Ghostscript).
FORMATS = ("JPEG", "MPO", "PNG", "TIFF", "WEBP", "HEIF", "AVIF", "BMP", "GIF")
LOST_ITS_END = "The photo file is damaged: its end is missing. What is there was used."
_TIFF_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


@dataclass(frozen=True)
class Photo:
    """An upright photograph.

    Args:
        image_srgb: uint8 [H, W, 3], sRGB-encoded, row 0 is the top.
        focal_35mm: focal length in mm as equivalent on 35 mm film (by the image diagonal), None where the file does
            not say or the image was cropped.
        missing_px: the part x0, y0, x1, y1 of the image that a damaged file no longer holds, None where all is there.
        warnings: sentences for the user about the file.
        jpeg_steps: of the JPEG file that the pixels are from, None where they are not as it stores them.
    """

    image_srgb: np.ndarray
    focal_35mm: float | None = None
    missing_px: tuple[float, float, float, float] | None = None
    warnings: tuple[str, ...] = ()
    jpeg_steps: JpegSteps | None = None

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


def read_photo(data: bytes, settings: ReadingSettings = ReadingSettings()) -> Photo:
    """Decode the bytes of an image file into an upright sRGB photograph.

    The EXIF orientation is applied, colours are converted to sRGB from what the file says of them, transparency is laid
    over white; of an animation the first frame is taken, of a TIFF the first page that is no small copy. Images over
    `MAX_WORKING_PIXELS` are reduced. A JPEG or PNG that lost its end is read with a warning where few of its rows are
    gone. Whatever the file says of itself, reading it takes at most 1.5 GB, or it is refused.

    Args:
        data: the file's bytes, in one of `FORMATS`.
        settings: how much of a damaged file may be missing.

    Raises:
        RelightifyError: ``photo_empty``, ``photo_unreadable``, ``photo_is_raw``, ``photo_truncated``,
            ``photo_too_small`` or ``photo_too_large``.
    """
    if not data:
        raise RelightifyError("photo_empty", "The photo file is empty.", "Choose another file or copy it again.")
    try:
        photo = _read(data, settings)
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
    photo.image_srgb.setflags(write=False)
    return photo


def _read(data: bytes, settings: ReadingSettings) -> Photo:
    """The photo, upright and reduced."""
    if data[:4] in _TIFF_MAGIC and tag_bytes(data) > MAX_TAG_BYTES:
        raise truncated()  # before Pillow reads every tag, however often they name the same bytes
    if is_camera_raw(data):
        raise camera_raw()
    data = main_picture(data)
    lost = _rescued(data, settings) if ends_in_zeros(data) else None
    image = _open(lost.data if lost else data)
    if image is None:
        pixels, notes = decode_deep_tiff(data)
        return _finished(pixels, None, None, notes)
    width, height = image.size
    _check_cost(image, data)
    if image.format == "HEIF":
        stated = stated_colour(image, data, None)
        if stated.encoding.beyond_white and image.info.get("bit_depth", 8) > 8:
            focal = or_none(focal_35mm, exif_data(image), (width, height))
            return _finished(decode_deep_heif(data, stated.encoding), focal, None, ())
    try:
        _load(image)
    except RelightifyError:
        lost = _rescued(data, settings) if lost is None else None
        image = _open(lost.data) if lost else None
        if lost is None or image is None:
            raise
        _load(image)
    # Once it is decoded: a PNG has EXIF data at its end, and Pillow turns a TIFF itself and says so then.
    exif = exif_data(image)
    focal = or_none(focal_35mm, exif, (width, height))
    orientation = or_none(orientation_of, exif) or 1
    stated = stated_colour(image, data, exif)
    pixels, notes = srgb_pixels(image, stated)
    missing = None
    if lost is not None:
        notes = (LOST_ITS_END, *notes)
        missing = _upright(_lowest_rows(pixels, lost.missing_rows / height), orientation)
    photo = _finished(_upright(pixels, orientation), focal, missing, notes)
    steps = jpeg_steps(image)
    if steps is None or photo.width * photo.height != width * height:
        return photo
    return replace(photo, jpeg_steps=steps.turned() if orientation > 4 else steps)


def _rescued(data: bytes, settings: ReadingSettings) -> Rescued:
    """A broken-off file with enough of its picture left."""
    lost = rescued(data)
    if lost is None or lost.missing_share > settings.most_missing:
        raise truncated()
    log.warning("The file broke off; %.1f %% of its rows are missing.", 100 * lost.missing_share)
    return lost


def _finished(pixels: np.ndarray, focal: float | None, missing: np.ndarray | None, notes: tuple[str, ...]) -> Photo:
    """A photo from upright pixels, and bool [H, W, 1], which of them are missing."""
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SIDE_PX:
        raise RelightifyError(
            "photo_too_small",
            f"The photo has only {width} x {height} pixels.",
            f"Use one with at least {MIN_SIDE_PX} pixels a side; 500 or more across the face gives good textures.",
        )
    photo = np.ascontiguousarray(reduced(pixels))
    box = None
    if missing is not None and missing.any():
        rows, columns = (np.flatnonzero(missing.any(axis=axes)) for axes in ((1, 2), (0, 2)))
        scale = photo.shape[1] / width
        box = (columns[0] * scale, rows[0] * scale, (columns[-1] + 1) * scale, (rows[-1] + 1) * scale)
    return Photo(photo, focal, box, notes)


def _lowest_rows(pixels: np.ndarray, share: float) -> np.ndarray:
    """Bool [H, W, 1], True in the lowest share of the rows."""
    height, width = pixels.shape[:2]
    lowest = np.arange(height) >= height - math.ceil(share * height)
    return np.broadcast_to(lowest[:, None, None], (height, width, 1))


def _formats() -> list[str]:
    """Those of `FORMATS` that this Pillow has."""
    pillow_heif.register_heif_opener()
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _open(data: bytes) -> Image.Image | None:
    """Open without decoding; None for a TIFF that Pillow does not know, or gets wrong."""
    if is_deep_in_planes(data):
        return None
    try:
        with warnings.catch_warnings():
            # Pillow warns of what `_decode` handles: an image large enough to be an attack on memory.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data), formats=_formats())
    except Image.DecompressionBombError as error:
        if data.startswith(b"\xff\xd8"):
            # It is reduced while it is decoded; what that costs is looked at next.
            return JpegImagePlugin.JpegImageFile(io.BytesIO(data))
        raise too_large() from error
    except UnidentifiedImageError as error:
        if data[:4] in _TIFF_MAGIC:
            return None
        raise unknown(data) from error
    except MemoryError:
        raise
    except Exception as error:
        # A known signature followed by a header that ends too early.
        raise truncated() from error


def _check_cost(image: Image.Image, data: bytes) -> None:
    """Refuse what would take too much memory or time, from the head of the file alone."""
    width, height = image.size
    check_size(width, height, decoding_bytes(image, data))
    if image.format in ("JPEG", "MPO") and width * height * data.count(JPEG_SCAN) > MAX_JPEG_SCAN_PIXELS:
        raise too_large()


def _load(image: Image.Image) -> None:
    """Decode."""
    scale = draft_scale(*image.size)
    if scale > 1:  # other formats ignore the wish
        image.draft("RGB" if image.mode != "CMYK" else "CMYK", (image.width // scale, image.height // scale))
    try:
        image.load()
    except Image.DecompressionBombError as error:
        raise too_large() from error
    except MemoryError:
        raise
    except Exception as error:
        raise truncated() from error


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Pixels [H, W, n] turned as EXIF says."""
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
