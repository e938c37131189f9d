"""TIFF files as editors write them: a small copy first, colours one after the other, floating point of 16 bits."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from backend.imaging.colour import linear_to_srgb
from backend.photo.reading import read_photo

SHAPE = (96, 128, 3)


def shades() -> np.ndarray:
    """float64 [96, 128, 3] in [0, 1]: every colour changes its own way."""
    y, x = np.mgrid[0:96, 0:128] / 128.0
    return np.stack([x, y, 1 - x], axis=-1)


def tiff(values: np.ndarray, order: str, planar: bool, packed: bool, big: bool = False) -> bytes:
    """A TIFF of values [H, W, n] in two strips for each colour, or for all."""
    samples, bits = values.shape[2], 8 * values.dtype.itemsize
    halves = [values[:48], values[48:]]
    parts = [half[..., k] for k in range(samples) for half in halves] if planar else halves
    swapped = [
        np.ascontiguousarray(part).astype(values.dtype if order == "<" else values.dtype.newbyteorder(">")).tobytes()
        for part in parts
    ]
    strips = [zlib.compress(strip) if packed else strip for strip in swapped]
    floating = values.dtype.kind == "f"
    head = 16 if big else 8
    places = [head + sum(map(len, strips[:k])) for k in range(len(strips))]
    tags = {
        256: ("H", [128]),
        257: ("H", [96]),
        258: ("H", [bits] * samples),
        259: ("H", [8 if packed else 1]),
        262: ("H", [2]),
        273: ("I", places),
        277: ("H", [samples]),
        278: ("H", [48]),
        279: ("I", [len(strip) for strip in strips]),
        284: ("H", [2 if planar else 1]),
        339: ("H", [3 if floating else 1] * samples),
    }
    tags |= {338: ("H", [2])} if samples == 4 else {}
    field, count, items = ("Q", "Q", "Q") if big else ("I", "H", "I")
    directory_at = head + sum(map(len, strips))
    directory_at += directory_at % 2
    values_at = directory_at + struct.calcsize(order + count) + len(tags) * (12 + 8 * big) + struct.calcsize(field)
    entries, values_behind = b"", b""
    for tag, (letter, numbers) in sorted(tags.items()):
        written = struct.pack(f"{order}{len(numbers)}{letter}", *numbers)
        size = struct.calcsize(order + field)
        if len(written) > size:
            place = values_at + len(values_behind)
            values_behind += written + b"\x00" * (len(written) % 2)
            written = struct.pack(order + field, place)
        entries += struct.pack(order + "HH" + items, tag, {"H": 3, "I": 4}[letter], len(numbers))
        entries += written.ljust(size, b"\x00")
    mark = b"II" if order == "<" else b"MM"
    start = struct.pack(order + ("HHHQ" if big else "HI"), *((43, 8, 0, directory_at) if big else (42, directory_at)))
    body = (mark + start + b"".join(strips)).ljust(directory_at, b"\x00")
    return (
        body + struct.pack(order + count, len(tags)) + entries + bytes(struct.calcsize(order + field)) + values_behind
    )


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("order", "big"), [("<", False), (">", False), ("<", True)])
@pytest.mark.parametrize("depth", ["uint16", "float32"])
def test_colours_one_after_the_other_are_put_together(depth: str, order: str, packed: bool, big: bool) -> None:
    values = shades()
    stored = values.astype(depth) if depth == "float32" else np.round(values * 65535).astype(depth)
    expected = linear_to_srgb(values) if depth == "float32" else values
    seen = read_photo(tiff(stored, order, True, packed, big)).image_srgb
    assert np.abs(seen - 255 * expected).max() < 1.5


def test_transparency_after_the_colours_lies_over_white() -> None:
    values = np.dstack([shades(), np.zeros(SHAPE[:2])])
    assert (read_photo(tiff(np.round(values * 65535).astype(np.uint16), "<", True, False)).image_srgb == 255).all()


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_floating_point_of_sixteen_bits_is_linear_light(order: str, planar: bool) -> None:
    seen = read_photo(tiff(shades().astype(np.float16), order, planar, False)).image_srgb
    assert np.abs(seen - 255 * linear_to_srgb(shades())).max() < 1.5


@pytest.mark.parametrize("kind", [1, 4])
def test_small_copy_or_mask_before_the_picture_is_passed_over(kind: int) -> None:
    picture = Image.fromarray(np.round(255 * shades()).astype(np.uint8))
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[254] = kind
    stream = io.BytesIO()
    picture.resize((64, 48)).save(stream, "TIFF", save_all=True, append_images=[picture], tiffinfo=tags)
    # Pillow has given the tag to both.
    said, unsaid = (struct.pack("<HHII", 254, 4, 1, number) for number in (kind, 0))
    first, second, third = stream.getvalue().split(said)
    data = first + said + second + unsaid + third
    np.testing.assert_array_equal(read_photo(data).image_srgb, np.asarray(picture))


def test_pages_of_equal_rank_give_the_first() -> None:
    picture = Image.fromarray(np.round(255 * shades()).astype(np.uint8))
    stream = io.BytesIO()
    picture.save(stream, "TIFF", save_all=True, append_images=[Image.new("RGB", (200, 200))])
    np.testing.assert_array_equal(read_photo(stream.getvalue()).image_srgb, np.asarray(picture))
