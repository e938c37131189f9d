"""No operator is called inside `temp_override`, which crashes Blender up to 5.0 beside a thread of Python."""

from __future__ import annotations

import ast
from pathlib import Path

ADDON = Path(__file__).resolve().parents[1] / "blender_addon"


def overrides(tree: ast.AST) -> list[int]:
    """The lines at which a context is overridden."""
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "temp_override"]


def test_the_addon_never_overrides_the_context() -> None:
    files = sorted(ADDON.rglob("*.py"))
    assert len(files) > 50
    found = [f"{file.relative_to(ADDON)}:{line}" for file in files for line in overrides(ast.parse(file.read_text()))]
    assert found == []


def test_overrides_are_found() -> None:
    assert overrides(ast.parse("with bpy.context.temp_override(window=window):\n    bpy.ops.ed.undo()")) == [1]
