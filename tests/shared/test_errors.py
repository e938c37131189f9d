"""The table of error codes is complete, and holds nothing that does not happen."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from shared.errors import ADDON, BACKEND, CODES, EVALUATION, SHARED, TRAINING, RelightifyError
from shared.messages import Error

ROOT = Path(__file__).resolve().parents[2]
# The deeper folder first: it is the one that counts.
FOLDERS = {
    "backend/training": TRAINING,
    "backend/evaluation": EVALUATION,
    "backend": BACKEND,
    "blender_addon": ADDON,
    "shared": SHARED,
}
# Which argument of what makes an error is the code, and what it is where it is left out.
MAKERS = {"RelightifyError": (0, None), "ProtocolError": (1, "protocol"), "Error": (0, None)}


def side_of(path: Path) -> str:
    name = path.relative_to(ROOT).as_posix()
    return next(side for folder, side in FOLDERS.items() if name.startswith(f"{folder}/"))


@cache
def sources() -> dict[Path, ast.Module]:
    """The files that make errors or look at their codes; most do neither."""
    paths = sorted(path for folder in ("backend", "blender_addon", "shared") for path in (ROOT / folder).rglob("*.py"))
    texts = {path: path.read_text() for path in paths}
    return {path: ast.parse(text) for path, text in texts.items() if re.search(r"Error\(|\.code\b|CODES", text)}


def codes_made(path: Path, tree: ast.Module) -> Iterator[str]:
    """The codes of all errors that a file makes.

    Raises:
        AssertionError: a code is computed in a way that cannot be followed here.
    """
    for scope in ast.walk(tree):
        if isinstance(scope, ast.ClassDef) and "RelightifyError" in [_name(base) for base in scope.bases]:
            makers = {**MAKERS, "__init__": MAKERS["RelightifyError"]}
        elif isinstance(scope, ast.FunctionDef):
            makers = MAKERS
        else:
            continue
        for call in ast.walk(scope):
            if not isinstance(call, ast.Call) or (name := _name(call.func)) not in makers:
                continue
            position, default = makers[name]
            named = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
            code = named[0] if named else call.args[position] if len(call.args) > position else None
            if code is None:
                assert default, f"{path}:{call.lineno} makes an error without a code"
                yield default
            else:
                yield from _values(code, scope, f"{path}:{call.lineno}")


def _name(function: ast.expr) -> str:
    return getattr(function, "id", "") or getattr(function, "attr", "")


def _values(code: ast.expr, scope: ast.AST, place: str) -> Iterator[str]:
    """The strings that an expression may be."""
    if isinstance(code, ast.Constant):
        yield str(code.value)
    elif isinstance(code, ast.IfExp):
        yield from _values(code.body, scope, place)
        yield from _values(code.orelse, scope, place)
    elif isinstance(code, ast.Name) and (given := _assigned(code.id, scope)):
        for value in given:
            yield from _values(value, scope, place)
    else:
        # An error that is passed on has a code already.
        assert isinstance(code, ast.Attribute), f"{place} makes an error whose code is not written there"
        assert code.attr == "code", f"{place} makes an error whose code is not written there"


def _assigned(name: str, scope: ast.AST) -> list[ast.expr]:
    """What a local variable is set to, or a parameter is when it is left out."""
    found = []
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == name for target in node.targets):
            found.append(node.value)
        elif isinstance(node, ast.arguments):
            with_default = node.args[len(node.args) - len(node.defaults) :]
            found += [value for item, value in zip(with_default, node.defaults, strict=True) if item.arg == name]
    return found


def codes_looked_for(tree: ast.Module) -> Iterator[str]:
    """The codes that a file compares with: ``error.code == "..."`` and tables whose name ends in CODES."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and getattr(node.left, "attr", "") == "code":
            parts: list[ast.AST] = list(node.comparators)
        elif isinstance(node, ast.Assign) and any(getattr(t, "id", "").endswith("CODES") for t in node.targets):
            parts = [node.value]
        else:
            continue
        for constant in (leaf for part in parts for leaf in ast.walk(part)):
            value = getattr(constant, "value", None)
            if isinstance(value, str) and re.fullmatch("[a-z_]+", value):
                yield value


def test_table_has_every_code_with_the_sides_where_it_arises() -> None:
    found: dict[str, set[str]] = {}
    for path, tree in sources().items():
        for code in codes_made(path, tree):
            found.setdefault(code, set()).add(side_of(path))
    assert {code: sorted(sides) for code, sides in found.items()} == {
        code: sorted(entry.sides) for code, entry in CODES.items()
    }


def test_no_file_waits_for_a_code_that_never_comes() -> None:
    waited = {code: str(path) for path, tree in sources().items() for code in codes_looked_for(tree)}
    assert {code: path for code, path in waited.items() if code not in CODES} == {}


def test_every_code_says_in_part_of_a_sentence_what_it_means() -> None:
    for code, entry in CODES.items():
        assert re.fullmatch("[a-z]+(_[a-z]+)*", code)
        assert len(entry.meaning.split()) >= 3, code
        assert not entry.meaning.endswith("."), code


def test_code_of_a_newer_backend_is_shown_all_the_same() -> None:
    error = Error("code_of_tomorrow", "The sun is too bright.", "Wait for the evening.").exception()
    assert isinstance(error, RelightifyError)
    assert (error.code, str(error)) == ("code_of_tomorrow", "The sun is too bright. Wait for the evening.")


def test_code_that_is_computed_is_refused_here() -> None:
    tree = ast.parse("def fail(what):\n    raise RelightifyError(f'no_{what}', 'Nothing.')\n")
    with pytest.raises(AssertionError, match="not written there"):
        list(codes_made(Path("x.py"), tree))
