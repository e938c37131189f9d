"""The docs keep up with the code: error codes, operators, folders, links, and words that user pages must not hold."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from shared.option_kinds import Choice, Number
from shared.options import JOB_OPTIONS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"
TROUBLESHOOTING = DOCS / "artist" / "troubleshooting.md"
SCRIPTING = DOCS / "artist" / "scripting.md"
FACE_TAB = DOCS / "artist" / "face_tab.md"
PYTHON_API = DOCS / "developer" / "python_api.md"
CODE_MAP = DOCS / "developer" / "code_map.md"
ARCHITECTURE = DOCS / "developer" / "architecture.md"
ADDING_A_PRIOR = DOCS / "developer" / "adding_a_prior.md"

PACKAGES = ("backend", "shared", "blender_addon")
MAX_README_LINES = 100
MAX_WIDTH = 120
# History belongs to the research shelf.
FORBIDDEN = re.compile(r"\b(before|given up|issues?)\b", re.IGNORECASE)
REGISTRY_HOSTS = re.compile(
    r"\b(pypi|npmjs|pythonhosted|registry\.npm|deb\.debian|download\.pytorch)\b\.?", re.IGNORECASE
)

pages = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
user_pages = [
    README,
    DOCS / "index.md",
    *sorted((DOCS / "artist").glob("*.md")),
    *sorted((DOCS / "developer").glob("*.md")),
]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def sources() -> Iterator[ast.Module]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield ast.parse(path.read_text())


# --- error codes ------------------------------------------------------------------------------------------------

# Where each kind of error has its code among its arguments.
CODE_PLACES = {"RelightifyError": 0, "ProtocolError": 1, "Error": 0}


def codes_in(tree: ast.Module) -> set[str]:
    """Codes that a module gives errors, also by a variable of the same function or as the default of an error class."""
    codes: set[str] = set()
    scopes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Module)]
    for scope in scopes:
        assigned = {
            target.id: node.value
            for node in ast.walk(scope)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(scope):
            code = code_argument(node)
            if isinstance(code, ast.Name):
                code = assigned.get(code.id)
            codes |= words_of(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(name_of(base) in CODE_PLACES for base in node.bases):
            codes |= own_codes(node)
    return codes


def code_argument(node: ast.AST) -> ast.expr | None:
    """The expression of the code where a node makes an error."""
    if not isinstance(node, ast.Call) or name_of(node.func) not in CODE_PLACES:
        return None
    named = next((keyword.value for keyword in node.keywords if keyword.arg == "code"), None)
    place = CODE_PLACES[name_of(node.func)]
    return named or (node.args[place] if len(node.args) > place else None)


def own_codes(error_class: ast.ClassDef) -> set[str]:
    """What an error class passes on to its base by itself, and the default of its argument `code`."""
    codes: set[str] = set()
    for node in ast.walk(error_class):
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.args]
            defaults = dict(zip(reversed(names), reversed(node.args.defaults), strict=False))
            codes |= words_of(defaults.get("code"))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__" and node.args:
            codes |= words_of(node.args[0])
    return codes


def words_of(code: ast.expr | None) -> set[str]:
    """The words that an expression of a code can be: itself, or both ways of a condition."""
    if isinstance(code, ast.IfExp):
        return words_of(code.body) | words_of(code.orelse)
    return {code.value} if isinstance(code, ast.Constant) and isinstance(code.value, str) else set()


def name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def test_every_error_code_has_a_row_in_troubleshooting_and_every_row_a_code() -> None:
    in_code = set().union(*(codes_in(tree) for tree in sources()))
    assert {"no_face", "no_answer", "backend_lost", "protocol", "version_mismatch", "cancelled"} <= in_code
    rows = re.findall(r"^\| `(\w+)` \|", TROUBLESHOOTING.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(set(rows)), "a code has two rows"
    assert set(rows) == in_code


# --- operators --------------------------------------------------------------------------------------------------


def annotated_by_call(statement: ast.stmt) -> set[str]:
    """The parameters of a class whose annotations are made from the options of a job."""
    made = isinstance(statement, ast.Assign) and ast.unparse(statement) == "__annotations__ = option_properties()"
    return set(JOB_OPTIONS) if made else set()


@cache
def operators_in_code() -> dict[str, set[str]]:
    """The parameters of each operator of the add-on, those of its bases included, hidden ones left out."""
    classes = {
        node.name: node
        for path in sorted((ROOT / "blender_addon").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    }

    def parameters(node: ast.ClassDef) -> set[str]:
        own = {
            statement.target.id
            for statement in node.body
            if isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and "HIDDEN" not in ast.unparse(statement.annotation)
        }
        made = {name for statement in node.body for name in annotated_by_call(statement)}
        return own.union(made, *(parameters(classes[name_of(b)]) for b in node.bases if name_of(b) in classes))

    found: dict[str, set[str]] = {}
    for node in classes.values():
        names = [
            statement.value.value
            for statement in node.body
            if isinstance(statement, ast.Assign)
            and ast.unparse(statement.targets[0]) == "bl_idname"
            and isinstance(statement.value, ast.Constant)
        ]
        if names and str(names[0]).startswith("relightify."):
            found[str(names[0]).removeprefix("relightify.")] = parameters(node)
    return found


def operators_on_page() -> dict[str, set[str]]:
    """The parameters of each operator that the page on scripting lists."""
    found: dict[str, set[str]] = {}
    for section in re.split(r"^### ", SCRIPTING.read_text(), flags=re.MULTILINE)[1:]:
        first_cells = re.findall(r"^\| (`[^|]*`) \|", section, re.MULTILINE)
        found[section.split("\n")[0].strip()] = set(re.findall(r"`(\w+)`", " ".join(first_cells)))
    return found


def test_the_page_on_scripting_lists_every_operator_with_its_parameters() -> None:
    in_code = operators_in_code()
    assert "quality" in in_code["reconstruct_again"], "parameters of base classes are missed"
    assert operators_on_page() == in_code


# --- options of a job -------------------------------------------------------------------------------------------


def rows_of(page: Path, heading: str) -> dict[str, list[str]]:
    """The cells behind the first one of each row of a section's table, by that first cell."""
    section = re.split(rf"^#+ {heading}\n", page.read_text(), flags=re.MULTILINE)[1]
    section = re.split(r"^#+ ", section, flags=re.MULTILINE)[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return {first: rest for first, *rest in rows}


@pytest.mark.parametrize("name", JOB_OPTIONS)
def test_the_page_on_scripting_tells_default_and_choices_of_every_option(name: str) -> None:
    option = JOB_OPTIONS[name]
    default, meaning = rows_of(SCRIPTING, "reconstruct")[f"`{name}`"]
    if isinstance(option, Choice):
        assert default == f'`"{option.default}"`'
        assert re.findall(r'"(\w+)"', meaning) == [str(value) for value in option.offered]
    elif isinstance(option, Number) and option.unset is not None:
        assert default == str(option.unset.stand_in)
    else:
        assert default == str(option.default)


@pytest.mark.parametrize("name", JOB_OPTIONS)
def test_the_page_on_the_tab_has_a_row_for_every_option_that_the_panel_shows(name: str) -> None:
    option, rows = JOB_OPTIONS[name], rows_of(FACE_TAB, "Options")
    assert (f"*{option.label}*" in rows) == option.shown
    if isinstance(option, Choice):
        labels = [item.label for item in option.items]
        told = [label for label in labels if f"*{label}*" in rows[f"*{option.label}*"][0]]
        numbers = all(isinstance(value, int) for value in option.values)
        assert numbers or told == [item.label for item in option.items if item.offered]


def test_the_page_on_python_names_the_options_in_order() -> None:
    assert f"`JobOptions({', '.join(JOB_OPTIONS)})`" in PYTHON_API.read_text()


# --- pages ------------------------------------------------------------------------------------------------------


def test_every_folder_of_code_is_on_the_code_map() -> None:
    mapped = re.findall(r"`([\w/]+?)/?`", CODE_MAP.read_text())
    folders = {relative(p.parent) for package in PACKAGES for p in (ROOT / package).rglob("*.py")}
    assert not folders - set(mapped)


@pytest.mark.parametrize("page", pages, ids=relative)
def test_links_and_pictures_of_a_page_are_there(page: Path) -> None:
    text = without_code(page.read_text())
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'\b(?:src|href)="([^"]+)"', text)
    local = [target for target in targets if not re.match(r"https?:", target)]
    assert not [target for target in local if not resolves(page, target)]


def resolves(page: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    path = (page.parent / name).resolve() if name else page
    if not path.is_relative_to(ROOT) or not path.exists():
        return False
    return not anchor or anchor in anchors(path)


def anchors(page: Path) -> set[str]:
    """Names of a page's headings as links spell them."""
    headings = re.findall(r"^#+ (.+)$", without_code(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def without_code(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", user_pages, ids=relative)
def test_user_pages_tell_no_history(page: Path) -> None:
    wrong = [line for line in page.read_text().splitlines() if FORBIDDEN.search(line)]
    assert not wrong


@pytest.mark.parametrize("page", sorted((DOCS / "artist").glob("*.md")), ids=relative)
def test_pages_for_artists_link_to_pages_for_artists(page: Path) -> None:
    targets = re.findall(r"\]\(([^)\s#]+)", without_code(page.read_text()))
    assert not [t for t in targets if t.endswith((".md", ".json", ".py")) and "/" in t]


@pytest.mark.parametrize("page", pages, ids=relative)
def test_pages_are_wrapped_and_name_no_registry(page: Path) -> None:
    text = page.read_text()
    assert not REGISTRY_HOSTS.search(text)
    prose = [line for line in without_code(text).splitlines() if not line.lstrip().startswith(("|", "!", "<"))]
    assert not [line for line in prose if len(line) > MAX_WIDTH]


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*/*.md")), ids=relative)
def test_every_page_is_on_the_index(page: Path) -> None:
    assert f"]({page.relative_to(DOCS)})" in (DOCS / "index.md").read_text()


def test_the_readme_is_short_and_names_the_two_commands() -> None:
    lines = README.read_text().splitlines()
    assert len(lines) <= MAX_README_LINES
    assert "bash .ci/demo" in lines
    assert "bash .ci/test" in lines


# --- code on pages ----------------------------------------------------------------------------------------------


def python_blocks(page: Path) -> list[ast.Module]:
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [ast.parse(block) for block in blocks]


@pytest.mark.parametrize("page", user_pages, ids=relative)
def test_what_examples_import_is_there(page: Path) -> None:
    imports = [
        (node.module, alias.name)
        for block in python_blocks(page)
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PACKAGES
        for alias in node.names
    ]
    assert not [(module, name) for module, name in imports if not hasattr(importlib.import_module(module), name)]


@pytest.mark.parametrize("page", user_pages, ids=relative)
def test_operators_in_examples_are_there_with_their_parameters(page: Path) -> None:
    operators = operators_in_code()
    for block in python_blocks(page):
        for node in ast.walk(block):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("bpy.ops.relightify."):
                name = ast.unparse(node.func).removeprefix("bpy.ops.relightify.")
                assert {keyword.arg for keyword in node.keywords} <= operators[name], name


def test_the_prior_of_the_page_can_be_called_as_priors_are() -> None:
    from backend.prior.interface import Prior  # Blender's Python imports this module, and has no backend

    (block,) = python_blocks(ADDING_A_PRIOR)
    names: dict[str, type] = {}
    exec(compile(block, str(ADDING_A_PRIOR), "exec"), names)
    wanted = {name for name, value in vars(Prior).items() if isinstance(value, property)}
    assert wanted
    assert not {name for name in wanted if not hasattr(names["MyPrior"], name)}
    taken = list(inspect.signature(names["MyPrior"].complete).parameters)
    assert taken == list(inspect.signature(Prior.complete).parameters)


def test_the_stages_of_the_architecture_are_there() -> None:
    rows = re.findall(r"^\|[^|]*\| (`[a-z_]+\.[^|]*) \|", ARCHITECTURE.read_text(), re.MULTILINE)
    calls = re.findall(r"`((?:[a-z_]+\.)+)(\w+)(?:\.\w+)?\(", " ".join(rows))
    assert len(calls) >= 8
    modules = [(importlib.import_module(f"backend.{path.rstrip('.')}"), name) for path, name in calls]
    assert not [(module, name) for module, name in modules if not hasattr(module, name)]
