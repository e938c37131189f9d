"""How the weights in a folder were made: a JSON file beside them, read without loading any network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from backend.asset_files import verified

FACTS = "relightify.json"


def read_facts(folder: Path) -> dict[str, Any]:
    """What is known about how the weights were made; empty where there are none."""
    path = folder / FACTS
    return json.loads(verified(path).read_text(encoding="utf-8")) if path.is_file() else {}


def add_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Add to what is known."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**read_facts(folder), **facts}, indent=1, sort_keys=True)
    (folder / FACTS).write_text(text + "\n", encoding="utf-8")
