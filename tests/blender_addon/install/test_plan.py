"""What an installation would do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from blender_addon.install.machine import FoundPython, Gpu, GpuKind, Survey
from blender_addon.install.plan import GIB, TORCH, VARIANTS, SetupOptions, check, plan, torch_attempts
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


def test_too_little_disk_is_said_before_anything_is_downloaded(options: SetupOptions) -> None:
    with pytest.raises(RelightifyError, match=r"8\.5 GB of disk space, but only 3\.0 GB") as caught:
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


def test_no_command_names_a_host(options: SetupOptions) -> None:
    for kind, variant in VARIANTS.items():
        for platform in ("linux", "darwin", "win32"):
            steps = plan(options, Path("python"), variant, platform)
            words = [word for step in steps for attempt in step.attempts for command in attempt for word in command]
            assert not [word for word in words if "://" in word], (kind, platform)
