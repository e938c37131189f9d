"""Files that are no photo to be read here but are known by their first bytes, so that the refusal can name them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OtherKind:
    """What a file is instead.

    Args:
        name: with its article, as in a sentence.
        hint: what to do, without the dot and the capital of a sentence.
    """

    name: str
    hint: str = "export it as a JPEG, PNG, TIFF, WebP or HEIC file, and use that"


_JPEG_XL, _JPEG_2000 = OtherKind("a JPEG XL file"), OtherKind("a JPEG 2000 file")
_VIDEO, _PAGE = (
    OtherKind("a video", "save a frame of it as a JPEG or PNG file"),
    OtherKind("a web page", "save the photo itself"),
)
_ARCHIVE = OtherKind("an archive", "unpack it, and use a photo in it")
# Where the signature stands, and what it says. Sources: the formats' specifications; the magic of file(1).
_SIGNATURES: tuple[tuple[int, bytes, OtherKind], ...] = (
    (0, b"\xff\x0a", _JPEG_XL),
    (0, b"\x00\x00\x00\x0cJXL \r\n\x87\n", _JPEG_XL),
    (0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", _JPEG_2000),
    (0, b"\xff\x4f\xff\x51", _JPEG_2000),
    (0, b"8BPS", OtherKind("a Photoshop document")),
    (0, b"gimp xcf", OtherKind("a GIMP document")),
    (38, b"application/x-krita", OtherKind("a Krita document")),
    (38, b"image/openraster", OtherKind("an OpenRaster document")),
    (0, b"BLENDER", OtherKind("a Blender file", "render it or save the image in it")),
    (0, b"%PDF-", OtherKind("a PDF document")),
    (0, b"%!PS", OtherKind("a PostScript file")),
    (0, b"\xc5\xd0\xd3\xc6", OtherKind("a PostScript file")),
    (0, b"v/1\x01", OtherKind("an OpenEXR file")),
    (0, b"#?RADIANCE", OtherKind("a Radiance HDR file")),
    (0, b"#?RGBE", OtherKind("a Radiance HDR file")),
    (0, b"DDS ", OtherKind("a DirectDraw surface")),
    (0, b"\x00\x00\x01\x00", OtherKind("an icon")),
    (0, b"\x1aE\xdf\xa3", _VIDEO),
    (8, b"AVI ", _VIDEO),
    (4, b"RED1", _VIDEO),
    (4, b"RED2", _VIDEO),
    (4, b"wide", _VIDEO),
    (4, b"moov", _VIDEO),
    (4, b"mdat", _VIDEO),
    (0, b"PK\x03\x04", _ARCHIVE),
    (0, b"Rar!\x1a\x07", _ARCHIVE),
    (0, b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (0, b"\x1f\x8b", _ARCHIVE),
)
# ISO base media files with these brands hold pictures that are read.
_PICTURE_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis")


def other_kind(data: bytes) -> OtherKind | None:
    """What a file is that no decoder took; None where that is not known."""
    for place, signature, kind in _SIGNATURES:
        if data[place : place + len(signature)] == signature:
            return kind
    if data[4:8] == b"ftyp":
        return None if is_cut_picture(data) else _VIDEO
    # After a byte order mark and blanks, as browsers look for it.
    text = data[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if b"<svg" in text and text.startswith((b"<svg", b"<?xml", b"<!")):
        return OtherKind("a drawing in SVG")
    return _PAGE if text.startswith((b"<!doctype html", b"<html", b"http/1.")) else None


def is_cut_picture(data: bytes) -> bool:
    """Whether a file that no decoder took begins as one of the formats that are read."""
    if data[4:8] == b"ftyp":
        return data[8:12] in _PICTURE_BRANDS
    return data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8")) or data[8:12] == b"WEBP"
