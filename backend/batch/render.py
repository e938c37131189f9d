"""The heads of a batch rendered by Blender for the contact sheet, where there is one."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from backend.batch.sheet import render_path
from shared.errors import RelightifyError

_log = logging.getLogger(__name__)
SCRIPT = Path(__file__).parent / "blender_scripts" / "render_batch.py"
VARIABLE = "RELIGHTIFY_BLENDER_PYTHON"


def can_render(named: Path | None) -> bool:
    """Whether there is a Blender; one that was named has to be.

    Raises:
        RelightifyError: ``no_blender``.
    """
    return _blender(named) is not None


def render_heads(folder: Path, names: Sequence[str], named: Path | None) -> None:
    """Render the heads of these names that have no picture yet, newer than their maps.

    Raises:
        RelightifyError: ``render_failed``; the pictures that were made stay.
    """
    blender = _blender(named)
    stale = [name for name in names if _is_stale(folder, name)]
    if blender is None or not stale:
        return
    render_path(folder, "").parent.mkdir(parents=True, exist_ok=True)
    job = [{"folder": str(folder / name), "picture": str(render_path(folder, name))} for name in stale]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "job.json"
        path.write_text(json.dumps(job), encoding="utf-8")
        is_python = "python" in blender.name.lower()
        command = [str(blender), str(SCRIPT)] if is_python else [str(blender), "-b", "-P", str(SCRIPT), "--"]
        done = subprocess.run([*command, str(path)], capture_output=True, text=True, errors="replace", check=False)
    missing = [name for name in stale if not render_path(folder, name).is_file()]
    if missing:
        _log.error("Blender said: %s", (done.stderr or done.stdout)[-2000:])
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise RelightifyError(
            "render_failed",
            f"Blender did not render {len(missing)} heads: {' '.join(last)}",
            "The heads themselves are done; run again with --verbose for what Blender said.",
        )


def _is_stale(folder: Path, name: str) -> bool:
    picture, head = render_path(folder, name), folder / name / "head.obj"
    return not picture.is_file() or picture.stat().st_mtime < head.stat().st_mtime


def _blender(named: Path | None) -> Path | None:
    """Blender, or a Python with its module: the named one, the variable's, or the one on the path."""
    if named is not None:
        if not named.is_file():
            raise RelightifyError("no_blender", f"There is no Blender {named}.", "Check --blender, or leave it out.")
        return named.absolute()
    found = os.environ.get(VARIABLE) or shutil.which("blender")
    return Path(found) if found else None
