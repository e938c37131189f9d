"""Chosen numbers have an owner: fields of a stage's parameters, each with what it is; few are constants of a module."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from backend.parameters import Parameters, replaced, value_of

BACKEND = Path(__file__).resolve().parent.parent / "backend"
CONSTANT = re.compile(r"^_?[A-Z][A-Z0-9_]*(, _?[A-Z][A-Z0-9_]*)* *(:.*)?= *[-(]?[0-9.]", re.MULTILINE)
# Lines of a package, at most: lower one where some are moved; new tables and networks of others may raise one.
MOST = {
    "batch": 10,
    "cli": 1,
    "delight": 2,
    "doctor": 3,
    "evaluation": 31,
    "head": 6,
    "identity": 5,
    "imaging": 12,
    "output": 1,
    "photo": 48,
    "prior": 17,
    "rendering": 17,
    "service": 13,
    "terminal": 1,
    "texture": 13,
    "training": 90,
}


def groups(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """A group of parameters and all groups in it, with their paths."""
    yield path, group
    for field in fields(group):
        value = getattr(group, field.name)
        if is_dataclass(value):
            yield from groups(value, f"{path}.{field.name}".lstrip("."))


def test_modules_have_no_more_constants_than_before() -> None:
    found: Counter[str] = Counter()
    for path in BACKEND.rglob("*.py"):
        package = path.relative_to(BACKEND).parts[0].removesuffix(".py")
        found[package] += len(CONSTANT.findall(path.read_text()))
    assert {package: count for package, count in found.items() if count > MOST.get(package, 0)} == {}


@pytest.mark.parametrize(("path", "group"), list(groups(Parameters())), ids=lambda value: value if value else "all")
def test_every_number_says_what_it_is(path: str, group: Any) -> None:
    if not path:
        return
    words = set(re.findall(r"[a-z_0-9]+", type(group).__doc__ or ""))
    assert {field.name for field in fields(group)} - words == set()


def test_a_number_is_replaced_by_its_path() -> None:
    usual = Parameters()
    other = replaced(usual, "delight.trust.feather_mm", 1.0)
    assert value_of(other, "delight.trust.feather_mm") == 1.0
    assert replaced(other, "delight.trust.feather_mm", usual.delight.trust.feather_mm) == usual


def test_a_path_that_is_not_there_is_an_error() -> None:
    with pytest.raises(AttributeError):
        replaced(Parameters(), "delight.trust.feathers", 1.0)
