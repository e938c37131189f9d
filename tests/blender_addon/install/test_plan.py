"""What an installation would do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from blender_addon.install.bundle import this_platform
from blender_addon.install.bundle_format import DESCRIPTION
from blender_addon.install.machine import FoundPython, Gpu, Survey
from blender_addon.install.plan import (
    SetupOptions,
    backend_attempts,
    check,
    plan,
    torch_attempts,
)
from blender_addon.install.variants import GIB, TORCH, VARIANTS, GpuKind
from shared.errors import RelightifyError


@pytest.fixture
def options(tmp_path: Path) -> SetupOptions:
    wheel = tmp_path / "relightify-1.0-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    return SetupOptions(tmp_path / "backend", wheel)


def surveyed(kind: GpuKind = "none", free_gib: float = 100.0) -> Survey:
    return Survey(Gpu(kind, "a card"), FoundPython(Path("/usr/bin/python3.11"), "3.11.9"), int(free_gib * GIB))


def test_gpu_decides_the_build_unless_the_user_does(options: SetupOptions) -> None:
    assert check(options, surveyed("cuda")) is VARIANTS["cuda"]
    assert check(replace(options, variant="none"), surveyed("cuda")) is VARIANTS["none"]


def test_what_an_earlier_try_has_installed_needs_no_more_room(options: SetupOptions) -> None:
    with pytest.raises(RelightifyError):
        check(options, surveyed("none", 1.6))
    options.folder.mkdir()
    with (options.folder / "torch.bin").open("wb") as file:
        file.truncate(int(0.2 * GIB))
    check(options, surveyed("none", 1.6))


def test_too_little_disk_is_said_before_anything_is_downloaded(options: SetupOptions) -> None:
    with pytest.raises(RelightifyError, match=r"8\.0 GB of disk space, but only 3\.0 GB") as caught:
        check(options, surveyed("cuda", 3.0))
    assert caught.value.code == "disk_full"
    assert check(options, surveyed("none", 3.0)).kind == "none"


def test_missing_python_and_missing_wheel_are_plain_errors(options: SetupOptions) -> None:
    with pytest.raises(RelightifyError) as caught:
        check(options, replace(surveyed(), python=None))
    assert caught.value.code == "no_python"
    options.wheel.unlink()
    with pytest.raises(RelightifyError) as caught:
        check(options, surveyed())
    assert caught.value.code == "no_wheel"


def test_missing_libraries_are_said_before_anything_is_downloaded(options: SetupOptions) -> None:
    survey = replace(surveyed(), missing_libraries=("libEGL.so.1", "libGL.so.1"))
    with pytest.raises(RelightifyError, match=r"libEGL\.so\.1 and libGL\.so\.1") as caught:
        check(options, survey)
    assert caught.value.code == "missing_library"
    assert "install" in caught.value.hint


@pytest.mark.parametrize(
    ("platform", "kind"), [("linux", "cuda"), ("darwin", "apple"), ("darwin", "none"), ("win32", "none")]
)
def test_build_of_the_usual_index_is_taken_where_it_is_the_right_one(
    options: SetupOptions, platform: str, kind: str
) -> None:
    ((command,),) = torch_attempts(options, "python", VARIANTS[kind], platform)
    assert command[-1] == TORCH
    assert "--index-url" not in command


def test_linux_without_a_gpu_never_downloads_the_cuda_build(options: SetupOptions) -> None:
    by_version, by_uv = torch_attempts(options, "python", VARIANTS["none"], "linux")
    assert by_version[-1][-1] == f"{TORCH}+cpu", "a local version: no other build has it"
    assert by_uv[-1][by_uv[-1].index("--torch-backend") + 1] == "cpu"


@pytest.mark.parametrize(("platform", "kind"), [("linux", "rocm"), ("win32", "cuda")])
def test_builds_that_the_usual_index_lacks_come_by_the_driver(options: SetupOptions, platform: str, kind: str) -> None:
    ((_, command),) = torch_attempts(options, "python", VARIANTS[kind], platform)
    assert command[command.index("--torch-backend") + 1] == "auto"


def test_named_index_is_used_for_pytorch_alone(options: SetupOptions) -> None:
    options = replace(options, torch_index="file:///wheels")
    steps = plan(options, Path("/usr/bin/python3.11"), VARIANTS["none"], "linux")
    commands = [command for step in steps for attempt in step.attempts for command in attempt]
    with_index = [command for command in commands if "file:///wheels" in command]
    assert len(with_index) == 1
    assert with_index[0][-1] == TORCH


def test_everything_the_first_job_needs_is_fetched_at_the_installation(options: SetupOptions) -> None:
    steps = plan(options, Path("/usr/bin/python3.11"), VARIANTS["none"], "linux")
    assert [step.attempts[-1][-1][-1] for step in steps[-2:]] == ["fetch", "doctor"]
    assert sum(step.share for step in steps) == pytest.approx(1.0)


def test_listed_packages_are_installed_as_they_are_and_pips_own_way_is_the_second(options: SetupOptions) -> None:
    options = replace(options, packages=Path("packages.txt"), constraints=Path("constraints.txt"))
    alone, usual, free = backend_attempts(options, "python")
    assert all("--no-deps" in command for command in alone)
    assert [command[-1] for command in alone] == ["packages.txt", str(options.wheel)]
    assert "constraints.txt" in usual[0]
    assert "--no-deps" not in free[0]


def test_new_pip_is_wanted_by_its_version_so_that_a_dead_network_is_not_taken_for_a_new_pip(
    options: SetupOptions,
) -> None:
    """Asked to upgrade without a network, pip says "already satisfied" and succeeds."""
    update = plan(options, Path("python"), VARIANTS["none"], "linux")[1]
    assert update.attempts[0][0][-1].startswith("pip>=")
    assert update.attempts[-1][0][-1] == "--version", "an old pip has to do"


@pytest.fixture
def offline(options: SetupOptions, tmp_path: Path) -> SetupOptions:
    folder = tmp_path / "bundle"
    folder.mkdir()
    content = {"platform": this_platform(), "pythons": ["3.11"], "variant": "cuda", "version": "1", "files": {}}
    (folder / DESCRIPTION).write_text(json.dumps(content))
    return replace(options, bundle=folder, packages=Path("packages.txt"))


def test_offline_bundle_asks_no_network_for_anything(offline: SetupOptions) -> None:
    assert check(offline, surveyed()) is VARIANTS["cuda"], "the bundle holds one build"
    for platform in ("linux", "darwin", "win32"):
        steps = plan(offline, Path("python"), VARIANTS["cuda"], platform)
        commands = [command for step in steps for attempt in step.attempts for command in attempt]
        installs = [command for command in commands if "install" in command]
        assert len(installs) >= 4
        for command in installs:
            assert "--no-index" in command
            assert command[command.index("--find-links") + 1] == str(offline.bundle / "wheels")  # type: ignore
        (fetch,) = [command for command in commands if "fetch" in command]
        assert fetch[-2:] == ("--from", str(offline.bundle / "models"))  # type: ignore[operator]
        assert not [command for command in commands if "uv" in command]


def test_bundle_that_does_not_fit_is_said_ahead_of_everything(offline: SetupOptions) -> None:
    survey = replace(surveyed(), python=FoundPython(Path("python3.13"), "3.13.1"))
    with pytest.raises(RelightifyError) as caught:
        check(offline, survey)
    assert caught.value.code == "bad_bundle"


def test_no_command_names_a_host(options: SetupOptions) -> None:
    for kind, variant in VARIANTS.items():
        for platform in ("linux", "darwin", "win32"):
            steps = plan(options, Path("python"), variant, platform)
            words = [word for step in steps for attempt in step.attempts for command in attempt for word in command]
            assert not [word for word in words if "://" in word], (kind, platform)
