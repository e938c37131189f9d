"""One name, one thing: what a name means must not depend on where it was imported from."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The two classes are one thing, written for two systems of processes.
TWICE = {"WatchedProcess"}


def test_no_two_classes_have_one_name() -> None:
    found = defaultdict(list)
    for package in ("backend", "shared"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    found[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert {name: places for name, places in found.items() if len(places) > 1 and name not in TWICE} == {}


def test_no_file_names_a_place_on_one_machine() -> None:
    place = re.compile(r"""["'](/work|/root|/tmp)/""")
    folders = ("backend", "shared", "blender_addon", "release", "tests")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py") if path != Path(__file__)]
    found = [path for path in paths if place.search(path.read_text(encoding="utf-8"))]
    assert found == []
