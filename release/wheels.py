"""The wheels of the add-on's two dependencies, pyzmq and msgpack, for a platform and the Pythons of Blender.

pyzmq's wheel for Python 3.12 serves all later ones too. msgpack has one of half a megabyte for each Python; its own
code in plain Python, which is taken out of one of them, serves all: it packs only the headers of messages.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

CACHE = Path(__file__).resolve().parents[1] / "build" / "wheels"
PYZMQ, MSGPACK = "pyzmq==27.3.0", "msgpack==1.2.4"
# Blender's own builds have 3.11 (4.2 to 5.0) and 3.13 (5.1 and later), those of Linux distributions what these have.
PYTHON_VERSIONS = ("3.11", "3.12", "3.13", "3.14")
# Those to come, which pyzmq's wheel serves already.
LATER_PYTHONS = ("3.15", "3.16", "3.17")

# Blender's names of the platforms, and the wheel tags that run there, newest first.
PLATFORMS: dict[str, tuple[str, ...]] = {
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "windows-x64": ("win_amd64",),
    "macos-arm64": ("macosx_11_0_arm64", "macosx_10_15_universal2", "macosx_10_9_universal2"),
    "macos-x64": ("macosx_10_15_x86_64", "macosx_10_9_x86_64", "macosx_10_15_universal2", "macosx_10_9_universal2"),
}
# Of everything in a zip, so that the same content gives the same bytes.
EPOCH = (2020, 1, 1, 0, 0, 0)
COMPILED = (".so", ".pyd", ".pyx", ".c", ".h")


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
        wheels |= {wheel.name: wheel for wheel in _fetched(PYZMQ, platform, version, offline)}
    (compiled,) = _fetched(MSGPACK, platform, PYTHON_VERSIONS[0], offline)
    pure = pure_wheel(compiled, [*PYTHON_VERSIONS, *LATER_PYTHONS], CACHE / platform)
    wheels[pure.name] = pure
    return [wheels[name] for name in sorted(wheels)]


def _fetched(requirement: str, platform: str, version: str, offline: bool) -> list[Path]:
    folder = CACHE / platform / f"{requirement.partition('==')[0]}-cp{version.replace('.', '')}"
    stamp = folder / "requirement.txt"
    if not stamp.is_file() or stamp.read_text() != requirement:
        if offline:
            raise BuildError(f"There is no {requirement} for {platform}, Python {version}; run without --offline.")
        shutil.rmtree(folder, ignore_errors=True)
        download([requirement], folder, PLATFORMS[platform], version)
        stamp.write_text(requirement)
    return sorted(folder.glob("*.whl"))


def download(
    requirements: Sequence[str], folder: Path, tags: Sequence[str], version: str, *options: str, deps: bool = False
) -> None:
    """Download wheels for another platform and Python.

    Args:
        requirements: what pip understands.
        folder: where they go.
        tags: of the platform.
        version: of Python, such as ``3.11``.
        options: further ones of pip.
        deps: download what they ask for as well.

    Raises:
        BuildError: with pip's own words.
    """
    chosen = [f"--platform={tag}" for tag in tags]
    chosen += [f"--abi=cp{version.replace('.', '')}", "--abi=abi3", "--abi=none"]
    chosen += ["--implementation=cp", f"--python-version={version}", "--only-binary=:all:"]
    run_pip(["download", *([] if deps else ["--no-deps"]), *chosen, *options, "-d", str(folder), *requirements])


def pure_wheel(binary: Path, pythons: Sequence[str], folder: Path) -> Path:
    """A wheel of what is plain Python in another one, for certain Pythons alone.

    It must not be tagged ``py3``: Blender takes an extension for incompatible with a Python that no wheel names.

    Args:
        binary: a wheel of a package that works without its compiled modules.
        pythons: versions such as ``3.15``.
        folder: where it goes.
    """
    name, version = binary.name.split("-")[:2]
    tags = ".".join(f"py{python.replace('.', '')}" for python in sorted(pythons, key=_as_numbers))
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(binary) as archive:
        files = {
            entry.filename: archive.read(entry)
            for entry in archive.infolist()
            if not entry.is_dir() and not entry.filename.endswith(COMPILED) and entry.filename != f"{info}/RECORD"
        }
    about = [line for line in files[f"{info}/WHEEL"].decode().splitlines() if line and not line.startswith("Tag:")]
    about = [re.sub(r"^Root-Is-Purelib:.*", "Root-Is-Purelib: true", line) for line in about]
    about += [f"Tag: {tag}-none-any" for tag in tags.split(".")]
    files[f"{info}/WHEEL"] = ("\n".join(about) + "\n").encode()
    record = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in sorted(files.items())]
    files[f"{info}/RECORD"] = ("\n".join([*record, f"{info}/RECORD,,"]) + "\n").encode()
    target = folder / f"{name}-{version}-{tags}-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[path])
    return target


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def run_pip(arguments: Sequence[str]) -> None:
    """Run pip quietly; its own words are shown when it fails."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1577836800", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pip", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildError(f"pip {arguments[0]} failed:\n{done.stdout}{done.stderr}")
