"""Installing the backend from the preferences; what needs no network. `tests/blender_addon` tests the rest."""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import bpy
import pytest

from tests.blender.conftest import MODULE


@pytest.fixture
def preferences(addon: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Iterator[bpy.types.AddonPreferences]:
    """The add-on's preferences, with no backend set up."""
    monkeypatch.delenv("RELIGHTIFY_PYTHON", raising=False)
    preferences = bpy.context.preferences.addons[MODULE].preferences
    before = preferences.backend, bpy.context.preferences.system.use_online_access
    preferences.backend = "INSTALLED"
    yield preferences
    preferences.backend, bpy.context.preferences.system.use_online_access = before


@pytest.fixture
def installed_folder(addon: SimpleNamespace, preferences: object) -> Iterator[Path]:
    """What an installation would leave behind, without a backend in it."""
    folder = addon.link.choice.backend_folder()
    python = addon.install.plan.environment_python(folder)
    python.parent.mkdir(parents=True)
    python.write_text("")
    record = {"wheel": "relightify-0.0.1-py3-none-any.whl", "wheel_sha": "", "variant": "none"}
    (folder / addon.install.run.RECORD).write_text(json.dumps({**record, "base_python": "p", "size_bytes": 7}))
    yield folder
    addon.install.run.remove_folder(folder)


def test_nothing_is_downloaded_while_blender_is_offline(preferences: object) -> None:
    bpy.context.preferences.system.use_online_access = False
    assert not bpy.ops.relightify.install_backend.poll()
    with pytest.raises(RuntimeError, match="online access"):
        bpy.ops.relightify.install_backend()


def test_copy_without_a_backend_says_so(preferences: object) -> None:
    """The zip of the tests is made without the wheel."""
    bpy.context.preferences.system.use_online_access = True
    with pytest.raises(RuntimeError, match="does not hold the backend"):
        bpy.ops.relightify.install_backend()


def test_job_without_a_backend_leads_to_the_preferences(preferences: object, photo_file: Path) -> None:
    with pytest.raises(RuntimeError, match="Install Backend"):
        bpy.ops.relightify.reconstruct(filepath=str(photo_file))


def test_installed_backend_is_used_with_a_cache_of_its_own(
    addon: SimpleNamespace, installed_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RELIGHTIFY_CACHE")
    choice = addon.link.choice.backend_choice(bpy.context)
    assert choice.python is not None
    assert choice.python.is_relative_to(installed_folder)
    assert dict(choice.variables)["RELIGHTIFY_CACHE"] == str(installed_folder / "cache")
    assert addon.link.choice.backend_ready(bpy.context)


def test_backend_is_uninstalled(addon: SimpleNamespace, installed_folder: Path) -> None:
    assert bpy.ops.relightify.uninstall_backend() == {"FINISHED"}
    assert not installed_folder.exists()
    assert not addon.link.choice.backend_ready(bpy.context)
    with pytest.raises(RuntimeError, match="No backend is installed"):
        bpy.ops.relightify.uninstall_backend()


def test_backend_lies_where_blender_removes_it_with_the_extension(addon: SimpleNamespace) -> None:
    folder = addon.link.choice.backend_folder()
    assert folder.parent == Path(bpy.utils.extension_path_user(MODULE))


def test_offline_bundle_installs_while_blender_is_offline(
    addon: SimpleNamespace, preferences: bpy.types.AddonPreferences, tmp_path: Path
) -> None:
    bpy.context.preferences.system.use_online_access = False
    preferences.offline_bundle = str(tmp_path)
    try:
        assert bpy.ops.relightify.install_backend.poll()
        with pytest.raises(RuntimeError, match="does not hold the backend"):
            bpy.ops.relightify.install_backend()
    finally:
        preferences.offline_bundle = ""


def test_command_for_missing_libraries_is_copied(
    addon: SimpleNamespace, preferences: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = addon.link.session.session_of(bpy.context)
    machine = addon.install.machine
    found = machine.Survey(machine.Gpu("none"), None, 0)
    monkeypatch.setattr(session.setup, "survey", found)
    assert not bpy.ops.relightify.copy_command.poll()
    monkeypatch.setattr(session.setup, "survey", dataclasses.replace(found, missing_libraries=("libEGL.so.1",)))
    assert bpy.ops.relightify.copy_command() == {"FINISHED"}
    assert bpy.context.window_manager.clipboard in ("", addon._shared.install_command(("libEGL.so.1",)))


class Layout:
    """Stands for Blender's layout: remembers the texts and operators that are drawn, in all of its rows and boxes."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def __getattr__(self, name: str) -> object:
        def draw(*arguments: object, **options: object) -> Layout:
            self.told += [str(options["text"])] if options.get("text") else []
            self.told += [arguments[0]] if name == "operator" and isinstance(arguments[0], str) else []
            return self

        return draw


def drawing() -> ModuleType:
    return importlib.import_module(f"{MODULE}.ui.preferences.drawing")


class WideContext:
    """Blender's context with a region to draw in and a size of letters, which there is none of without a window."""

    region = SimpleNamespace(width=4000)

    @property
    def preferences(self) -> SimpleNamespace:
        return SimpleNamespace(addons=bpy.context.preferences.addons, system=SimpleNamespace(ui_scale=1.0))

    def __getattr__(self, name: str) -> object:
        return getattr(bpy.context, name)


@pytest.fixture
def drawn(preferences: bpy.types.AddonPreferences, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """What the preferences of a copy with a backend show."""
    monkeypatch.setattr(drawing(), "bundled_wheel", lambda: Path("relightify-0.1.0-py3-none-any.whl"))

    def draw() -> str:
        layout = Layout()
        names = ("backend", "variant", "show_advanced", "show_log")
        shown = SimpleNamespace(layout=layout, **{name: getattr(preferences, name) for name in names})
        drawing().draw(shown, WideContext())
        return "\n".join(layout.told)

    return draw


def test_preferences_show_what_is_missing_ahead_of_the_installation(
    addon: SimpleNamespace, drawn: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, session = addon.install.machine, addon.link.session.session_of(bpy.context)
    survey = machine.Survey(machine.Gpu("none"), None, 50 * 2**30)
    monkeypatch.setattr(session.setup, "survey", survey)
    assert "libEGL" not in drawn()
    monkeypatch.setattr(session.setup, "survey", dataclasses.replace(survey, missing_libraries=("libEGL.so.1",)))
    shown = drawn()
    assert "This system lacks libEGL.so.1" in shown
    assert "relightify.copy_command" in shown


def test_preferences_show_the_minutes_left(
    addon: SimpleNamespace, drawn: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, session = addon.install.run, addon.link.session.session_of(bpy.context)
    state = run.SetupState(run.Phase.INSTALLING, "Installing PyTorch", fraction=0.25, seconds_left=240.0)
    monkeypatch.setattr(session.setup, "state", state)
    shown = drawn()
    assert "Installing PyTorch  25%" in shown
    assert "about 4 min left" in shown


def test_failed_installation_offers_to_go_on_or_to_start_over(
    addon: SimpleNamespace, drawn: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, run, session = addon.install.machine, addon.install.run, addon.link.session.session_of(bpy.context)
    error = addon._shared.RelightifyError("no_network", "The proxy wants a password.", "Ask for it.")
    monkeypatch.setattr(session.setup, "survey", machine.Survey(machine.Gpu("none"), None, 50 * 2**30))
    monkeypatch.setattr(session.setup, "state", run.SetupState(run.Phase.FAILED, error=error))
    shown = drawn()
    assert "Try Again" in shown
    assert "The proxy wants a password." in shown
    assert "Start Over" not in shown, "nothing is done yet"
    monkeypatch.setattr(drawing(), "begun", lambda folder: True)
    assert "Start Over" in drawn()
