"""What is read out of the output of pip and uv."""

from __future__ import annotations

import pytest

from blender_addon.install.output import StepProgress, explain_failure, follow, is_progress, package_name


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


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk_full"),
        ("WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...)'", "no_network"),
        ("  cause: dns error", "no_network"),
        ("relightify: error: The face landmark model cannot be downloaded (...)", "no_network"),
        ("ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] self signed", "no_network"),
        ("ERROR: No matching distribution found for embreex>=4.4", "no_package"),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "cache_unwritable"),
        ("[missing ] torch  not there", "setup_failed"),
        ("something else", "setup_failed"),
    ],
)
def test_failures_are_said_in_words_with_a_hint(line: str, code: str) -> None:
    error = explain_failure("Installing PyTorch", ["before", line], "")
    assert error.code == code
    assert error.message.endswith((".", "else", "there"))
    assert error.hint


def test_failure_names_the_step_and_the_package() -> None:
    error = explain_failure("Installing the backend", ["ERROR: No matching distribution found for embreex>=4.4"], "")
    assert "Installing the backend failed" in error.message
    assert "embreex" in error.message
