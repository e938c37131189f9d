"""Inside the add-on imports point one way, and no files import each other in a circle (DESIGN section 2)."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ADDON = ROOT / "blender_addon"

# Every folder, and what else of the add-on it may import besides itself, `compat`, `links` and `_shared`.
MAY_IMPORT: dict[str, set[str]] = {
    "install": set(),
    "anatomy": {"anatomy/mouth", "anatomy/eyelids"},
    "anatomy/mouth": {"anatomy"},
    "anatomy/eyelids": {"anatomy"},
    "scene": {"anatomy", "scene/photos", "scene/skin", "scene/renewing"},
    "scene/photos": {"anatomy", "scene"},
    "scene/skin": {"anatomy", "scene"},
    "scene/renewing": {"anatomy", "scene"},
    "link": {"install"},
    "light": {"scene"},
    "skeleton": {"anatomy", "scene"},
    "expression": {"scene", "skeleton"},
    "export": {"anatomy", "scene", "skeleton", "expression"},
    "body": {"anatomy", "scene", "skeleton", "export"},
    "ui": {"install", "anatomy", "scene", "link", "light", "skeleton", "expression", "export", "body"},
}
# The same inside `ui`: each folder may import those before it, and what lies in `ui` itself.
UI_ORDER = ("ui", "ui/properties", "ui/operators", "ui/panels", "ui/preferences")
TOP = {"__init__", "_shared", "compat", "links"}


def addon_files() -> dict[str, Path]:
    """Files of the add-on by module name, `scene.mesh` for example; a folder's own is `scene`, the add-on's ``""``."""
    files = {}
    for path in sorted(ADDON.rglob("*.py")):
        parts = path.relative_to(ADDON).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


def imported_modules(module: str, files: dict[str, Path]) -> set[str]:
    """Modules of the add-on that a file imports, at its top or inside of a function."""
    package = module.split(".") if files[module].name == "__init__.py" else module.split(".")[:-1]
    package = [part for part in package if part]
    found = set()
    for node in ast.walk(ast.parse(files[module].read_text())):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            # Inside Blender the add-on has another name.
            assert not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("blender_addon"), module
            continue
        base = package[: len(package) - (node.level - 1)]
        target = ".".join([*base, *(node.module.split(".") if node.module else [])])
        for alias in node.names:
            name = f"{target}.{alias.name}".lstrip(".")
            found.add(name if name in files else target)
    return {name for name in found if name in files}


FILES = addon_files()
IMPORTS = {module: imported_modules(module, FILES) for module in FILES}


def folder_of(module: str) -> str:
    return FILES[module].parent.relative_to(ADDON).as_posix()


def test_every_folder_is_known_and_few_files_stand_at_the_top() -> None:
    folders = {folder_of(module) for module in FILES} - {"."}
    assert folders == {*MAY_IMPORT, *UI_ORDER}
    assert {path.stem for path in ADDON.glob("*.py")} == TOP


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_folder_imports_only_what_it_may(room: str) -> None:
    allowed = {room, *MAY_IMPORT[room]}
    wrong = {
        module: bad
        for module, targets in IMPORTS.items()
        if module.split(".")[0] == room
        and (bad := {t for t in targets if t.split(".")[0] not in allowed and t not in ("compat", "_shared", "links")})
    }
    assert not wrong


def test_panels_import_operators_and_operators_properties_never_the_reverse() -> None:
    wrong = {
        module: bad
        for module, targets in IMPORTS.items()
        if folder_of(module) in UI_ORDER
        and (
            bad := {
                target
                for target in targets
                if folder_of(target) in UI_ORDER
                and UI_ORDER.index(folder_of(target)) > UI_ORDER.index(folder_of(module))
            }
        )
    }
    assert not wrong


def test_nothing_imports_the_files_at_the_top_that_know_everything() -> None:
    assert not {module: targets & {""} for module, targets in IMPORTS.items() if "" in targets}
    assert not {module for module in ("compat", "_shared") if IMPORTS[module]}


def test_no_files_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as error:
        pytest.fail(f"these import each other in a circle: {' -> '.join(error.args[1])}")


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for module, path in FILES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(module)
    assert not {name: where for name, where in places.items() if len(where) > 1}


def test_every_folder_says_what_it_is_for() -> None:
    for folder in {*MAY_IMPORT, *UI_ORDER}:
        assert ast.get_docstring(ast.parse((ADDON / folder / "__init__.py").read_text())), folder
