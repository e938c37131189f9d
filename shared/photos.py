"""What several photos of one person are called: how many there may be, their keys, and whose a sentence is."""

from __future__ import annotations

import re

# Of one person in one job.
MOST_PHOTOS = 8


def further_keys(count: int) -> tuple[str, ...]:
    """Under what so many photos after the first are sent: "2", "3" and so on."""
    return tuple(str(number) for number in range(2, 2 + count))


def copy_key(number: int, first: int = 1) -> str:
    """Under what a result has the copy of an upright photo among its maps.

    Args:
        number: of the photo, from 1 on.
        first: of the photo that gives the head its camera, the first one that was used.
    """
    return "photo" if number == first else f"photo_{number}"


def photo_name(number: int) -> str:
    """What sentences for people call a photo of several, and begin with where they are about that one.

    Args:
        number: from 1 on.
    """
    return f"Photo {number}"


def photo_of(sentence: str) -> int | None:
    """The number of the photo that a sentence is about, None where it is about no single one."""
    found = re.match(r"Photo (\d+)\b", sentence)
    return int(found[1]) if found is not None else None
