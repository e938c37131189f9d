"""What a file's EXIF data says of the picture: how it is turned, and with what focal length it was taken."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any, TypeVar

from PIL import ExifTags, Image

from backend.photo.files.decoding_cost import MAX_TAG_BYTES, exif_block, tag_bytes

log = logging.getLogger(__name__)

T = TypeVar("T")
FILM_DIAGONAL_MM = math.hypot(36.0, 24.0)


def exif_data(image: Image.Image) -> Image.Exif | None:
    """The EXIF data, None where they cannot be read."""
    # A TIFF is its own EXIF data, which has been looked at.
    if image.format != "TIFF" and tag_bytes(exif_block(image)) > MAX_TAG_BYTES:
        log.warning("The EXIF data of the photo is larger than any camera's; going on without.")
        image.info.pop("exif", None)
    return or_none(image.getexif)


def or_none(read: Callable[..., T], *given: Any) -> T | None:
    """What can be read of EXIF data; None where they are damaged, or where there are none."""
    if None in given:
        return None
    try:
        return read(*given)
    except Exception as error:
        log.warning("The EXIF data of the photo cannot be read (%s); going on without.", error)
        return None


def orientation_of(exif: Image.Exif) -> int:
    """How the picture is turned, 1 for upright."""
    return int(exif.get(ExifTags.Base.Orientation, 1))


def focal_35mm(exif: Image.Exif, size: tuple[int, int]) -> float | None:
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
