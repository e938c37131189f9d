"""Files that broke off: JPEG and PNG files whose last bytes are missing, made whole as far as they go."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import JpegImagePlugin

from backend.photo.files.decoding_cost import MAX_WORKING_PIXELS

_END_OF_JPEG, _SCAN = b"\xff\xd9", b"\xff\xda"
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# Bytes that a decoder takes for picture where some is missing; no marker is among them.
_NO_END = bytes(range(1, 255)) * 4
# Of zeros at the end of a file whose place on the disk was taken before it arrived.
_FEWEST_ZEROS = b"\x00" * 64
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


@dataclass(frozen=True)
class Rescued:
    """A file that can be decoded again.

    Args:
        data: its bytes.
        missing_rows: how many of the lowest rows, as stored, hold nothing of the picture.
        rows: how many there are.
    """

    data: bytes
    missing_rows: int
    rows: int

    @property
    def missing_share(self) -> float:
        return self.missing_rows / self.rows


def rescued(data: bytes) -> Rescued | None:
    """The file as one that ends properly; None where too little is there, or where something else is wrong with it.

    Args:
        data: bytes of a file that a decoder found to be too short.
    """
    if data.startswith(b"\xff\xd8"):
        return _rescued_jpeg(data)
    return _rescued_png(data) if data.startswith(_PNG_SIGNATURE) else None


def ends_in_zeros(data: bytes) -> bool:
    """Whether zeros stand in the place of the end of a JPEG file, which decoders take for picture."""
    if not (data.startswith(b"\xff\xd8") and data.endswith(_FEWEST_ZEROS)):
        return False
    return data.rfind(_END_OF_JPEG) < data.rfind(_SCAN)


# --- JPEG -------------------------------------------------------------------------------------------------------


def _rescued_jpeg(data: bytes) -> Rescued | None:
    if ends_in_zeros(data):
        data = data.rstrip(b"\x00")
    data = data.rstrip(b"\xff")
    scans = list(_scans(data))
    if not scans:
        return None
    whole = data + _END_OF_JPEG
    height = JpegImagePlugin.JpegImageFile(io.BytesIO(whole)).height
    progressive = scans[0].last < 63
    if progressive and _coarsest_bit(scans[:-1]) <= 1:
        return Rescued(whole, 0, height)  # only the last bit of some coefficients is missing
    if progressive and _coarsest_bit(scans) > 1:
        return None
    # Whatever follows the last coefficients is not looked at; where some are missing, it is taken for them.
    first, second = (_luminance(end, progressive) for end in (whole, data + _NO_END + _END_OF_JPEG))
    if first is None or second is None:
        return None
    differing = np.flatnonzero((first != second).any(axis=1))
    missing = height - int(differing[0]) * height // len(first) if len(differing) else 0
    return Rescued(whole, missing, height)


def _luminance(data: bytes, progressive: bool) -> np.ndarray | None:
    """Luminance [h, w] of a JPEG, of a baseline one a pixel for each block; None where it would be too large."""
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    if not progressive:
        image.draft("L", (max(image.width // 8, 1), max(image.height // 8, 1)))
    if image.width * image.height > MAX_WORKING_PIXELS:
        return None
    return np.asarray(image.convert("L"))


@dataclass(frozen=True)
class _Scan:
    """A scan of a JPEG: its components, its first and last coefficient, and the lowest bit that it brings."""

    components: tuple[int, ...]
    first: int
    last: int
    low_bit: int


def _scans(data: bytes) -> Iterator[_Scan]:
    """The scans of a JPEG whose heads are there."""
    place = 2
    while (found := _MARKER.search(data, place)) is not None:
        place = found.start() + 2
        if place + 2 > len(data):
            return
        length = struct.unpack_from(">H", data, place)[0]
        head = data[place + 2 : place + length]
        if found.group() == _SCAN and len(head) >= 4 and len(head) >= 4 + 2 * head[0]:
            components = tuple(head[1 : 1 + 2 * head[0] : 2])
            first, last, bits = head[1 + 2 * head[0] : 4 + 2 * head[0]]
            yield _Scan(components, first, last, bits & 15)
        place += length


def _coarsest_bit(scans: list[_Scan]) -> int:
    """The lowest bit up to which every coefficient of every component is there after some scans; 16 where one is
    missing."""
    names = {name for scan in scans for name in scan.components}
    low = {name: np.full(64, 16) for name in names}
    for scan in scans:
        for name in scan.components:
            low[name][scan.first : scan.last + 1] = scan.low_bit
    # A colour that no scan has named yet is missing as well.
    return max((int(bits.max()) for bits in low.values()), default=16)


# --- PNG --------------------------------------------------------------------------------------------------------


def _rescued_png(data: bytes) -> Rescued | None:
    """A PNG file with the rows that are there, and nothing below them."""
    head, packed = bytearray(_PNG_SIGNATURE), bytearray()
    shape: tuple[int, ...] | None = None
    place = len(_PNG_SIGNATURE)
    while place + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        body = data[place + 8 : place + 8 + length]
        if name == b"IHDR" and length == 13:
            shape = struct.unpack(">IIBBBBB", body)
        if name == b"IDAT":
            packed += body
        elif not packed and len(body) == length:
            head += data[place : place + 12 + length]
        place += 12 + length
    if shape is None or not packed:
        return None
    width, height, bits, colour, _, _, interlaced = shape
    row = (width * bits * _PNG_SAMPLES.get(colour, 4) + 7) // 8 + 1
    if interlaced or row * height > 4 * 4 * MAX_WORKING_PIXELS:
        return None
    unpacker = zlib.decompressobj()
    try:
        rows = unpacker.decompress(bytes(packed), row * height)
    except zlib.error:
        return None  # it is not only shorter than it should be
    found = len(rows) // row
    if not found:
        return None
    pixels = zlib.compress(rows[: found * row] + bytes((height - found) * row), 1)
    for name, body in ((b"IDAT", pixels), (b"IEND", b"")):
        head += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return Rescued(bytes(head), height - found, height)
