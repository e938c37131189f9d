"""Where the files lie that ship with the backend, and in a checkout the data that they were trained from.

Whoever loads one of them goes through `verified`: each is what the manifest says, or is not loaded.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from shared.errors import RelightifyError

ASSETS = Path(__file__).resolve().parent / "assets"
ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT.parent / "shared" / "sources"
MANIFEST = "manifest.json"
# Not loaded by anything.
UNLISTED = (MANIFEST, "README.md")

_CURE = "Install the backend again; in a checkout, get the file from its repository."
_verified: set[tuple[Path, int, int]] = set()


def verified(path: Path, assets: Path = ASSETS) -> Path:
    """The path of a file, or of a folder with all its files, that ships; its bytes are what they were when it shipped.

    Each file is read through once a process. Files that lie elsewhere are somebody's own, and are not looked at.

    Args:
        path: of what is to be loaded.
        assets: the folder with the manifest.

    Raises:
        RelightifyError: ``asset_missing``, ``asset_corrupt``.
    """
    if not path.is_relative_to(assets):
        return path
    name = path.relative_to(assets).as_posix()
    listed = manifest(assets / MANIFEST)["files"]
    wanted = [entry for entry in listed if entry == name or entry.startswith(f"{name}/")]
    if not wanted:
        raise RelightifyError(
            "asset_corrupt",
            f"The file {name} of this installation is not in its list of files.",
            "Install the backend again; after training, run: python -m backend.training manifest",
        )
    for entry in wanted:
        _verify(assets / entry, entry, listed[entry])
    return path


def _verify(path: Path, name: str, checksum: str) -> None:
    try:
        status = path.stat()
        known = (path, status.st_size, status.st_mtime_ns)
        if known not in _verified:
            if sha256(path) != checksum:
                raise RelightifyError(
                    "asset_corrupt", f"The file {name} of this installation is damaged: its checksum is wrong.", _CURE
                )
            _verified.add(known)
    except OSError as error:
        raise RelightifyError(
            "asset_missing", f"The file {name} of this installation cannot be read: {error.strerror}.", _CURE
        ) from error


@cache
def manifest(path: Path = ASSETS / MANIFEST) -> dict[str, dict[str, str]]:
    """SHA-256 by name: of `files` in the folder of assets, and of the models that are `fetched` at their first use.

    Raises:
        RelightifyError: ``asset_missing``, ``asset_corrupt``.
    """
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
        return {part: {str(name): str(listed[part][name]) for name in listed[part]} for part in ("files", "fetched")}
    except OSError as error:
        raise RelightifyError(
            "asset_missing", f"The file {path.name} of this installation cannot be read: {error.strerror}.", _CURE
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise RelightifyError(
            "asset_corrupt", f"The file {path.name} of this installation is damaged.", _CURE
        ) from error


def listed_files(assets: Path = ASSETS) -> dict[str, str]:
    """SHA-256 of all files that are loaded out of a folder of assets, by their names in it, as they are now."""
    paths = sorted(path for path in assets.rglob("*") if path.is_file())
    names = {path.relative_to(assets).as_posix(): path for path in paths if not path.name.startswith(".")}
    return {name: sha256(path) for name, path in names.items() if name not in UNLISTED}


def write_manifest(assets: Path = ASSETS) -> bool:
    """Write the manifest anew where it is not true any more; the models that are fetched stay. Says whether it was."""
    path = assets / MANIFEST
    old = manifest(path)
    new = {"files": listed_files(assets), "fetched": old["fetched"]}
    if new == old:
        return False
    path.write_text(json.dumps(new, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    manifest.cache_clear()
    return True


def sha256(path: Path) -> str:
    """The checksum of a file, in hexadecimal digits.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
