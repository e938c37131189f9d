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

from backend.batch.ledger import FILE_NAME as TABLE
from backend.batch.ledger import PATH_SEPARATOR, paths_of
from backend.batch.sheet import FILE_NAME as SHEET
from backend.batch.sheet import PICTURES
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
NAME_LENGTH, NAME_BYTES = 80, 160
# What else lies in the batch's folder, and what Windows takes for devices whatever follows a dot.
TAKEN = frozenset({TABLE, SHEET, PICTURES})
DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(1, 10))})


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
        return PATH_SEPARATOR.join(map(str, self.photos))


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
    nameless = [Head("", tuple(paths)) for paths in groups.values()]
    names = {key: name for key, name in (known or {}).items() if not _is_taken(name)}
    if by_folder:
        # A folder keeps its name when photos come or go.
        keys = {head.key for head in nameless}
        earlier = {_folder_of(key): name for key, name in names.items() if key not in keys}
        names |= {
            head.key: earlier[group]
            for head, group in zip(nameless, groups, strict=True)
            if head.key not in names and earlier.get(group, "").startswith(_file_name(group.name))
        }
    wanted = [_file_name(group.name if by_folder else group.stem) for group in groups]
    often = Counter([name.casefold() for name in wanted] + [name.casefold() for name in (known or {}).values()])
    heads = []
    for head, name in zip(nameless, wanted, strict=True):
        unique = name if often[name.casefold()] == 1 and not _is_taken(name) else f"{name}_{_digest(head.key)}"
        heads.append(Head(names.get(head.key, unique), head.photos))
    return heads


def _folder_of(key: str) -> Path | None:
    """Where the photos of a head lie; None where that is not one folder."""
    folders = {path.parent for path in paths_of(key)}
    return folders.pop() if len(folders) == 1 else None


def _is_taken(name: str) -> bool:
    return name.casefold() in TAKEN or name.casefold().split(".")[0] in DEVICES


def _file_name(text: str) -> str:
    """A name of a folder, of what systems take in names, and not too long for them."""
    short = re.sub(r"[^\w.-]+", "_", text).strip("._")[:NAME_LENGTH]
    return short.encode()[:NAME_BYTES].decode(errors="ignore").strip("._") or "photo"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
