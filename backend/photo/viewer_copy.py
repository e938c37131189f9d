"""A copy of a photo for programs that show image files as they lie on disk, such as Blender."""

from __future__ import annotations

import io

from PIL import ExifTags, Image, UnidentifiedImageError

from backend.photo.decoding_cost import MAX_WORKING_PIXELS
from backend.photo.reading import read_photo

JPEG_QUALITY = 92
# Blender reads these, but neither applies the EXIF orientation nor an embedded profile.
PLAIN_FORMATS = ("JPEG", "PNG", "BMP")


def viewer_copy(data: bytes) -> bytes | None:
    """A JPEG of the upright sRGB photo that the reconstruction works on.

    Args:
        data: bytes of an image file that `read_photo` reads.

    Returns:
        None where the file's own bytes show the same: upright, sRGB, 8 bits and not reduced.

    Raises:
        RelightifyError: what `read_photo` raises.
    """
    if _shows_itself(data):
        return None
    buffer = io.BytesIO()
    Image.fromarray(read_photo(data).image_srgb).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def _shows_itself(data: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(data)) as image:
            orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
            plain = image.format in PLAIN_FORMATS and image.mode in ("RGB", "L") and "icc_profile" not in image.info
            return plain and orientation == 1 and image.width * image.height <= MAX_WORKING_PIXELS
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError):
        # Pillow stumbles over the file or its EXIF block; `read_photo` knows ways around that.
        return False
