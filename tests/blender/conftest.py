# ruff: noqa: E402
"""Runs inside Blender (bpy): builds the zip, installs it as a user would, and takes it off again at the end."""

from __future__ import annotations

import hashlib
import importlib
import os
import pickle
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# Before Blender is loaded, or it writes into the home folder.
_USER_FOLDER = tempfile.TemporaryDirectory(prefix="relightify-blender-")
os.environ["BLENDER_USER_RESOURCES"] = _USER_FOLDER.name
os.environ["RELIGHTIFY_CACHE"] = str(Path(_USER_FOLDER.name) / "cache")

import bpy  # isort: skip  (brings the next one along)
import addon_utils
import pytest

from tests.blender import finished_job
from tests.blender.fake_backend import FakeBackend

ROOT = Path(__file__).resolve().parents[2]
MODULE = "bl_ext.user_default.relightify"
# What the tests call without an operator.
ROOMS = {
    "install": "machine plan run",
    "link": "choice jobs session",
    "anatomy": "geometry",
    "body": "attaching humans",
    "scene": "colour default_scene images importer heads likeness mesh neck world photos.head_photos "
    "photos.photo_source renewing.head_fit renewing.replacing renewing.reshaping renewing.whole_head",
    "skeleton": "armature following",
    "export": "surfaces",
    "light": "rigs turntable worlds",
    "expression": "arkit_csv face_recording",
    "ui": "fit_editing fit_overlay layout previews",
}


EXIT_STATUS = pytest.StashKey[int]()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[EXIT_STATUS] = int(exitstatus)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Blender 4.2 as a module crashes when Python ends after a glTF export, our add-on or not."""
    if bpy.app.version < (4, 3) and EXIT_STATUS in config.stash:
        _USER_FOLDER.cleanup()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[EXIT_STATUS])


def empty_scene() -> None:
    bpy.ops.wm.read_homefile(use_empty=True)


def remember_prepared_heads() -> None:
    """Prepare each of the few heads of the tests once: nothing else of an import takes as long, nor needs Blender."""
    made: dict[bytes, Any] = {}
    users: list[Any] = [
        importlib.import_module(f"{MODULE}.{name}") for name in ("scene.importer", "ui.operators.arrival")
    ]
    prepare = users[0].prepare_head

    def prepare_head(mesh: Any) -> Any:
        key = hashlib.sha256(pickle.dumps(mesh)).digest()
        if key not in made:
            made[key] = prepare(mesh)
        return made[key]

    for module in users:
        module.prepare_head = prepare_head


@pytest.fixture(scope="session")
def zip_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension's zip for this platform, without the backend's wheel."""
    sys.path.insert(0, str(ROOT))
    import build_addon

    out = tmp_path_factory.mktemp("zip")
    assert build_addon.main(["--no-backend", "--out", str(out)]) == 0
    return next(out.glob("*.zip"))


@pytest.fixture(scope="session")
def installed(zip_file: Path) -> Iterator[SimpleNamespace]:
    """The modules of the installed and enabled extension by room and name."""
    bpy.ops.extensions.package_install_files(filepath=str(zip_file), repo="user_default", enable_on_install=True)
    assert addon_utils.check(MODULE)[1], "the extension could not be enabled"
    rooms: dict[str, SimpleNamespace] = {}
    for room, names in ROOMS.items():
        modules = {name.split(".")[-1]: importlib.import_module(f"{MODULE}.{room}.{name}") for name in names.split()}
        rooms[room] = SimpleNamespace(**modules)
    top = {name: importlib.import_module(f"{MODULE}.{name}") for name in ("_shared", "compat")}
    remember_prepared_heads()
    yield SimpleNamespace(**rooms, **top)
    # Blender 4.2 crashes and 4.5 hangs at exit with an add-on still registered.
    if addon_utils.check(MODULE)[1]:
        addon_utils.disable(MODULE)


@pytest.fixture
def addon(installed: SimpleNamespace) -> Iterator[SimpleNamespace]:
    """The extension, with an empty scene."""
    empty_scene()
    if not addon_utils.check(MODULE)[1]:
        addon_utils.enable(MODULE)
    yield installed
    session = installed.link.session.session_of(bpy.context)
    session.release()
    session.wait_for_release()


@pytest.fixture(scope="module")
def imported(installed: SimpleNamespace) -> object:
    """The finished job's head, alone in the scene, for tests that only look at it."""
    empty_scene()
    return installed.scene.importer.import_head(
        bpy.context.scene, "Ada", finished_job.head_mesh(), finished_job.maps(), finished_job.photo()
    )


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[FakeBackend]:
    """A running backend that needs no models."""
    fake = FakeBackend(tmp_path / "connection.json")
    yield fake
    fake.close()


@pytest.fixture
def connected(addon: SimpleNamespace, backend: FakeBackend) -> Iterator[FakeBackend]:
    """The running backend, chosen in the preferences while the test runs."""
    preferences = bpy.context.preferences.addons[MODULE].preferences
    preferences.backend = "CONNECT"
    preferences.connection_file = str(backend.path)
    yield backend
    for name in ("backend", "connection_file"):
        preferences.property_unset(name)


@pytest.fixture
def photo_file(tmp_path: Path) -> Path:
    path = tmp_path / "Grace Hopper.png"
    path.write_bytes(finished_job.photo())
    return path


@pytest.fixture
def photos(tmp_path: Path) -> list[str]:
    """Files of three photos of a person."""
    return finished_job.write_photos(tmp_path, ("front", "left", "right"))


@pytest.fixture
def settings(addon: SimpleNamespace) -> Iterator[Any]:
    """The scene's, with no job of an earlier test in the list."""
    session = addon.link.session.session_of(bpy.context)
    session.forget_ended()
    yield bpy.context.scene.relightify
    session.forget_ended()
