"""`index.html`: what became of each photo, in pictures and words; opens from the disk and needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np

from backend.evaluation.photos.measured import TILES, PhotoOutcome
from backend.evaluation.photos.parameters import SheetSettings

FILE_NAME, STRIPS = "index.html", "strips"
STYLE = """body { font: 14px system-ui, sans-serif; background: #222; color: #ddd; margin: 24px }
h1 { font-size: 20px } article { margin: 8px 0; padding: 8px; background: #2b2b2b }
article.refused { background: #3a2626 } img { max-width: 100%; display: block }
p { margin: 4px 0; max-width: 90em } .name { font-weight: 600 } .note { color: #bbb }"""


def write_strip(folder: Path, outcome: PhotoOutcome) -> None:
    """Write the pictures of a photo side by side; of one that was refused there are none.

    Raises:
        OSError: it cannot be written.
    """
    if not outcome.tiles:
        return
    side = SheetSettings().tile_px
    tiles = [cv2.resize(tile.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA) for tile in outcome.tiles]
    strip = np.round(255 * np.clip(np.concatenate(tiles, axis=1), 0, 1)).astype(np.uint8)
    encoded = cv2.imencode(".jpg", strip[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    path = _strip_path(folder, outcome.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded.tobytes())


def write_sheet(folder: Path, outcomes: Sequence[PhotoOutcome]) -> Path:
    """Write the sheet of these photos, in their order.

    Raises:
        OSError: it cannot be written.
    """
    refused = sum(outcome.figures is None for outcome in outcomes)
    title = f"{len(outcomes)} photos" + (f", {refused} refused" if refused else "")
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        '<meta charset="utf-8">',
        f"<title>Relightify: {title}</title>",
        f"<style>{STYLE}</style>",
        f"<h1>{title}</h1>",
        f'<p class="note">{escape(" | ".join(TILES))}</p>',
        *(_article(folder, outcome) for outcome in outcomes),
        "</html>",
    ]
    path = folder / FILE_NAME
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")
    return path


def _article(folder: Path, outcome: PhotoOutcome) -> str:
    lines = [f'<p class="name">{escape(outcome.name)}</p>']
    if outcome.figures is None:
        lines.append(f'<p>{escape(outcome.message)} <span class="note">({escape(outcome.code)})</span></p>')
        return f'<article class="refused">{"".join(lines)}</article>'
    picture = quote(_strip_path(folder, outcome.name).relative_to(folder).as_posix())
    lines.insert(0, f'<img src="{picture}" alt="" loading="lazy">')
    lines.append(f'<p class="note">{escape(in_words(outcome))}</p>')
    lines += [f"<p>{escape(warning)}</p>" for warning in outcome.warnings]
    return f"<article>{''.join(lines)}</article>"


def in_words(outcome: PhotoOutcome) -> str:
    """The figures of a photo in a line; empty where it was refused."""
    figures = outcome.figures
    if figures is None:
        return ""
    parts = [f"seen {figures.seen:.0%}", f"marks {figures.marked:.1%}"]
    kept = {"of them kept": figures.marks_kept, "of the painted kept": figures.painted_kept}
    parts += [f"{name} {share:.0%}" for name, share in kept.items() if not np.isnan(share)]
    parts.append("tone #{:02x}{:02x}{:02x}".format(*figures.tone_srgb))
    parts += [f"{name} over {share:.0%}" for name, share in outcome.covered]
    return ", ".join(parts)


def _strip_path(folder: Path, name: str) -> Path:
    return folder / STRIPS / f"{name}.jpg"
