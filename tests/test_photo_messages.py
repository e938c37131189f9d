"""Every sentence about a photo that users may read stands on the page that explains them, and no other does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "artist" / "photo_messages.md"
# What models and libraries that are missing say is no word about a photo.
OTHER = {"model_file.py", "model_sources.py", "native_libraries.py"}
HOLE = "\0"


def text_of(node: ast.AST) -> str | None:
    """The text of a string or f-string, with `HOLE` for what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else HOLE for v in node.values)
    return None


def said(tree: ast.Module) -> Iterator[tuple[str | None, str]]:
    """(code, sentence) of what is said: code of a refusal, None of a warning."""
    passed_over: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and isinstance(node.body[0], ast.Expr):
            passed_over.add(id(node.body[0].value))
        if isinstance(node, ast.JoinedStr):
            passed_over |= {id(value) for value in node.values}
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            logs = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") in ("_log", "log")
            if logs or name == "RelightifyError":
                passed_over |= {id(inner) for argument in node.args for inner in ast.walk(argument)}
            if name == "RelightifyError":
                code, sentence = text_of(node.args[0]), text_of(node.args[1])
                if code and sentence:
                    yield code, sentence
    for node in ast.walk(tree):
        sentence = text_of(node)
        if sentence and id(node) not in passed_over and re.match(r"[A-Z\0].* .*\.$", sentence, re.DOTALL):
            yield None, sentence


def sentences() -> set[tuple[str | None, str]]:
    found = set()
    paths = [path for folder in ("photo", "delight") for path in sorted((ROOT / "backend" / folder).rglob("*.py"))]
    for path in (*paths, ROOT / "backend" / "head" / "confidence_words.py"):
        if path.name not in OTHER:
            found |= set(said(ast.parse(path.read_text(encoding="utf-8"))))
    return found


def explained() -> set[tuple[str | None, str]]:
    """The same of the page: the rows of its tables of warnings and refusals."""
    text = PAGE.read_text(encoding="utf-8")
    warnings, refusals = text.split("\n## Warnings\n")[1].split("\n## Refusals\n")
    rows: set[tuple[str | None, str]] = set()
    rows |= {(None, match) for match in re.findall(r"^\| \*(.+?)\* \|", warnings, re.MULTILINE)}
    return rows | {(code, row) for code, row in re.findall(r"^\| `(\w+)` \| \*(.+?)\* \|", refusals, re.MULTILINE)}


def matches(sentence: str, shown: str) -> bool:
    """Whether a row shows a sentence of the code, whose holes may be anything."""
    pattern = ".+?".join(re.escape(part) for part in re.split(f"{HOLE}(?: {HOLE})*", sentence))
    return re.fullmatch(pattern, shown) is not None


def test_every_sentence_about_a_photo_is_explained() -> None:
    found, rows = sentences(), explained()
    assert len(found) > 30
    missing = [(c, s) for c, s in sorted(found, key=str) if not any(c == d and matches(s, row) for d, row in rows)]
    assert missing == []


def test_every_explained_sentence_is_one_that_is_said() -> None:
    found = sentences()
    stale = [
        (d, row) for d, row in sorted(explained(), key=str) if not any(c == d and matches(s, row) for c, s in found)
    ]
    assert stale == []
