"""What several photos of one person are called."""

from __future__ import annotations

import pytest

from shared.photos import copy_key, further_keys, photo_name, photo_of


def test_further_photos_are_numbered_from_the_second_on() -> None:
    assert further_keys(0) == ()
    assert further_keys(3) == ("2", "3", "4")


def test_the_photo_that_gives_the_camera_has_the_plain_key() -> None:
    assert [copy_key(number) for number in (1, 2, 3)] == ["photo", "photo_2", "photo_3"]
    assert [copy_key(number, first=2) for number in (2, 3)] == ["photo", "photo_3"]


@pytest.mark.parametrize(
    ("sentence", "number"),
    [
        (f"{photo_name(3)} seems to show another person, so it is left out.", 3),
        (f"{photo_name(1)}: The chin is cut off.", 1),
        (f"{photo_name(12)} is left out.", 12),
        ("The light is coloured.", None),
        ("Photos 2 and 3 are alike.", None),
    ],
)
def test_a_sentence_tells_which_photo_it_is_about(sentence: str, number: int | None) -> None:
    assert photo_of(sentence) == number
