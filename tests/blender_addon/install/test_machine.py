"""What is found out about a machine before the backend is installed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from blender_addon.install import machine
from blender_addon.install.machine import (
    find_gpu,
    find_missing_libraries,
    find_python,
    free_bytes,
    look_at_python,
    run_quietly,
)
from shared.system_libraries import SystemLibrary


def silent(command: Sequence[str]) -> str | None:
    """No program is there."""
    del command


def test_nvidia_card_is_named(tmp_path: Path) -> None:
    gpu = find_gpu("linux", "x86_64", lambda command: "NVIDIA GeForce RTX 4070\nNVIDIA T4\n", tmp_path)
    assert (gpu.kind, gpu.name) == ("cuda", "NVIDIA GeForce RTX 4070")


@pytest.mark.parametrize(
    ("vendor", "driver", "kind"), [("0x1002", True, "rocm"), ("0x1002", False, "none"), ("0x8086", True, "none")]
)
def test_amd_card_counts_only_with_its_compute_driver(tmp_path: Path, vendor: str, driver: bool, kind: str) -> None:
    device = tmp_path / "class" / "drm" / "card0" / "device"
    device.mkdir(parents=True)
    (device / "vendor").write_text(f"{vendor}\n")
    if driver:
        (tmp_path / "class" / "kfd").mkdir()
    assert find_gpu("linux", "x86_64", silent, tmp_path).kind == kind
    assert find_gpu("win32", "AMD64", silent, tmp_path).kind == "none", "PyTorch has no ROCm for Windows"


def test_apple_silicon_is_a_gpu_and_an_intel_mac_is_not() -> None:
    assert find_gpu("darwin", "arm64", silent).kind == "apple"
    assert find_gpu("darwin", "x86_64", silent).kind == "none"


def test_this_python_can_make_environments() -> None:
    found = look_at_python(Path(sys.executable))
    assert found is not None
    assert found.version == ".".join(map(str, sys.version_info[:3]))


@pytest.mark.parametrize("printed", [None, "", "nonsense", '[[3, 10, 4], "/usr"]', '[[3, 99, 0], "/usr"]'])
def test_python_that_cannot_be_used_is_passed_over(printed: str | None) -> None:
    assert look_at_python(Path("python"), lambda command: printed) is None


def test_chosen_python_is_not_replaced_by_another() -> None:
    assert find_python(Path("no-such-python")) is None


def test_program_that_is_not_there_prints_nothing() -> None:
    assert run_quietly(["no-such-program-anywhere"]) is None
    assert run_quietly([sys.executable, "-c", "raise SystemExit(3)"]) is None


def test_free_space_is_known_for_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "a" / "b") > 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems bring these libraries along")
def test_libraries_of_the_system_are_looked_for_by_loading_them(monkeypatch: pytest.MonkeyPatch) -> None:
    there, absent = SystemLibrary("libc.so.6", {}), SystemLibrary("libabsent.so.1", {})
    monkeypatch.setattr(machine, "INSTALL_LIBRARIES", (there, absent))
    assert find_missing_libraries(Path(sys.executable)) == ("libabsent.so.1",)


def test_other_systems_are_not_asked_for_libraries() -> None:
    def refuse(command: Sequence[str]) -> str | None:
        raise AssertionError(command)

    assert find_missing_libraries(Path("python"), refuse, "win32") == ()
    assert find_missing_libraries(Path("python"), refuse, "darwin") == ()


@pytest.mark.parametrize("printed", [None, "", "nonsense"])
def test_python_that_cannot_look_for_libraries_keeps_nobody_from_installing(printed: str | None) -> None:
    assert find_missing_libraries(Path("python"), lambda command: printed, "linux") == ()
