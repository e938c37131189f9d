"""Measurements written down as they are made, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from backend.evaluation.tables import Row


def write_down(records: Iterable[Mapping[str, Any]], stored: Path) -> None:
    """Append records to a file, one a line of JSON; figures that are NaN stay so."""
    stored.parent.mkdir(parents=True, exist_ok=True)
    with stored.open("a") as file:
        file.write("".join(json.dumps(record) + "\n" for record in records))


def read_back(stored: Path) -> list[dict[str, Any]]:
    """What `write_down` wrote; nothing where there is no file.

    Raises:
        ValueError: the file holds something else.
    """
    return [json.loads(line) for line in stored.read_text().splitlines()] if stored.exists() else []


def write_rows(rows: Iterable[Row], stored: Path) -> None:
    """Append rows of a table to a file."""
    write_down((asdict(row) for row in rows), stored)


def read_rows(stored: Path) -> list[Row]:
    """What `write_rows` wrote; nothing where there is no file."""
    return [Row(**record) for record in read_back(stored)]
