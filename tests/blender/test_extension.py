"""The zip: validated by Blender, installed, taken off again without a trace."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import bpy  # isort: skip  (brings the next one along)
import addon_utils

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
