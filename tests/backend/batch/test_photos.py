"""Which photos a batch is of, and what their heads are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.batch.photos import find_photos, heads_of
from shared.errors import RelightifyError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("ada/front.jpg", "ada/left.PNG", "bob/front.jpg", "bob/.thumbs/front.jpg", "bob/notes.md", "c d.heic"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(b"x")
    return tmp_path


def names(paths: list[Path], folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]


def test_folders_give_their_photos_sorted_without_hidden_ones(folder: Path) -> None:
    found = find_photos([str(folder)])
    assert names(found, folder) == ["ada/front.jpg", "ada/left.PNG", "bob/front.jpg", "c d.heic"]


def test_patterns_and_lists_and_files_together_give_each_photo_once(folder: Path) -> None:
    (folder / "ada" / "list.txt").write_text("# mine\n\n../bob/front.jpg\nleft.PNG\n")
    found = find_photos([str(folder / "ada" / "list.txt"), str(folder / "*" / "front.jpg"), str(folder / "c d.heic")])
    assert names(found, folder) == ["bob/front.jpg", "ada/left.PNG", "ada/front.jpg", "c d.heic"]


@pytest.mark.parametrize("argument", ["none.jpg", "*.webp", "bob/.thumbs"])
def test_what_has_no_photo_is_an_error_that_names_it(folder: Path, argument: str) -> None:
    (folder / "bob" / ".thumbs" / "front.jpg").unlink()
    with pytest.raises(RelightifyError) as raised:
        find_photos([str(folder / argument)])
    assert raised.value.code == "photo_not_found"


def test_heads_of_one_name_are_told_apart_and_keep_their_names(folder: Path) -> None:
    photos = find_photos([str(folder)])
    heads = heads_of(photos, by_folder=False)
    assert [h.name for h in heads if h.photos[0].stem not in ("front",)] == ["left", "c_d"]
    fronts = [h.name for h in heads if h.photos[0].stem == "front"]
    assert len(set(fronts)) == 2
    assert all(name.startswith("front_") for name in fronts)
    known = {heads[0].key: "front"}
    later = heads_of(photos[2:] + photos[:2], by_folder=False, known=known)
    assert {h.key: h.name for h in later}[heads[0].key] == "front"
    assert len({h.name.casefold() for h in later}) == len(later)


def test_photos_of_a_folder_can_be_one_person(folder: Path) -> None:
    heads = heads_of(find_photos([str(folder / "ada"), str(folder / "bob")]), by_folder=True)
    assert [(h.name, len(h.photos)) for h in heads] == [("ada", 2), ("bob", 1)]
