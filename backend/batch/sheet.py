"""`index.html`: the contact sheet of a batch, which opens from the disk and needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from backend.batch.ledger import DONE, LedgerEntry, paths_of
from backend.write_errors import while_writing

FILE_NAME, PICTURES = "index.html", "contact"
STYLE = """body { font: 14px system-ui, sans-serif; background: #222; color: #ddd; margin: 24px }
h1 { font-size: 20px } a { color: #8bf; text-decoration: none }
article { display: flex; gap: 16px; align-items: center; margin: 8px 0; padding: 8px; background: #2b2b2b }
article.failed { background: #3a2626 } img { height: 168px; display: block } .text { max-width: 36em }
.name { font-weight: 600 } .note { color: #bbb }"""


def strip_path(folder: Path, name: str) -> Path:
    """The picture of a head's photo and maps."""
    return folder / PICTURES / f"{name}.jpg"


def render_path(folder: Path, name: str) -> Path:
    """The head rendered by Blender."""
    return folder / PICTURES / "rendered" / f"{name}.jpg"


def write_strip(folder: Path, name: str, strip: bytes) -> None:
    """Keep the picture of a head's photo and maps.

    Raises:
        RelightifyError: ``disk_full`` or ``cannot_write``.
    """
    path = strip_path(folder, name)
    with while_writing(folder):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(strip)


def write_sheet(folder: Path, entries: Sequence[LedgerEntry]) -> Path:
    """Write the sheet of these heads into the batch's folder; those that failed come last.

    Raises:
        RelightifyError: ``disk_full`` or ``cannot_write``.
    """
    ordered = sorted(entries, key=lambda entry: entry.state != DONE)
    failures = sum(entry.state != DONE for entry in entries)
    title = f"{len(entries)} heads" + (f", {failures} failed" if failures else "")
    parts = ["<!doctype html>", '<html lang="en">', '<meta charset="utf-8">', f"<title>Relightify: {title}</title>"]
    parts += [
        f"<style>{STYLE}</style>",
        f"<h1>{title}</h1>",
        *(_article(folder, entry) for entry in ordered),
        "</html>",
    ]
    path = folder / FILE_NAME
    with while_writing(folder):
        # Names of files need not be text.
        path.write_text("\n".join(parts) + "\n", encoding="utf-8", errors="replace")
    return path


def _article(folder: Path, entry: LedgerEntry) -> str:
    photos = escape(", ".join(path.name for path in paths_of(entry.photos)))
    name = escape(entry.name)
    if entry.state != DONE:
        words = f"{escape(entry.message)} <span class='note'>({escape(entry.code)})</span>"
        text = f'<p class="name">{name}</p><p>{photos}</p><p>{words}</p>'
        return f'<article class="failed"><div class="text">{text}</div></article>'
    pictures = [path for path in (strip_path(folder, entry.name), render_path(folder, entry.name)) if path.is_file()]
    images = "".join(f'<img src="{_link(folder, path)}" alt="" loading="lazy">' for path in pictures)
    notes = [f"{entry.seconds:.0f} s", *([escape(entry.warnings)] if entry.warnings else [])]
    text = f'<p class="name"><a href="{quote(entry.name)}/">{name}</a></p><p>{photos}</p>'
    text += "".join(f'<p class="note">{note}</p>' for note in notes)
    return f'<article>{images}<div class="text">{text}</div></article>'


def _link(folder: Path, path: Path) -> str:
    return quote(path.relative_to(folder).as_posix())
