"""The offline bundle: what goes into it for which machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import build_addon
from blender_addon.install.bundle import check_bundle, read_bundle
from blender_addon.install.variants import TORCH
from release import bundle
from release.bundle import BundleOptions, make_bundle, needed_packages, torch_requirement
from release.wheels import BuildError

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "install_packages.txt"
# What MediaPipe draws, plots, records and shows, and what serves that; and transfers that no job makes.
LEFT_OUT = {
    *("matplotlib", "contourpy", "cycler", "fonttools", "kiwisolver", "pyparsing", "python-dateutil", "tzdata", "six"),
    *("sounddevice", "cffi", "pycparser", "hf-xet"),
}
WITHOUT_WINDOWS = {"opencv-contrib-python": "opencv-contrib-python-headless"}


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, str, bool]]:
    """What was asked for: requirement, Python, with what it asks for."""
    asked: list[tuple[str, str, bool]] = []

    def download(
        requirements: Sequence[str], folder: Path, tags: object, version: str, *options: str, deps: bool = False
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for requirement in requirements:
            asked.append((requirement, version, deps))
            (folder / f"{re.split('[=<>]', requirement)[0]}-{version}.whl").write_bytes(b"wheel")

    model = tmp_path / "face_landmarker.task"
    model.write_bytes(b"model")
    segmenter = tmp_path / "selfie_multiclass_256x256.tflite"
    segmenter.write_bytes(b"weights")
    monkeypatch.setattr(bundle, "download", download)
    monkeypatch.setattr(bundle, "fetched_model", lambda wanted: model if wanted.name == model.name else segmenter)
    return asked


def test_bundle_holds_everything_and_is_accepted_by_the_add_on(downloads: list[Any], tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    make_bundle(folder, BundleOptions("linux-x64", ("3.11", "3.13")), PACKAGES, "0.1.0")
    made = read_bundle(folder)
    check_bundle(made, "3.13.2", "linux-x64")
    assert {"models/face_landmarker.task", "models/selfie_multiclass_256x256.tflite"} <= made.files.keys()
    for version in ("3.11", "3.13"):
        wanted = {name for name, python, _ in downloads if python == version}
        assert {f"{TORCH}+cpu", "pip>=24.1"} <= wanted
        assert {line for line in needed_packages(PACKAGES.read_text(), "linux-x64")} <= wanted
    assert not any(deps for _, _, deps in downloads), "what the list names is all that is taken"


def test_graphics_cards_libraries_come_along(downloads: list[Any], tmp_path: Path) -> None:
    make_bundle(tmp_path / "b", BundleOptions("linux-x64", ("3.11",), "cuda"), PACKAGES, "0.1.0")
    assert (TORCH, "3.11", True) in downloads


@pytest.mark.parametrize(
    ("options", "requirement"),
    [
        (BundleOptions("linux-x64", ("3.11",)), f"{TORCH}+cpu"),
        (BundleOptions("linux-x64", ("3.11",), torch_index="file:///wheels"), TORCH),
        (BundleOptions("linux-x64", ("3.11",), "cuda"), TORCH),
        (BundleOptions("windows-x64", ("3.11",)), TORCH),
        (BundleOptions("macos-arm64", ("3.11",), "apple"), TORCH),
    ],
)
def test_build_of_pytorch_is_the_right_one(options: BundleOptions, requirement: str) -> None:
    assert torch_requirement(options) == requirement


def test_folder_with_something_in_it_is_left_alone(downloads: list[Any], tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(BuildError, match="not empty"):
        make_bundle(tmp_path, BundleOptions("linux-x64", ("3.11",)), PACKAGES, "0.1.0")


def test_lines_for_other_systems_do_not_count() -> None:
    text = '# a comment\na==1\n\nb==2; sys_platform == "win32"\n'
    assert needed_packages(text, "linux-x64") == ["a==1"]
    assert needed_packages(text, "windows-x64") == ["a==1", "b==2"]
    with pytest.raises(BuildError, match="not understood"):
        needed_packages('c==3; python_version < "3.12"', "linux-x64")


def test_bundle_is_for_one_platform(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert build_addon.main(["--platform", "all", "--offline-bundle", str(tmp_path / "b")]) == 2
    assert "one platform" in capsys.readouterr().err


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needed_by(names: Sequence[str]) -> set[str]:
    """Everything that packages need, by what is installed here."""
    requirements = pytest.importorskip("packaging.requirements")
    found: set[str] = set()
    waiting = [canonical(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for text in metadata.requires(name) or ():
            requirement = requirements.Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(canonical(requirement.name))
    return found


def listed() -> dict[str, str]:
    return dict(line.split("==") for line in needed_packages(PACKAGES.read_text(), "linux-x64"))


def test_list_holds_all_that_the_backend_needs_but_what_it_never_runs() -> None:
    project = build_addon.tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = needed_by([re.split(r"[<>=]", name)[0] for name in project["dependencies"]])
    wanted = {WITHOUT_WINDOWS.get(name, name) for name in needed - LEFT_OUT - {"torch"}}
    assert set(listed()) == wanted


def test_list_has_the_versions_that_the_tests_run_with() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    tested = {canonical(name): version for name, _, version in (line.partition("==") for line in lines) if version}
    tested |= {headless: tested[name] for name, headless in WITHOUT_WINDOWS.items()}
    known = {name: version for name, version in listed().items() if name in tested}
    assert known == {name: tested[name] for name in known}
    # pip leaves its own tools out of what it lists.
    assert set(listed()) - set(known) <= {"setuptools"}
    assert f"torch=={tested['torch']}" == TORCH
