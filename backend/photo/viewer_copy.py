"""A copy of a photo for programs that show image files as they lie on disk, such as Blender."""

from __future__ import annotations

import io

from PIL import ExifTags, Image, UnidentifiedImageError

from backend.photo.files.decoding_cost import MAX_WORKING_PIXELS
from backend.photo.files.lost_end import ends_in_zeros
from backend.photo.files.stated_colour import stated_colour
from backend.photo.reading import read_photo

# Blender reads these, but neither applies the EXIF orientation nor an embedded profile.
PLAIN_FORMATS = ("JPEG", "PNG", "BMP")


def viewer_copy(data: bytes, quality: int = 92) -> bytes | None:
    """A JPEG of the upright sRGB photo that the reconstruction works on.

    Args:
        data: bytes of an image file that `read_photo` reads.
        quality: of the JPEG.

    Returns:
        None where the file's own bytes show the same: upright, sRGB, 8 bits and not reduced.

    Raises:
        RelightifyError: what `read_photo` raises.
    """
    if _shows_itself(data):
        return None
    buffer = io.BytesIO()
    Image.fromarray(read_photo(data).image_srgb).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _shows_itself(data: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(data)) as image:
            exif = image.getexif()
            plain = image.format in PLAIN_FORMATS and image.mode in ("RGB", "L")
            plain &= stated_colour(image, data, exif).as_it_is and exif.get(ExifTags.Base.Orientation, 1) == 1
            if not plain or image.width * image.height > MAX_WORKING_PIXELS or ends_in_zeros(data):
                return False
            image.load()  # a file that broke off fails here
            return True
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError):
        # Pillow stumbles over the file or its EXIF block; `read_photo` knows ways around that.
        return False
