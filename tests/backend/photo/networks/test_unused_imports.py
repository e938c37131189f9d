"""MediaPipe is imported without matplotlib, which stays what it is for everybody else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backend.photo.networks.unused_imports import PLOTTING, without_plotting

ROOT = Path(__file__).resolve().parents[4]


def test_plotting_can_be_imported_meanwhile_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PLOTTING:
        monkeypatch.delitem(sys.modules, name, raising=False)
    with without_plotting():
        import matplotlib.pyplot as plt

        assert not hasattr(plt, "plot"), "a stand-in"
    assert not any(name in sys.modules for name in PLOTTING)


def test_plotting_that_is_there_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PLOTTING:
        monkeypatch.setitem(sys.modules, name, sys)
    with without_plotting():
        assert sys.modules["matplotlib"] is sys
    assert sys.modules["matplotlib"] is sys


@pytest.mark.slow
def test_faces_are_found_where_plotting_and_sound_are_not_installed() -> None:
    """As in the environment that the add-on installs."""
    code = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('matplotlib', 'sounddevice', 'cffi'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        "from backend.photo.face_detector import FaceDetector\n"
        "FaceDetector().close()\n"
        "assert 'matplotlib' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
