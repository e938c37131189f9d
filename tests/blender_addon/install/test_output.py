"""What is read out of the output of pip and uv."""

from __future__ import annotations

import pytest

from blender_addon.install.output import StepProgress, follow, is_progress, package_name


def after(lines: list[str]) -> StepProgress:
    progress = StepProgress()
    for line in lines:
        before, progress = progress, follow(progress, line)
        assert progress.fraction >= before.fraction
    return progress


def test_downloads_move_the_bar_by_their_bytes() -> None:
    lines = ["Collecting torch==2.13.0", "  Downloading torch-2.13.0-cp311-linux_x86_64.whl (180.1 MB)"]
    assert after(lines).detail == "Downloading torch (180.1 MB)"
    half = after([*lines, "Progress 90000000 of 180000000"]).fraction
    whole = after([*lines, "Progress 180000000 of 180000000"]).fraction
    assert 0 < half < whole < 0.8


def test_small_files_hardly_move_the_bar_and_unpacking_is_the_last_fifth() -> None:
    assert after(["Progress 4000 of 4000"] * 20).fraction < 0.01
    done = after(["Installing collected packages: numpy, torch"])
    assert (done.fraction, done.detail) == (0.8, "Unpacking")


def test_progress_lines_stay_out_of_the_log() -> None:
    assert is_progress("Progress 1 of 2")
    assert not is_progress("Progress is good")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("https://a.b/c/opencv_contrib_python-5.0.0-cp37.whl", "opencv_contrib_python"),
        ("numpy<3,>=1.26", "numpy"),
        ("scikit-image>=0.24", "scikit-image"),
    ],
)
def test_packages_are_called_by_their_names(text: str, name: str) -> None:
    assert package_name(text) == name


def test_bar_of_a_known_download_moves_evenly() -> None:
    progress = StepProgress()
    told = []
    for done in (0, 25, 50, 75, 100):
        progress = follow(progress, f"Progress {done} of 100", expected_bytes=100.0)
        told.append(progress.fraction)
    assert told == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8])
