"""The zip: validated by Blender, installed, taken off again without a trace."""

from __future__ import annotations

import subprocess
import sys
import threading
import tomllib
import zipfile
from pathlib import Path
from types import SimpleNamespace

import bpy  # isort: skip  (brings the next one along)
import addon_utils
import pytest

from tests.blender.conftest import MODULE


def test_blender_validates_the_zip(zip_file: Path) -> None:
    tool = Path(bpy.utils.system_resource("SCRIPTS")) / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"
    done = subprocess.run([sys.executable, "-I", str(tool), "validate", str(zip_file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_extension_brings_its_own_shared_package(addon: SimpleNamespace) -> None:
    assert addon._shared.HeadMesh.__module__ == f"{MODULE}.shared.head_mesh"


def test_disabling_leaves_nothing_and_enabling_brings_it_back(addon: SimpleNamespace) -> None:
    assert hasattr(bpy.ops.relightify, "reconstruct")
    addon_utils.disable(MODULE)
    assert not hasattr(bpy.types.Scene, "relightify")
    assert not hasattr(bpy.types.WindowManager, "relightify_session")
    left = [n for n in dir(bpy.types) if n.startswith(("RELIGHTIFY", "Relightify"))]
    assert left == []
    assert not [t for t in threading.enumerate() if t.name == "relightify link"]
    addon_utils.enable(MODULE)
    assert hasattr(bpy.types.WindowManager, "relightify_session")


def test_panels_are_in_the_tab_face(addon: SimpleNamespace) -> None:
    panels = [getattr(bpy.types, n) for n in dir(bpy.types) if n.startswith("RELIGHTIFY_PT")]
    assert {"RELIGHTIFY_PT_main", "RELIGHTIFY_PT_relight", "RELIGHTIFY_PT_expression"} <= {p.__name__ for p in panels}
    assert {p.bl_category for p in panels} == {"Face"}


@pytest.mark.parametrize("minor", [11, 12, 13, 14, 15, 16, 17])
def test_every_python_gets_one_wheel_of_each_dependency(
    zip_file: Path, monkeypatch: pytest.MonkeyPatch, minor: int
) -> None:
    """By Blender's own choice, which it makes by file names; of two that fit, the one that sorts last would win."""
    from bl_pkg.bl_extension_ops import _extensions_wheel_filter_for_this_system

    with zipfile.ZipFile(zip_file) as archive:
        wheels = tomllib.loads(archive.read("blender_manifest.toml").decode())["wheels"]
    monkeypatch.setattr(sys, "version_info", (3, minor, 0, "final", 0))
    names = [wheel.rpartition("/")[2].split("-") for wheel in _extensions_wheel_filter_for_this_system(wheels)]
    assert sorted(name[0] for name in names) == ["msgpack", "pyzmq"]
    (python,) = [name[2] for name in names if name[0] == "msgpack"]
    assert f"3{minor}" in python


def test_extension_counts_as_made_for_every_python(zip_file: Path) -> None:
    """Blender takes an extension for incompatible with a version that none of its wheels names."""
    from bl_pkg.cli.blender_ext import python_versions_from_wheels

    with zipfile.ZipFile(zip_file) as archive:
        wheels = tomllib.loads(archive.read("blender_manifest.toml").decode())["wheels"]
    assert {(3, minor) for minor in range(11, 18)} <= set(python_versions_from_wheels(wheels))
