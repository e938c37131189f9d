"""The extension's zip: what is in it, and that the same sources give the same bytes."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import blender_addon
import build_addon
from release import wheels as wheels_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def wheels(tmp_path: Path) -> list[Path]:
    """Files that pass for wheels, so that these tests need no network."""
    names = ["msgpack-1-cp311-cp311-any.whl", "pyzmq-1-cp311-cp311-any.whl"]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    return [tmp_path / name for name in names]


@pytest.mark.parametrize("platform", sorted(wheels_of.PLATFORMS))
def test_manifest_names_platform_and_wheels(platform: str, wheels: list[Path], tmp_path: Path) -> None:
    path = build_addon.build_zip(platform, wheels, None, tmp_path / "dist")
    with zipfile.ZipFile(path) as archive:
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
        names = set(archive.namelist())
    assert manifest["platforms"] == [platform]
    assert [w.removeprefix("./") for w in manifest["wheels"]] == [f"wheels/{w.name}" for w in wheels]
    assert {w.removeprefix("./") for w in manifest["wheels"]} <= names
    assert path.name == f"relightify-{manifest['version']}-{platform}.zip"
    assert manifest["permissions"]


def test_zip_holds_the_add_on_and_shared_but_no_backend_code_or_caches(wheels: list[Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(build_addon.build_zip("linux-x64", wheels, None, tmp_path)) as archive:
        names = archive.namelist()
    assert {"__init__.py", "ui/operators/photo.py", "shared/__init__.py", "shared/protocol.py", "LICENSE"} <= set(names)
    assert not [n for n in names if "__pycache__" in n or n.endswith(".pyc") or n.startswith("backend/")]


def test_same_sources_give_the_same_bytes(wheels: list[Path], tmp_path: Path) -> None:
    first, second = (build_addon.build_zip("linux-x64", wheels, None, tmp_path / n).read_bytes() for n in "ab")
    assert first == second


def test_versions_agree() -> None:
    manifest = tomllib.loads((ROOT / "blender_addon" / "blender_manifest.toml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert manifest["version"] == blender_addon.VERSION == project["project"]["version"]


def test_every_module_of_shared_can_be_bundled() -> None:
    """Inside the zip there is no top-level package called shared."""
    for path in sorted((ROOT / "shared").glob("*.py")):
        assert not re.search(r"^\s*(from|import) shared\b", path.read_text(), re.MULTILINE), path.name


def test_add_on_reaches_shared_through_one_door() -> None:
    for path in sorted((ROOT / "blender_addon").rglob("*.py")):
        if path.name != "_shared.py":
            assert not re.search(r"^\s*(from|import) \.*shared\b", path.read_text(), re.MULTILINE), path.name


def test_only_compat_asks_for_blenders_version() -> None:
    for path in sorted((ROOT / "blender_addon").rglob("*.py")):
        if path.name != "compat.py":
            assert "app.version" not in path.read_text(), path.name


def test_offline_without_wheels_is_a_plain_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wheels_of, "CACHE", tmp_path / "nothing")
    assert build_addon.main(["--offline", "--no-backend", "--out", str(tmp_path)]) == 1
    assert "without --offline" in capsys.readouterr().err


def test_any_python_makes_the_zip_without_a_package() -> None:
    command = [sys.executable, "-S", str(ROOT / "build_addon.py"), "--help"]
    subprocess.run(command, check=True, capture_output=True)
