"""TIFF files told anew, so that decoders read of them what they would miss or get wrong; no pixel is touched.

A new first directory goes behind the file's bytes, or the head names another directory.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from backend.photo.files.tiff_tags import directories

_REDUCED, _MASK = 1, 4  # bits of NewSubfileType
_SUBFILE, _BITS, _COLOURS, _OFFSETS, _SAMPLES, _SIZES = 254, 258, 262, 273, 277, 279
_PLANES, _PREDICTOR, _TILE_OFFSETS, _TILE_SIZES, _EXTRA, _FORMAT = 284, 317, 324, 325, 338, 339
_FLOATING, _WHOLE = 3, 1  # SampleFormat
_LETTERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}


@dataclass(frozen=True)
class _Form:
    """How a file writes directories: byte order, formats of a count of tags, of a tag's head and of a place."""

    order: str
    count: str
    head: str
    place: str
    first_at: int

    @property
    def head_bytes(self) -> int:
        return struct.calcsize(self.order + self.head)

    @property
    def place_bytes(self) -> int:
        return struct.calcsize(self.order + self.place)


def main_picture(data: bytes) -> bytes:
    """A TIFF whose first directory is a whole picture: not a small copy for lists, nor a mask, where another is there.

    Args:
        data: bytes of a TIFF; others come back as they are.
    """
    form = _form(data)
    if form is None:
        return data
    pages = [dict(tags) for tags in directories(data, (), chained=True)]
    kinds = [(page[_SUBFILE].number or 0) if _SUBFILE in page else 0 for page in pages]
    whole = next((k for k, kind in enumerate(kinds) if not kind & (_REDUCED | _MASK)), 0)
    if whole == 0:
        return data
    place = _first(data, form)
    for _ in range(whole):
        count = struct.unpack_from(form.order + form.count, data, place)[0]
        end = place + struct.calcsize(form.order + form.count) + count * (form.head_bytes + form.place_bytes)
        place = struct.unpack_from(form.order + form.place, data, end)[0]
    return _starting_at(data, form, place)


def is_deep_in_planes(data: bytes) -> bool:
    """Whether a TIFF has its colours one after the other, in more than eight bits."""
    first = dict(next(iter(directories(data, ())), []))
    planes, samples, bits = (first[tag].numbers if tag in first else (1,) for tag in (_PLANES, _SAMPLES, _BITS))
    return planes[:1] == (2,) and max(samples, default=1) > 1 and max(bits, default=1) > 8


def planes(data: bytes) -> Iterator[bytes]:
    """A TIFF with its colours one after the other as one grey TIFF for each.

    Raises:
        ValueError: it does not say where they are.
        struct.error: it ends too early.
    """
    form = _form(data)
    if form is None:
        raise ValueError("no TIFF")
    tags = _tags(data, form)
    samples = _numbers(data, form, tags[_SAMPLES])[0]
    changed: dict[int, tuple[int, ...]] = {_COLOURS: (1,), _SAMPLES: (1,), _PLANES: (1,)}
    changed |= {tag: _numbers(data, form, tags[tag])[:1] for tag in (_BITS, _FORMAT) if tag in tags}
    tiled = _TILE_OFFSETS in tags
    parts = (_TILE_OFFSETS, _TILE_SIZES) if tiled else (_OFFSETS, _SIZES)
    places = {tag: _numbers(data, form, tags[tag]) for tag in parts}
    if not samples or any(len(numbers) % samples for numbers in places.values()):
        raise ValueError("not the same number of parts for each colour")
    for plane in range(samples):
        own = {tag: n[plane * len(n) // samples : (plane + 1) * len(n) // samples] for tag, n in places.items()}
        yield _with_first(data, form, {k: v for k, v in tags.items() if k != _EXTRA}, changed | own)


def halves_as_whole_numbers(data: bytes) -> bytes | None:
    """A TIFF in floating point of 16 bits as one of whole numbers of the same bits; None for any other, and where a
    predictor of floating point is in the way."""
    form = _form(data)
    if form is None:
        return None
    tags = _tags(data, form)
    if _FORMAT not in tags or _BITS not in tags:
        return None
    kinds, bits = (_numbers(data, form, tags[tag]) for tag in (_FORMAT, _BITS))
    predictor = _numbers(data, form, tags[_PREDICTOR])[0] if _PREDICTOR in tags else 1
    if set(kinds) != {_FLOATING} or set(bits) != {16} or predictor == 3:
        return None
    return _with_first(data, form, tags, {_FORMAT: (_WHOLE,) * len(kinds)})


def _form(data: bytes) -> _Form | None:
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 16:
        return None
    kind = struct.unpack_from(order + "H", data, 2)[0]
    if kind == 43:
        return _Form(order, "Q", "HHQ", "Q", 8)
    return _Form(order, "H", "HHI", "I", 4) if kind == 42 else None


def _first(data: bytes, form: _Form) -> int:
    return struct.unpack_from(form.order + form.place, data, form.first_at)[0]


def _starting_at(data: bytes, form: _Form, place: int) -> bytes:
    at = form.first_at
    return data[:at] + struct.pack(form.order + form.place, place) + data[at + form.place_bytes :]


def _tags(data: bytes, form: _Form) -> dict[int, tuple[int, int, bytes]]:
    """Of the first directory by number: type, how many, and the field with the values or their place."""
    place = _first(data, form)
    count = struct.unpack_from(form.order + form.count, data, place)[0]
    at = place + struct.calcsize(form.order + form.count)
    step = form.head_bytes + form.place_bytes
    found = {}
    for start in range(at, min(at + count * step, len(data) - step + 1), step):
        tag, kind, items = struct.unpack_from(form.order + form.head, data, start)
        found[tag] = (kind, items, data[start + form.head_bytes : start + step])
    return found


def _numbers(data: bytes, form: _Form, entry: tuple[int, int, bytes]) -> tuple[int, ...]:
    """All whole numbers of a tag.

    Raises:
        ValueError: it has others, or none.
        struct.error: they lie beyond the file's end.
    """
    kind, items, field = entry
    if kind not in _LETTERS or not 0 < items <= len(data):
        raise ValueError("a tag without whole numbers")
    letters = f"{form.order}{items}{_LETTERS[kind]}"
    if struct.calcsize(letters) <= form.place_bytes:
        return struct.unpack_from(letters, field)
    return struct.unpack_from(letters, data, struct.unpack(form.order + form.place, field)[0])


def _with_first(
    data: bytes, form: _Form, tags: dict[int, tuple[int, int, bytes]], changed: dict[int, tuple[int, ...]]
) -> bytes:
    """The file with a first directory of these tags, some of them with other numbers."""
    values, entries = b"", b""
    behind = len(data) + len(data) % 2
    for tag, (kind, items, field) in sorted(tags.items()):
        if tag in changed:
            items = len(changed[tag])
            packed = struct.pack(f"{form.order}{items}{_LETTERS[kind]}", *changed[tag])
            if len(packed) <= form.place_bytes:
                field = packed.ljust(form.place_bytes, b"\x00")
            else:
                field = struct.pack(form.order + form.place, behind + len(values))
                values += packed + b"\x00" * (len(packed) % 2)
        entries += struct.pack(form.order + form.head, tag, kind, items) + field
    directory = struct.pack(form.order + form.count, len(tags)) + entries + bytes(form.place_bytes)
    whole = b"".join((data, bytes(len(data) % 2), values, directory))
    return _starting_at(whole, form, behind + len(values))
