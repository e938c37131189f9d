"""Files that are no photos are named, and broken photos are called broken."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from backend.photo.reading import read_photo
from shared.errors import RelightifyError

PICTURE = Image.fromarray(np.random.default_rng(1).integers(0, 255, (96, 128, 3), np.uint8))


def refusal(data: bytes) -> RelightifyError:
    with pytest.raises(RelightifyError) as raised:
        read_photo(data)
    return raised.value


def encoded(kind: str) -> bytes:
    stream = io.BytesIO()
    PICTURE.save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "named", "hinted"),
    [
        (b"\xff\x0a" + bytes(range(200)), "JPEG XL", "export"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n\x00\x00\x00\x14ftypjxl " + bytes(99), "JPEG XL", "export"),
        (encoded("JPEG2000"), "JPEG 2000", "export"),
        (b"8BPS\x00\x01" + bytes(99), "Photoshop", "export"),
        (b"gimp xcf v011\x00" + bytes(99), "GIMP", "export"),
        (b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/x-krita" + bytes(99), "Krita", "export"),
        (b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  " + bytes(99), "video", "frame"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(99), "video", "frame"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><html>" + bytes(99), "web page", "photo itself"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG", "export"),
        (b"PK\x03\x04" + bytes(99), "archive", "unpack"),
        (b"v/1\x01\x02\x00\x00\x00" + bytes(99), "OpenEXR", "export"),
    ],
)
def test_other_kind_of_file_is_named(data: bytes, named: str, hinted: str) -> None:
    error = refusal(data)
    assert error.code == "photo_unreadable"
    assert named in error.message
    assert hinted in error.hint


@pytest.mark.parametrize("kind", ["AVIF", "TIFF", "WEBP", "GIF"])
def test_photo_that_broke_off_is_called_damaged(kind: str) -> None:
    data = encoded(kind)
    assert refusal(data[: len(data) // 3]).code == "photo_truncated"
