"""`batch.csv`: what became of each head, kept from run to run."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from shared.errors import RelightifyError
from shared.options import JobOptions

FILE_NAME = "batch.csv"
DONE, FAILED = "done", "failed"
PATH_SEPARATOR = "|"
# Names of files need not be text in any encoding; such bytes stay as they are.
UNDECODABLE = "surrogateescape"


@dataclass(frozen=True)
class LedgerEntry:
    """A row of the table.

    Args:
        name: folder of the head in the batch's folder.
        photos: absolute paths, joined by `PATH_SEPARATOR`.
        state: `DONE` or `FAILED`.
        code: of the error, empty where it is done.
        message: the error's sentences.
        warnings: what may have spoilt the head, joined by spaces.
        seconds: that it took.
        options: digest of the options it was made with.
        content: digest of the photos' bytes.
    """

    name: str
    photos: str
    state: str
    code: str = ""
    message: str = ""
    warnings: str = ""
    seconds: float = 0.0
    options: str = ""
    content: str = ""


class Ledger:
    """The table in a folder; each change is on the disk, whole, before the next photo begins."""

    def __init__(self, folder: Path) -> None:
        """Read what an earlier run left.

        Raises:
            RelightifyError: ``cannot_write``, there is a `batch.csv` that no batch wrote.
        """
        self.path = folder / FILE_NAME
        self._entries: dict[str, LedgerEntry] = {}
        if self.path.exists():
            self._entries = {entry.photos: entry for entry in _read(self.path)}

    @property
    def names(self) -> dict[str, str]:
        """Names of heads by what stands for their photos."""
        return {photos: entry.name for photos, entry in self._entries.items()}

    def of(self, keys: Iterable[str]) -> list[LedgerEntry]:
        """The entries of these photos that there are, in their order."""
        return [self._entries[key] for key in keys if key in self._entries]

    def add(self, entry: LedgerEntry) -> None:
        """Take up a row; it replaces that of the same photos, and any whose head had the same folder.

        Raises:
            RelightifyError: ``cannot_write``.
        """
        self._entries = {
            photos: known
            for photos, known in self._entries.items()
            if photos == entry.photos or known.name != entry.name
        } | {entry.photos: entry}
        try:
            with tempfile.TemporaryDirectory(prefix=".batch-", dir=self.path.parent) as place:
                written = Path(place) / FILE_NAME
                with written.open("w", encoding="utf-8", errors=UNDECODABLE, newline="") as file:
                    writer = csv.DictWriter(file, [f.name for f in fields(LedgerEntry)])
                    writer.writeheader()
                    writer.writerows(asdict(known) for known in self._entries.values())
                written.replace(self.path)
        except OSError as error:
            raise RelightifyError(
                "cannot_write", f"The table {self.path} cannot be written: {error.strerror}.", "Choose another folder."
            ) from error


def _read(path: Path) -> list[LedgerEntry]:
    try:
        with path.open(encoding="utf-8", errors=UNDECODABLE, newline="") as file:
            rows = list(csv.DictReader(file))
        return [LedgerEntry(**{**row, "seconds": float(row["seconds"])}) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise RelightifyError(
            "cannot_write",
            f"The table {path} is not one that a batch wrote, and would be lost.",
            "Choose another folder, or move the file away.",
        ) from error


def paths_of(photos: str) -> list[Path]:
    """The paths in a row's `photos`. They are absolute, so that one with the separator in it is still told apart."""
    return [Path(part) for part in re.split(rf"{re.escape(PATH_SEPARATOR)}(?=/|\\\\|[A-Za-z]:)", photos)]


def digest_of_options(options: JobOptions) -> str:
    """What changes when any option does."""
    return hashlib.sha256(json.dumps(asdict(options), sort_keys=True).encode()).hexdigest()[:16]


def digest_of_photos(photos: Iterable[bytes]) -> str:
    """What changes when any byte of the photos, or their order, does."""
    total = hashlib.sha256()
    for data in photos:
        total.update(hashlib.sha256(data).digest())
    return total.hexdigest()[:16]
