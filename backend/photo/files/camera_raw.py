"""Camera raw files, told by what is in them: what a camera's sensor measured, not yet a picture."""

from __future__ import annotations

import struct

from PIL.ExifTags import IFD, Base

from backend.photo.files.tiff_tags import Entry, directories

# Olympus, Panasonic and Leica changed the number behind the byte order of a TIFF; others have containers of their own.
# Source: ExifTool, "Supported file types"; LibRaw, identify.cpp.
_MAGIC = (
    b"FUJIFILMCCD-RAW",
    b"IIRO",
    b"IIRS",
    b"MMOR",
    b"IIU\x00",
    b"FOVb",
    b"\x00MRM",
    b"II\x1a\x00\x00\x00HEAPCCDR",
    b"ARRI",
)
# Colour filter array, linear raw.
_RAW_PHOTOMETRICS = frozenset((32803, 34892))
# Of sensor data: Sony, Samsung (two), Nikon, Pentax, Kodak.
_RAW_COMPRESSIONS = frozenset((32767, 32770, 32772, 34713, 65535, 65000))
_CANON_RAW = (b"CR\x02", b"CR\x03")


def is_camera_raw(data: bytes) -> bool:
    """Whether the bytes of a file are a camera raw file; TIFF pictures are none, whatever camera they name."""
    if data.startswith(_MAGIC) or _is_canon_container(data):
        return True
    if data[8:11] in _CANON_RAW and data[:4] in (b"II*\x00", b"MM\x00*"):
        return True
    found = [dict(tags) for tags in directories(data, (Base.SubIFDs, IFD.Exif), chained=True)]
    return bool(found) and (_holds_sensor_data(found) or _is_preview_of_one(found[0]))


def _is_canon_container(data: bytes) -> bool:
    """CR3: an ISO base media file of the brand `crx`."""
    if len(data) < 16 or data[4:8] != b"ftyp":
        return False
    length = min(max(struct.unpack(">I", data[:4])[0], 16), 256, len(data))
    return b"crx " in (data[8:12], *(data[at : at + 4] for at in range(16, length, 4)))


def _holds_sensor_data(found: list[dict[int, Entry]]) -> bool:
    """A directory says so, or the file calls itself a DNG."""
    return Base.DNGVersion in found[0] or any(
        _number(tags, Base.PhotometricInterpretation) in _RAW_PHOTOMETRICS
        or _number(tags, Base.Compression) in _RAW_COMPRESSIONS
        for tags in found
    )


def _is_preview_of_one(first: dict[int, Entry]) -> bool:
    """The first picture is but a small one, of a camera's, beside others: nothing but raw files is ordered so."""
    reduced = (_number(first, Base.NewSubfileType) or 0) & 1
    return bool(reduced) and Base.Make in first and Base.SubIFDs in first


def _number(tags: dict[int, Entry], tag: int) -> int | None:
    return tags[tag].number if tag in tags else None
