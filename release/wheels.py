"""The wheels of the add-on's two dependencies, pyzmq and msgpack, for a platform and the Pythons of Blender."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CACHE = Path(__file__).resolve().parents[1] / "build" / "wheels"
REQUIREMENTS = ("pyzmq==27.3.0", "msgpack==1.2.4")
PYTHON_VERSIONS = ("3.11", "3.13")

# Blender's names of the platforms, and the wheel tags that run there, newest first.
PLATFORMS: dict[str, tuple[str, ...]] = {
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "windows-x64": ("win_amd64",),
    "macos-arm64": ("macosx_11_0_arm64", "macosx_10_15_universal2", "macosx_10_9_universal2"),
    "macos-x64": ("macosx_10_15_x86_64", "macosx_10_9_x86_64", "macosx_10_15_universal2", "macosx_10_9_universal2"),
}


class BuildError(Exception):
    """Something that keeps the zip from being made, in words for whoever runs this."""


def this_platform() -> str:
    """Blender's name of the platform that this runs on."""
    if sys.platform == "win32":
        return "windows-x64"
    if sys.platform == "darwin":
        return "macos-arm64" if os.uname().machine == "arm64" else "macos-x64"
    return "linux-x64"


def dependency_wheels(platform: str, offline: bool = False) -> list[Path]:
    """Wheels of the add-on's two dependencies for every Python that Blender has, fetched once and kept.

    Raises:
        BuildError: a wheel is neither in the cache nor to be had.
    """
    wheels: dict[str, Path] = {}
    for version in PYTHON_VERSIONS:
        digits = version.replace(".", "")
        folder = CACHE / platform / f"cp{digits}"
        stamp = folder / "requirements.txt"
        if not stamp.is_file() or stamp.read_text() != "\n".join(REQUIREMENTS):
            if offline:
                raise BuildError(
                    f"There are no wheels for {platform}, Python {version} in {CACHE}; run without --offline."
                )
            shutil.rmtree(folder, ignore_errors=True)
            tags = [f"--platform={tag}" for tag in PLATFORMS[platform]]
            tags += [f"--abi=cp{digits}", "--abi=abi3", "--implementation=cp", f"--python-version={version}"]
            run_pip(["download", "--only-binary=:all:", "--no-deps", *tags, "-d", str(folder), *REQUIREMENTS])
            stamp.write_text("\n".join(REQUIREMENTS))
        wheels |= {wheel.name: wheel for wheel in folder.glob("*.whl")}
    return [wheels[name] for name in sorted(wheels)]


def run_pip(arguments: Sequence[str]) -> None:
    """Run pip quietly; its own words are shown when it fails."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1577836800", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pip", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildError(f"pip {arguments[0]} failed:\n{done.stdout}{done.stderr}")
