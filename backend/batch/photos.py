"""Which photos a batch is of, and which of them make one head."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.errors import RelightifyError
from shared.paths import home_expanded

# Folders and patterns hold other files too; what is named itself is tried whatever it is called.
PHOTO_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("jpg", "jpeg", "jpe", "jfif", "png", "webp", "tif", "tiff", "bmp", "heic", "heif", "avif", "gif", "jp2"),
        *("dng", "nef", "cr2", "cr3", "arw", "raf", "orf", "rw2"),  # named as camera raw instead of left out
    )
)
LISTS = frozenset({".txt", ".lst"})
NAME_LENGTH = 80


@dataclass(frozen=True)
class Head:
    """One head to make.

    Args:
        name: of its folder in the batch's folder, of letters that every file system takes.
        photos: absolute paths; several are of one person.
    """

    name: str
    photos: tuple[Path, ...]

    @property
    def key(self) -> str:
        """What stands for its photos in the table: their paths."""
        return "|".join(map(str, self.photos))


def find_photos(arguments: Sequence[str]) -> list[Path]:
    """The photos that a command line names, absolute, each once, in the order given; folders and patterns sorted.

    Args:
        arguments: image files, folders (with what lies in them, however deep), patterns such as `shoot/*.jpg`, and
            text files with one of these a line, relative to the text file; empty lines and lines with # do not count.

    Raises:
        RelightifyError: ``photo_not_found``: something named is not there, or there is no photo at all.
    """
    found: dict[Path, None] = {}
    for argument in arguments:
        for path in _photos_of(argument, Path()):
            found[path] = None
    if not found:
        raise RelightifyError(
            "photo_not_found", "There is no photo in what was named.", "Name image files, folders or patterns."
        )
    return list(found)


def _photos_of(argument: str, below: Path) -> list[Path]:
    # Without `..`, so that one photo has one name; links keep theirs.
    path = Path(os.path.normpath((below / home_expanded(Path(argument))).absolute()))
    if path.is_dir():
        # Hidden files are thumbnails and what a system keeps for itself.
        inside = (p for p in sorted(path.rglob("*")) if p.suffix.lower() in PHOTO_SUFFIXES and p.is_file())
        return [p for p in inside if not any(part.startswith(".") for part in p.relative_to(path).parts)]
    if path.is_file() and path.suffix.lower() in LISTS:
        try:
            lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise RelightifyError(
                "photo_not_found", f"The list {path} cannot be read.", "Give a text file in UTF-8, a photo a line."
            ) from error
        return [p for line in lines if line and not line.startswith("#") for p in _photos_of(line, path.parent)]
    if path.exists():
        return [path]
    matching = [Path(name) for name in sorted(glob.glob(str(path), recursive=True))] if glob.has_magic(argument) else []
    photos = [p for p in matching if p.is_file() and p.suffix.lower() in PHOTO_SUFFIXES]
    if not photos:
        raise RelightifyError(
            "photo_not_found",
            f"There is no photo {argument}.",
            "Check the path; patterns match image files only.",
        )
    return photos


def heads_of(photos: Sequence[Path], by_folder: bool, known: Mapping[str, str] | None = None) -> list[Head]:
    """The heads to make, with names that no two share.

    Args:
        photos: as `find_photos` gives them.
        by_folder: photos that lie in one folder are of one person.
        known: names by key of heads that an earlier run named; they keep them.
    """
    groups: dict[Path, list[Path]] = {}
    for path in photos:
        groups.setdefault(path.parent if by_folder else path, []).append(path)
    known = known or {}
    heads = [Head(known.get(Head("", tuple(paths)).key, ""), tuple(paths)) for paths in groups.values()]
    wanted = [_file_name(group.name if by_folder else group.stem) for group in groups]
    often = Counter([name.casefold() for name in wanted] + [name.casefold() for name in known.values()])
    named = []
    for head, name in zip(heads, wanted, strict=True):
        unique = name if often[name.casefold()] == 1 else f"{name}_{_digest(head.key)}"
        named.append(Head(head.name or unique, head.photos))
    return named


def _file_name(text: str) -> str:
    """A name of a folder that no system refuses."""
    return re.sub(r"[^\w.-]+", "_", text).strip("._")[:NAME_LENGTH] or "photo"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
