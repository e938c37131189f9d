"""Camera raw files are called what they are, by their content; pictures in TIFF files are read."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from backend.photo.files.camera_raw import is_camera_raw
from backend.photo.reading import read_photo
from shared.errors import RelightifyError

# Value types: 1 byte, 2 text, 3 short, 4 long.
Tag = tuple[int, int, bytes | list[int]]


def tiff(*directories: list[Tag], sub: int | None = None, order: str = "<", magic: bytes = b"*\x00") -> bytes:
    """Directories, the first with the tag SubIFDs naming the one at index `sub`, without pixels that mean anything."""
    body = bytearray((b"II" if order == "<" else b"MM") + (magic if order == "<" else magic[::-1]) + bytes(4))
    places = []
    for tags in directories[::-1]:
        mine = list(tags)
        if tags is directories[0] and sub is not None:
            mine.append((330, 4, [places[len(directories) - 1 - sub]]))
        written = []
        for tag, kind, value in sorted(mine):
            letters = {1: "B", 3: "H", 4: "I"}.get(kind)
            raw = value if isinstance(value, bytes) else struct.pack(f"{order}{len(value)}{letters}", *value)
            if len(raw) > 4:
                place, raw = raw, struct.pack(order + "I", len(body))
                body += place
            written.append(struct.pack(order + "HHI", tag, kind, len(value)) + raw.ljust(4, b"\x00"))
        places.append(len(body))
        body += struct.pack(order + "H", len(written)) + b"".join(written) + bytes(4)
    body[4:8] = struct.pack(order + "I", places[-1])
    return bytes(body) + bytes(4096)


def picture(kind: int = 0, make: bytes = b"NIKON CORPORATION\x00", compression: int = 1) -> list[Tag]:
    """What previews and pictures say of themselves."""
    return [
        (254, 4, [kind]),
        (256, 4, [160]),
        (257, 4, [120]),
        (258, 3, [8, 8, 8]),
        (259, 3, [compression]),
        (262, 3, [2]),
        (271, 2, make),
        (273, 4, [8]),
        (277, 3, [3]),
        (279, 4, [57600]),
    ]


def sensor(compression: int = 1, photometric: int = 32803) -> list[Tag]:
    return [
        (254, 4, [0]),
        (256, 4, [6000]),
        (257, 4, [4000]),
        (258, 3, [14]),
        (259, 3, [compression]),
        (262, 3, [photometric]),
    ]


RAW: dict[str, Callable[[], bytes]] = {
    "DNG": lambda: tiff([*picture(1), (50706, 1, [1, 4, 0, 0])], sensor(7), sub=1),
    "DNG, big endian": lambda: tiff([*picture(1), (50706, 1, [1, 4, 0, 0])], sensor(7), sub=1, order=">"),
    "DNG without preview": lambda: tiff(sensor(7, 34892)),
    "NEF": lambda: tiff(picture(1), sensor(34713), sub=1),
    "NEF whose sensor data are not named": lambda: tiff(picture(1), [(256, 4, [6000])], sub=1),
    "ARW": lambda: tiff(picture(1, b"SONY\x00", 6), sensor(32767), sub=1),
    "PEF": lambda: tiff(sensor(65535)),
    "SRW": lambda: tiff(picture(0, b"SAMSUNG\x00", 6), sensor(32770), sub=1),
    "CR2": lambda: b"II*\x00\x10\x00\x00\x00CR\x02\x00" + bytes(200),
    "CR3": lambda: b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom" + bytes(200),
    "ORF": lambda: tiff(picture(0), magic=b"RO"),
    "RW2": lambda: tiff(picture(0), magic=b"U\x00"),
    "RAF": lambda: b"FUJIFILMCCD-RAW 0201FF383501X-T3" + bytes(200),
    "X3F": lambda: b"FOVb" + bytes(200),
}


@pytest.mark.parametrize("kind", RAW)
def test_camera_raw_file_is_called_that(kind: str) -> None:
    with pytest.raises(RelightifyError) as caught:
        read_photo(RAW[kind]())
    assert caught.value.code == "photo_is_raw"
    assert "JPEG or TIFF" in caught.value.hint


def pillow_tiff(pages: int = 1, **tags: object) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (80, 100, 3), np.uint8)
    described = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in {
        271: "Canon",
        272: "EOS R5",
        305: "Adobe Photoshop",
        **{int(k): v for k, v in tags.items()},
    }.items():
        described[tag] = value
    stream = io.BytesIO()
    image = Image.fromarray(pixels)
    more = [image.resize((64, 64))] * (pages - 1)
    image.save(stream, "TIFF", tiffinfo=described, save_all=pages > 1, append_images=more)
    return stream.getvalue()


@pytest.mark.parametrize("data", [pillow_tiff(), pillow_tiff(pages=2), pillow_tiff(**{"254": 0})])
def test_tiff_of_a_camera_is_a_picture(data: bytes) -> None:
    assert not is_camera_raw(data)
    assert read_photo(data).width == 100


def test_pyramid_beside_a_picture_is_a_picture() -> None:
    assert not is_camera_raw(tiff(picture(0), picture(1), sub=1))
    assert not is_camera_raw(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1" + bytes(100))


def test_directories_without_end_are_not_followed_for_ever() -> None:
    chain = bytearray(tiff(picture()))
    first = struct.unpack_from("<I", chain, 4)[0]
    count = struct.unpack_from("<H", chain, first)[0]
    struct.pack_into("<I", chain, first + 2 + 12 * count, first)
    assert not is_camera_raw(bytes(chain))
