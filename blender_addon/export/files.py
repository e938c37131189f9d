"""Writing an export so that a failure leaves the folder as it was: everything is made aside and moved into place."""

from __future__ import annotations

import errno
import json
import os
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from .._shared import RelightifyError

LEAST_FREE_BYTES = 1 << 20


def checked_target(filepath: str, suffix: str) -> Path:
    """The absolute path to write, with the format's suffix.

    Args:
        filepath: what the user chose, Blender's ``//`` already resolved.
        suffix: with its dot; put in the place of the suffix of any other format of ours.

    Raises:
        RelightifyError: ``no_file_name``, ``is_folder``, or ``read_only``, ``disk_full``, ``cannot_write`` where its
            folder cannot be made.
    """
    path = Path(filepath).expanduser()
    if not filepath or filepath.endswith(("/", "\\")) or not path.name:
        raise RelightifyError("no_file_name", "There is no name for the exported file.", "Choose a file name.")
    path = path.absolute()
    if path.suffix.lower() in (".glb", ".gltf", ".fbx", ".usd", ".usda", ".usdc", ".usdz"):
        path = path.with_suffix(suffix)
    else:
        path = path.with_name(path.name + suffix)
    if path.is_dir():
        raise RelightifyError("is_folder", f"{path} is a folder.", "Choose another file name.")
    make_folder(path)
    return path


def make_folder(path: Path) -> None:
    """Make the folder of a file that is to be written, with those above it, as Blender does when it renders.

    Raises:
        RelightifyError: ``read_only``, ``disk_full`` or ``cannot_write``.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, path) from error


@contextmanager
def staging_folder(target: Path) -> Iterator[Path]:
    """A new folder beside `target`, gone afterwards; what was written is moved out of it by `publish`.

    Raises:
        RelightifyError: ``read_only``, ``disk_full`` or ``cannot_write``, also for such errors of the body.
    """
    folder: Path | None = None
    try:
        folder = Path(tempfile.mkdtemp(prefix=".relightify-", dir=target.parent))
        yield folder
    except OSError as error:
        raise write_error(error, target) from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def publish(staging: Path, target: Path) -> tuple[Path, ...]:
    """Move everything from `staging` beside `target`, the main file last.

    Files of an earlier export under the same names are replaced.

    Returns:
        The paths of all files, the main one first.

    Raises:
        OSError: a file cannot be moved.
    """
    files = sorted(p.relative_to(staging) for p in staging.rglob("*") if p.is_file())
    files.sort(key=lambda p: p == Path(target.name))
    for relative in files:
        place = target.parent / relative
        place.parent.mkdir(exist_ok=True)
        os.replace(staging / relative, place)
    return tuple(target.parent / relative for relative in reversed(files))


def write_error(error: OSError, target: Path) -> RelightifyError:
    """What went wrong while writing, in words."""
    folder = target.parent
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(target)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return RelightifyError(
            "read_only", f"Blender may not write to {folder}.", "Choose a folder of your own, or change its rights."
        )
    return RelightifyError(
        "cannot_write", f"{target.name} could not be written: {error.strerror or error}.", "Choose another folder."
    )


def disk_full(target: Path) -> RelightifyError:
    """The error of a disk with no room left."""
    return RelightifyError(
        "disk_full",
        f"There is no room left on the disk of {target.parent}.",
        "Free some space, choose another folder or smaller textures.",
    )


def check_room(target: Path, needed_bytes: int = LEAST_FREE_BYTES) -> None:
    """Make sure that a disk has some room.

    Raises:
        RelightifyError: ``disk_full``.
    """
    if shutil.disk_usage(target.parent).free < needed_bytes:
        raise disk_full(target)


def is_whole(path: Path) -> bool:
    """Whether a file was written to its end, as far as its format tells."""
    if not path.is_file() or path.stat().st_size == 0:
        return False
    checks = {
        ".glb": _glb_is_whole,
        ".gltf": _gltf_is_whole,
        ".fbx": _fbx_is_whole,
        ".usdc": _usdc_is_whole,
        ".usdz": zipfile.is_zipfile,
    }
    check = checks.get(path.suffix)
    return check is None or check(path)


def _glb_is_whole(path: Path) -> bool:
    head = path.read_bytes()[:12]
    return len(head) == 12 and head[:4] == b"glTF" and struct.unpack("<I", head[8:])[0] == path.stat().st_size


def _gltf_is_whole(path: Path) -> bool:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    # Spaces and letters beyond ASCII are escaped in URIs.
    buffers = ((path.parent / unquote(b["uri"]), b["byteLength"]) for b in document.get("buffers", []))
    return all(file.is_file() and file.stat().st_size >= length for file, length in buffers)


def _fbx_is_whole(path: Path) -> bool:
    """Binary FBX ends with this footer."""
    data = path.read_bytes()
    return data.startswith(b"Kaydara FBX Binary") and data.endswith(
        b"\xf8\x5a\x8c\x6a\xde\xf5\xd9\x7e\xec\xe9\x0c\xe3\x75\x8f\x29\x0b"
    )


def _usdc_is_whole(path: Path) -> bool:
    """Crate files name the place of their table of contents in the header; it is written last."""
    with path.open("rb") as file:
        head = file.read(24)
    return len(head) == 24 and head[:8] == b"PXR-USDC" and struct.unpack("<Q", head[16:])[0] < path.stat().st_size
