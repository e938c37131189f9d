"""What decoding an image file costs in memory, told from its head alone, so that it can be refused before."""

from __future__ import annotations

import math

from PIL import Image

from backend.photo.files.tiff_tags import directories

# What later stages work on: enough for a face at 4096 texels, and 300 MB as linear float32.
MAX_WORKING_PIXELS = 25_000_000
# Of memory while a file is decoded, beside the file; with what conversions take it stays under 1.5 GB.
MAX_DECODING_BYTES = 1_150_000_000
# How often a decoder holds all pixels, four bytes each, at the same time (measured; codecs with frames of their own).
_COPIES = {"WEBP": 4.0, "HEIF": 3.0, "AVIF": 3.0}
_BYTES_OF_MODE = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}
# A scan of a progressive JPEG costs time for every pixel, and hardly a byte.
MAX_JPEG_SCAN_PIXELS = 4_000_000_000
JPEG_SCAN = b"\xff\xda"
MAX_TAG_BYTES = 64 * 2**20
_TIFF_DIRECTORIES = (34665, 34853, 40965)


def decoding_bytes(image: Image.Image, data: bytes) -> int:
    """Bytes of memory that decoding takes at its height, beside the file itself, from what the header says."""
    width, height = image.size
    texels = width * height
    stored = _BYTES_OF_MODE.get(image.mode, 4)
    if image.format in _COPIES:
        return int(texels * 4 * _COPIES[image.format])
    if image.format in ("JPEG", "MPO"):
        # Progressive files are kept as coefficients of two bytes until the last scan.
        kept = 2 * _samples_of_a_jpeg(image) if image.info.get("progressive") else 0
        return int(texels * kept) + texels * stored // draft_scale(width, height) ** 2
    if image.format == "TIFF":
        return texels * stored + _largest_tiff_part(image)
    return texels * stored


def draft_scale(width: int, height: int) -> int:
    """By how much a JPEG is reduced while it is decoded, 1, 2, 4 or 8: it stays larger than what is worked on.

    Decoders skip the finest DCT coefficients for that, which keeps memory low.
    """
    most = math.isqrt(width * height // MAX_WORKING_PIXELS)
    return next(scale for scale in (8, 4, 2, 1) if scale <= max(most, 1))


def _samples_of_a_jpeg(image: Image.Image) -> float:
    """Samples a pixel, of all components: colours are mostly stored at half the size."""
    layers = [(horizontal, vertical) for _, horizontal, vertical, _ in getattr(image, "layer", ())]
    most = max((h for h, _ in layers), default=0) * max((v for _, v in layers), default=0)
    return sum(h * v for h, v in layers) / most if most else len(image.getbands())


def _largest_tiff_part(image: Image.Image) -> int:
    """Bytes of the largest strip or tile of a TIFF, which is decompressed as a whole."""
    tags = getattr(image, "tag_v2", {})
    width, height = image.size
    bits = tags.get(258) or (1,)
    samples = int(tags.get(277) or 1)
    if 322 in tags:
        texels = int(tags[322]) * int(tags.get(323) or 1)
    else:
        texels = width * min(height, int(tags.get(278) or height))
    return texels * max(samples, 1) * (int(max(bits)) + 7) // 8


def exif_block(image: Image.Image) -> bytes:
    """The EXIF data that a file carries, from the head of its TIFF structure on; empty where there is none."""
    block = image.info.get("exif")
    return block.removeprefix(b"Exif\x00\x00") if isinstance(block, bytes) else b""


def tag_bytes(block: bytes) -> int:
    """How many bytes the tags of a TIFF structure name, first directory and those for EXIF and GPS; 0 for no TIFF.

    A few bytes can name the same large ones thousands of times, and who reads tags copies them each time.
    """
    return sum(entry.size for tags in directories(block, _TIFF_DIRECTORIES) for _, entry in tags)
