"""Runs the checks in a Blender with windows against a backend without models.

    python -m tests.blender.windowed                     the `blender` of this machine, in the display it has
    python -m tests.blender.windowed --run CMD... --root DIR
        one behind a command that starts programs in another root folder, for example a chroot with Blender and Xvfb

They are no part of `bash .ci/test`: the wheels of Blender have no windows.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import build_addon
from tests.blender import finished_job
from tests.blender.fake_backend import FakeBackend, stay_busy

HERE = Path(__file__).parent
CHECKS = ("undo_check.py", "edit_fit_check.py")
STEPS = "window_steps.py"
BLENDER = ("blender", "--factory-startup", "--window-geometry", "0", "0", "1280", "800", "--python")


def main() -> int:
    """Run every check; the exit status is 0 where all hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.blender.windowed", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("/"), help="root folder that Blender sees")
    parser.add_argument("--run", nargs=argparse.REMAINDER, default=[], help="what starts a program there; comes last")
    options = parser.parse_args()
    failed = []
    with tempfile.TemporaryDirectory(dir=options.root / tempfile.gettempdir().lstrip("/")) as folder:
        place = Path(folder)
        assert build_addon.main(["--no-backend", "--platform", "all", "--out", str(place / "zips")]) == 0
        (zip_file,) = (place / "zips").glob("*linux*x64.zip")
        zip_file.rename(place / "relightify.zip")
        (place / "Grace Hopper.png").write_bytes(finished_job.photo())
        # What follows the end of a PNG is not read, and makes it another photo.
        (place / "left.png").write_bytes(finished_job.photo() + b"left")
        backend = FakeBackend(place / "connection.json")
        # A job by this name never ends, so that what happens meanwhile can be looked at.
        finish = backend.behaviour
        backend.behaviour = lambda job, reply: (stay_busy if job.file_name.startswith("slow") else finish)(job, reply)
        shutil.copy(place / "Grace Hopper.png", place / "slow.png")
        shutil.copy(HERE / STEPS, place / STEPS)
        for check in CHECKS:
            shutil.copy(HERE / check, place / check)
            seen = Path("/") / place.relative_to(options.root)
            command = [*options.run, *BLENDER, str(seen / check), "--", str(seen)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
            print(done.stdout)
            # Blender prints what goes wrong while it draws, and goes on.
            if f"{check}: all hold" not in done.stdout or "Traceback" in done.stderr:
                failed.append(check)
                print(done.stderr, file=sys.stderr)
        backend.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
