"""Dependencies point one way: blender_addon -> shared <- backend (DESIGN section 2)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Each package, and what it must not import.
FORBIDDEN = {
    "shared": {"backend", "blender_addon", "bpy", "torch"},
    "blender_addon": {"backend", "torch"},
    "backend": {"blender_addon", "bpy"},
    "backend/photo": {"backend.head", "backend.texture", "backend.prior", "backend.service"},
    "backend/head": {"backend.texture", "backend.detail", "backend.prior", "backend.service"},
    "backend/rendering": {"backend.texture", "backend.prior", "backend.service"},
    "backend/texture": {"backend.detail", "backend.prior", "backend.service"},
    "backend/detail": {"backend.prior", "backend.service"},
    "backend/prior": {"backend.service"},
}
LEAVES = {"backend.training", "backend.evaluation"}


def imported_modules(path: Path) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            modules.add(node.module)
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return modules


def hits(modules: set[str], forbidden: set[str]) -> set[str]:
    return {m for m in modules for f in forbidden if m == f or m.startswith(f + ".")}


@pytest.mark.parametrize("package", sorted(FORBIDDEN))
def test_package_does_not_import_against_the_direction(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files, f"{package} has no Python files"
    wrong = {str(f.relative_to(ROOT)): bad for f in files if (bad := hits(imported_modules(f), FORBIDDEN[package]))}
    # What Blender itself runs for an evaluation imports bpy and says so by living in that folder.
    scripts = "backend/evaluation/blender_scripts/"
    wrong = {name: bad for name, bad in wrong.items() if not (name.startswith(scripts) and bad <= {"bpy"})}
    assert not wrong


def test_nothing_in_the_runtime_imports_training_or_evaluation() -> None:
    runtime = [
        f
        for f in (ROOT / "backend").rglob("*.py")
        if not {"training", "evaluation"} & set(f.relative_to(ROOT / "backend").parts)
    ]
    # The command line dispatches to `evaluate` and is the only door.
    wrong = {str(f): bad for f in runtime if f.name != "cli.py" and (bad := hits(imported_modules(f), LEAVES))}
    assert not wrong
