"""Dependencies point one way, and no file comes round to itself (DESIGN section 2)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("shared", "blender_addon", "backend")

# What no file of a package may import; only what Blender's own Python runs for the backend knows bpy.
FORBIDDEN = {
    "shared": {"backend", "blender_addon", "bpy", "torch"},
    "blender_addon": {"backend", "torch"},
    "backend": {"blender_addon", "bpy"},
}
BLENDER_SCRIPTS = "blender_scripts"

# The folders and the modules beside them, lowest first: a file imports from its own step and those below it.
STEPS: tuple[set[str], ...] = (
    {"asset_files", "device", "memory", "progress", "side_by_side", "threads", "write_errors"},
    {"imaging"},
    {"rendering"},
    {"photo"},
    {"head"},
    {"texture"},
    {"delight"},
    {"prior"},
    {"detail"},
    {"identity"},
    {"parameters"},
    {"reconstruction"},
    {"pipeline"},
    {"output"},
    {"service"},
    {"doctor", "fetch", "option_arguments", "terminal"},
    {"batch", "training", "evaluation"},
    # The command line, which hands over to everything else, is the only door to training and evaluation.
    {"cli"},
)
STEP_OF = {room: number for number, rooms in enumerate(STEPS) for room in rooms}


@cache
def files(package: str) -> dict[str, Path]:
    """The Python files of a package by module name."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(path: Path) -> frozenset[str]:
    """Absolute names of what a file imports anywhere in it, inside functions and for type checkers too."""
    folder = path.relative_to(ROOT).parent.parts
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = folder[: len(folder) - node.level + 1] if node.level else ()
            source = ".".join((*above, *filter(None, [node.module])))
            names |= {f"{source}.{alias.name}" for alias in node.names}
    return frozenset(names)


def module_of(name: str) -> str | None:
    """The file of ours, by module name, that an imported name lies in; None for other people's."""
    package = name.split(".")[0]
    if package not in PACKAGES:
        return None
    # `blender_addon.shared` is there only in the extension's zip.
    return next((module for module in (name, name.rpartition(".")[0]) if module in files(package)), None)


def room_of(module: str) -> str:
    """The folder or module directly in `backend` that a module belongs to."""
    return module.split(".")[1]


def own_imports(module: str, path: Path) -> set[str]:
    return {target for name in imports(path) if (target := module_of(name)) not in (None, module)}


@pytest.mark.parametrize("package", PACKAGES)
def test_package_does_not_import_against_the_direction(package: str) -> None:
    assert files(package), f"{package} has no Python files"
    wrong = []
    for path in files(package).values():
        allowed = {"bpy"} if BLENDER_SCRIPTS in path.parts else set()
        bad = {name.split(".")[0] for name in imports(path)} & (FORBIDDEN[package] - allowed)
        wrong += [f"{path.relative_to(ROOT)} imports {other}" for other in sorted(bad)]
    assert not wrong, "\n".join(wrong)


def test_every_room_of_the_backend_has_its_place() -> None:
    rooms = {room_of(module) for module in files("backend") if module != "backend"}
    assert rooms <= STEP_OF.keys(), "a new folder or module: say in STEPS, and in DESIGN section 2, where it stands"


@pytest.mark.parametrize("room", sorted(STEP_OF))
def test_room_imports_only_what_stands_below_it(room: str) -> None:
    wrong = [
        f"{module} imports {target}"
        for module, path in files("backend").items()
        if f"{module}.".startswith(f"backend.{room}.")
        for target in sorted(own_imports(module, path))
        if target.startswith("backend.") and STEP_OF[room_of(target)] > STEP_OF[room]
    ]
    assert not wrong, "\n".join(wrong)


def test_only_the_panels_know_the_panels() -> None:
    wrong = [
        f"{module} imports {target}"
        for module, path in files("blender_addon").items()
        # The add-on's own `register` begins everywhere.
        if module != "blender_addon" and not module.startswith("blender_addon.ui")
        for target in sorted(own_imports(module, path))
        if target.startswith("blender_addon.ui")
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_file_imports_itself_by_a_detour(package: str) -> None:
    graph = {module: own_imports(module, path) for module, path in files(package).items()}
    assert not (found := list(cycles(graph))), "\n".join(", ".join(group) for group in found)


def cycles(graph: dict[str, set[str]]) -> Iterator[list[str]]:
    """Groups of modules that reach each other (Kosaraju's algorithm), each sorted by name."""
    order: list[str] = []
    visited: set[str] = set()
    for module in graph:
        _visit(module, graph, visited, order)
    backwards: dict[str, set[str]] = {module: set() for module in graph}
    for module, targets in graph.items():
        for target in targets & graph.keys():
            backwards[target].add(module)
    visited = set()
    for module in reversed(order):
        group: list[str] = []
        _visit(module, backwards, visited, group)
        if len(group) > 1:
            yield sorted(group)


def _visit(module: str, graph: dict[str, set[str]], visited: set[str], left: list[str]) -> None:
    """Depth first; `left` gets modules in the order in which they are left."""
    if module in visited:
        return
    visited.add(module)
    for target in sorted(graph[module] & graph.keys()):
        _visit(target, graph, visited, left)
    left.append(module)


def test_cycles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "elsewhere"}, "d": {"a"}}
    assert list(cycles(graph)) == [["b", "c"]]
