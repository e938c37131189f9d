"""What Blender's extensions platform asks and a program can check (docs/developer/publish.md)."""

from __future__ import annotations

import ast
import re
import tomllib
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import build_addon
from blender_addon.links import known_links
from release.wheels import BuildError

ROOT = Path(__file__).resolve().parent.parent
ADDON = ROOT / "blender_addon"
MANIFEST = tomllib.loads((ADDON / "blender_manifest.toml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "developer" / "publish.md").read_text(encoding="utf-8")
PERMISSION_LETTERS = 64
ADDRESSES = (
    '[project]\n[project.urls]\nHomepage = "https://a.example"\nTracker = "https://a.example/issues"\nOther = "x"\n'
)


@cache
def sources() -> dict[Path, ast.Module]:
    """What the zip carries as source."""
    paths = [*ADDON.rglob("*.py"), *(ROOT / "shared").rglob("*.py")]
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(paths)}


def names_used() -> Iterator[tuple[Path, str]]:
    """Dotted names that the sources use, such as ``sys.path``."""
    for path, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute | ast.Name):
                yield path, ast.unparse(node)


def test_licence_and_copyright_holders_are_named() -> None:
    assert MANIFEST["license"] == ["SPDX:GPL-3.0-or-later"]
    assert all(re.fullmatch(r"\d{4}(-\d{4})? \S.*", holder) for holder in MANIFEST["copyright"])
    notices = (ROOT / "backend" / "assets" / "README.md").read_text(encoding="utf-8")
    for year, name in re.findall(r"Copyright \(c\) (\d{4}) ([\w ]*\w)", notices):
        assert f"{year} {name}" in MANIFEST["copyright"], "a source of the data that the manifest does not credit"


def test_name_is_ours_alone() -> None:
    assert "blender" not in MANIFEST["name"].lower()
    assert "blender" not in MANIFEST["tagline"].lower()


def test_permissions_are_those_that_are_used_in_words() -> None:
    used = {name for _, name in names_used()}
    needs = {
        "clipboard": any(name.endswith(".clipboard") for name in used),
        "files": any(name.endswith((".write_text", ".write_bytes", ".save_render", ".mkdir")) for name in used),
        "network": "bpy.app.online_access" in used,
        "camera": False,
        "microphone": False,
    }
    assert set(MANIFEST["permissions"]) == {name for name, needed in needs.items() if needed}
    for words in MANIFEST["permissions"].values():
        assert 20 <= len(words) <= PERMISSION_LETTERS
        assert words[0].isupper()
        assert words[-1].isalnum()


def test_installing_asks_whether_blender_may_go_online() -> None:
    """Each class that starts an installation does."""
    starts = [path for path, tree in sources().items() if "setup.install" in ast.unparse(tree)]
    assert starts
    for path in starts:
        assert "bpy.app.online_access" in path.read_text(encoding="utf-8"), path


def test_python_and_other_modules_are_left_as_they_are() -> None:
    forbidden = {"sys.path", "eval", "exec", "marshal", "os.system"}
    assert [(path.name, name) for path, name in names_used() if name in forbidden] == []


def test_add_on_names_itself_by_its_package() -> None:
    for path, tree in sources().items():
        literals = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        assert not [text for text in literals if text.startswith("bl_ext.") and text != "bl_ext."], path


def test_zip_carries_source_and_wheels_and_nothing_else(tmp_path: Path) -> None:
    wheel = tmp_path / "msgpack-1-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    with zipfile.ZipFile(build_addon.build_zip("linux-x64", [wheel], wheel, tmp_path / "dist")) as archive:
        names = archive.namelist()
    assert "blender_manifest.toml" in names
    allowed = re.compile(
        r".*\.py|wheels/.*\.whl|backend/(.*\.whl|(constraints|packages)\.txt)|LICENSE|.*\.toml|(anatomy|scene)/\w+\.npz"
    )
    assert [name for name in names if not allowed.fullmatch(name)] == []


def test_addresses_come_from_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(ADDRESSES)
    links = build_addon.project_links(pyproject)
    assert links == {"Homepage": "https://a.example", "Tracker": "https://a.example/issues"}
    monkeypatch.setattr(build_addon, "project_links", lambda: links)
    path = build_addon.build_zip("linux-x64", [], None, tmp_path / "dist")
    with zipfile.ZipFile(path) as archive:
        assert tomllib.loads(archive.read("blender_manifest.toml").decode())["website"] == "https://a.example"
        archive.extract("links.json", tmp_path / "addon")
    assert known_links(tmp_path / "addon") == (
        ("Website", "https://a.example"),
        ("Report a Problem", "https://a.example/issues"),
    )


def test_no_address_is_made_up(tmp_path: Path) -> None:
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"].get("urls", {})
    with zipfile.ZipFile(build_addon.build_zip("linux-x64", [], None, tmp_path)) as archive:
        built = tomllib.loads(archive.read("blender_manifest.toml").decode())
        assert ("links.json" in archive.namelist()) == bool(urls)
    assert built.get("website") == urls.get("Homepage")
    assert known_links() == ()


@pytest.mark.parametrize("address", ["http://a.example", "a.example", 'https://a.example/"x', "https://"])
def test_address_that_is_none_is_refused(address: str, tmp_path: Path) -> None:
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(f"[project.urls]\nHomepage = '{address}'\n")
    with pytest.raises(BuildError, match="no https address"):
        build_addon.project_links(pyproject)


def test_every_point_of_the_page_says_whether_it_holds() -> None:
    table = PAGE.partition("## What the platform asks")[2].partition("## ")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")][2:]
    assert len(rows) >= 20
    assert {row[1] for row in rows} == {"yes", "no", "at upload"}
