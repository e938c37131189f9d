"""The directories of a TIFF structure, read without trust: TIFF files, camera raw files, EXIF blocks."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_TYPE_BYTES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_WHOLE_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}


@dataclass(frozen=True)
class Entry:
    """A tag of a directory.

    Args:
        kind: its TIFF type.
        items: how many values of that type.
        size: their bytes in the block; 0 where they would lie beyond its end.
        numbers: the values where they are whole numbers, at most 16 of them.
    """

    kind: int
    items: int
    size: int
    numbers: tuple[int, ...]

    @property
    def number(self) -> int | None:
        """The first value, None where there is none."""
        return self.numbers[0] if self.numbers else None


def directories(
    block: bytes, following: tuple[int, ...], chained: bool = False, most: int = 64
) -> Iterator[list[tuple[int, Entry]]]:
    """The tags of the first directory, of those that the tags `following` name, and of those chained to them.

    Args:
        block: begins with a TIFF header; anything else has no directories.
        following: tags whose values are offsets of directories.
        chained: whether a directory's successor is read as well.
        most: directories to read; no camera's file has as many.
    """
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 16:
        return
    big = struct.unpack_from(order + "H", block, 2)[0] == 43
    head, entry, offset = ("Q", "HHQQ", "Q") if big else ("H", "HHII", "I")
    head_bytes, entry_bytes = struct.calcsize(order + head), struct.calcsize(order + entry)
    waiting = [struct.unpack_from(order + offset, block, 8 if big else 4)[0]]
    seen: set[int] = set()
    while waiting and len(seen) < most:
        place = waiting.pop(0)
        if place in seen or place + 8 > len(block):
            continue
        seen.add(place)
        first = place + head_bytes
        count = min(struct.unpack_from(order + head, block, place)[0], (len(block) - first) // entry_bytes)
        tags = []
        for number in range(count):
            start = first + number * entry_bytes
            tag, kind, items, _ = struct.unpack_from(order + entry, block, start)
            tags.append((tag, _entry(block, order, kind, items, start + entry_bytes - struct.calcsize(offset), offset)))
            if tag in following:
                waiting += tags[-1][1].numbers
        end = first + count * entry_bytes
        if chained and end + struct.calcsize(offset) <= len(block):
            waiting.append(struct.unpack_from(order + offset, block, end)[0])
        yield tags


def _entry(block: bytes, order: str, kind: int, items: int, field: int, offset: str) -> Entry:
    """A tag whose values, or their offset, lie at `field`."""
    size = items * _TYPE_BYTES.get(kind, 1)
    inline = size <= struct.calcsize(offset)
    place = field if inline else struct.unpack_from(order + offset, block, field)[0]
    letter, few = _WHOLE_NUMBERS.get(kind), min(items, 16)
    readable = letter is not None and place + few * struct.calcsize(letter) <= len(block)
    numbers = struct.unpack_from(f"{order}{few}{letter}", block, place) if readable else ()
    return Entry(kind, items, size if size <= len(block) else 0, numbers)
