"""What a file says its colours mean: by a profile, by numbers, or by nothing."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image
from PIL.ExifTags import IFD, Base

from backend.photo.files.colour_encoding import ADOBE_RGB, PRIMARIES, SRGB, TRANSFERS, ColourEncoding

_UNSPECIFIED = frozenset((0, 2))
UNKNOWN_COLOUR = "The photo's colours are coded in a way that is not known here, so they may come out wrong."


@dataclass(frozen=True)
class StatedColour:
    """The one statement about its colours by which a file is to be read.

    Args:
        profile: an ICC profile.
        encoding: numbers or tags, where there is no profile.
        warning: for the user, where the statement cannot be followed; empty mostly.
    """

    profile: bytes | None = None
    encoding: ColourEncoding = ColourEncoding()
    warning: str = ""

    @property
    def as_it_is(self) -> bool:
        """Whether the file says nothing, or that it is sRGB by numbers; a profile may still be sRGB's."""
        return self.profile is None and self.encoding.is_srgb


def stated_colour(image: Image.Image, data: bytes, exif: Image.Exif | None) -> StatedColour:
    """What counts of all that a file says.

    A PNG's chunks count in the order cICP, iCCP, sRGB, gAMA and cHRM (PNG specification, third edition, section
    4.3); elsewhere a profile counts before the numbers of an ISO base media file (nclx), and these before EXIF data.

    Args:
        image: opened, not necessarily decoded.
        data: the file's bytes.
        exif: its EXIF data, None where they cannot be read.
    """
    profile = image.info.get("icc_profile") or None
    if image.format == "PNG":
        numbers = _png_numbers(data)
        if numbers is not None:
            return _by_numbers(*numbers)
        if profile is None and ("srgb" in image.info or "gamma" in image.info or "chromaticity" in image.info):
            return _by_chunks(image)
    if profile is not None:
        return StatedColour(profile)
    numbers = _media_numbers(image, data)
    if numbers is not None:
        return _by_numbers(*numbers)
    return StatedColour(encoding=ADOBE_RGB) if _is_adobe(exif) else StatedColour()


def _by_numbers(primaries: int, transfer: int) -> StatedColour:
    """By the numbers of ITU-T H.273; unspecified ones are sRGB's."""
    known = primaries in (*PRIMARIES, *_UNSPECIFIED) and transfer in (*TRANSFERS, *_UNSPECIFIED)
    encoding = ColourEncoding(PRIMARIES.get(primaries, SRGB), TRANSFERS.get(transfer, "srgb"))
    return StatedColour(encoding=encoding, warning="" if known else UNKNOWN_COLOUR)


def _by_chunks(image: Image.Image) -> StatedColour:
    """A PNG's chunks sRGB, or gAMA and cHRM."""
    if "srgb" in image.info:
        return StatedColour()
    gamma, points = float(image.info.get("gamma", 0)), image.info.get("chromaticity")
    # sRGB's own curve is written as the power law that is nearest to it.
    transfer = 1 / gamma if gamma > 0 and abs(gamma - 1 / 2.2) > 0.005 else "srgb"
    if isinstance(transfer, float) and not 0.5 <= transfer <= 4:
        return StatedColour(warning=UNKNOWN_COLOUR)
    primaries = SRGB
    if points is not None and min(points[1::2]) > 0:
        white, red, green, blue = zip(points[::2], points[1::2], strict=True)
        primaries = (white, red, green, blue)
    return StatedColour(encoding=ColourEncoding(primaries, transfer))


def _is_adobe(exif: Image.Exif | None) -> bool:
    """EXIF's word for Adobe RGB: interoperability R03 (DCF 2.0), or the colour space 2 that some cameras write."""
    if exif is None:
        return False
    space = exif.get_ifd(IFD.Exif).get(Base.ColorSpace)
    return space == 2 or (space != 1 and str(exif.get_ifd(IFD.Interop).get(1, "")).startswith("R03"))


def _png_numbers(data: bytes) -> tuple[int, int] | None:
    """Primaries and transfer of a PNG's cICP chunk."""
    place = 8
    while place + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        if name == b"cICP" and length == 4:
            return data[place + 8], data[place + 9]
        if name == b"IDAT":
            return None
        place += 12 + length
    return None


def _media_numbers(image: Image.Image, data: bytes) -> tuple[int, int] | None:
    """Primaries and transfer of HEIF and AVIF files."""
    if image.format == "HEIF":
        found = image.info.get("nclx_profile")
        return (int(found["color_primaries"]), int(found["transfer_characteristics"])) if found else None
    if image.format != "AVIF":
        return None
    # meta is a full box, whose children begin after its version.
    for start, end in _boxes(data, 0, len(data), b"meta"):
        for properties in _boxes(data, start + 4, end, b"iprp"):
            for container in _boxes(data, *properties, b"ipco"):
                for place, _ in _boxes(data, *container, b"colr"):
                    if data[place : place + 4] == b"nclx":
                        primaries, transfer = struct.unpack_from(">HH", data, place + 4)
                        return primaries, transfer
    return None


def _boxes(data: bytes, start: int, end: int, wanted: bytes) -> Iterator[tuple[int, int]]:
    """Where the contents of the boxes of a kind begin and end (ISO/IEC 14496-12, section 4.2)."""
    while start + 8 <= min(end, len(data)):
        length, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if length == 1 and start + 16 <= len(data):
            length, head = struct.unpack_from(">Q", data, start + 8)[0], 16
        if length == 0:
            length = end - start
        if length < head:
            return
        if kind == wanted:
            yield start + head, min(start + length, end, len(data))
        start += length
