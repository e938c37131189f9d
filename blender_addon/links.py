"""Where the project is on the web: what `build_addon.py` found in pyproject.toml; nothing in a copy of the source."""

from __future__ import annotations

import json
from pathlib import Path

FILE_NAME = "links.json"
# What each is called in the preferences, in the order in which they stand there.
TEXTS = {"Homepage": "Website", "Documentation": "Documentation", "Tracker": "Report a Problem"}


def known_links(folder: Path = Path(__file__).parent) -> tuple[tuple[str, str], ...]:
    """Text and address of each link."""
    path = folder / FILE_NAME
    if not path.is_file():
        return ()
    known = json.loads(path.read_text(encoding="utf-8"))
    return tuple((text, known[name]) for name, text in TEXTS.items() if name in known)
