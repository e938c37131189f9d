"""The command line: help, errors, exit codes."""

from __future__ import annotations

import argparse
import errno
import io
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from backend.cli import (
    CANCELLED,
    INSTALLATION,
    INTERNAL,
    OUTPUT,
    PHOTO,
    SERVICE,
    USAGE,
    exit_code,
    main,
    read_landmarks_file,
)
from backend.doctor import CHECKS, Finding, examine, examine_apart, run
from backend.option_arguments import add_option_arguments, flag_of, options_of
from backend.photo.reading import read_photo
from backend.terminal import ProgressBar
from shared.corrections import Correction, Corrections
from shared.errors import JobCancelled, RelightifyError
from shared.option_kinds import Flag
from shared.options import JOB_OPTIONS, JobOptions
from tests.option_values import other_value

ROOT = Path(__file__).resolve().parents[2]


def half_a_png() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((128, 128), 50).save(file, "PNG")
    return file.getvalue()[: file.tell() // 2]


def test_help_does_not_load_the_heavy_modules() -> None:
    code = (
        "import sys; from backend.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'cv2', 'mediapipe', 'scipy', 'numpy'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    for word in ("reconstruct", "serve", "doctor", "evaluate", "exit codes"):
        assert word in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["conjure"],
        ["reconstruct"],
        ["reconstruct", "x.jpg"],
        ["reconstruct", "x.jpg", "--out", "o", "--quality", "best"],
        ["reconstruct", "x.jpg", "--out", "o", "--resolution", "1000"],
        ["reconstruct", "x.jpg", "--out", "o", "--face", "first"],
        ["reconstruct", "x.jpg", "--out", "o", "--samples", "many"],
    ],
)
def test_a_wrong_command_line_ends_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == USAGE
    assert "error" in capsys.readouterr().err


def test_a_photo_that_is_not_there_is_one_line_with_a_hint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reconstruct", str(tmp_path / "none.jpg"), "--out", str(tmp_path / "out")]) == PHOTO
    error = capsys.readouterr().err
    assert error.startswith("relightify: error: The photo ")
    assert "Check the path." in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "is a folder, not a photo"),
        (b"", "The photo file is empty."),
        (b"Dear Ada, this is a letter." * 9, "not an image that can be read"),
        (half_a_png(), "damaged or incomplete"),
    ],
    ids=["folder", "empty", "text", "truncated"],
)
def test_files_that_are_no_photo_end_with_three_and_leave_nothing(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
    words: str,
) -> None:
    path = tmp_path / "photo.jpg"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    monkeypatch.setattr("backend.pipeline.Pipeline", PhotoOnly)
    assert main(["reconstruct", str(path), "--out", str(tmp_path / "out"), "--quiet"]) == PHOTO
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["photo.jpg"]


class PhotoOnly:
    """A pipeline that reads the photo and never comes to the end."""

    def __init__(self, device: str) -> None:
        self.device = device

    def reconstruct(self, photos: list[bytes], *_: object, **__: object) -> None:
        for data in photos:
            read_photo(data)
        raise AssertionError("the photo should not have been readable")


def test_a_folder_that_cannot_be_written_is_an_error_before_the_job_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, taken = tmp_path / "photo.jpg", tmp_path / "taken"
    photo.write_bytes(b"anything")
    taken.write_text("a file")
    for out in (taken, taken / "below"):
        assert main(["reconstruct", str(photo), "--out", str(out), "--quiet"]) == OUTPUT
        assert "cannot be written: a file is in its place. Choose another folder" in capsys.readouterr().err

    def refuse(path: Path, data: bytes) -> int:
        raise PermissionError(errno.EACCES, "you may not write there", str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    assert main(["reconstruct", str(photo), "--out", str(tmp_path / "a" / "b"), "--quiet"]) == OUTPUT
    assert "you may not write there" in capsys.readouterr().err
    assert taken.read_text() == "a file"
    assert not (tmp_path / "a").exists()


def test_a_full_disk_is_an_error_before_the_job_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"anything")
    monkeypatch.setattr("backend.output.shutil.disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    assert main(["reconstruct", str(photo), "--out", str(tmp_path / "out"), "--quiet"]) == OUTPUT
    assert "not enough space" in capsys.readouterr().err


@pytest.mark.parametrize("seed", ["-1", "99999999999"])
def test_a_seed_out_of_range_ends_with_two(tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: str) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["reconstruct", "x.jpg", "--out", str(tmp_path), "--seed", seed])
    assert raised.value.code == USAGE
    assert "The option seed cannot be" in capsys.readouterr().err


def test_options_that_do_not_go_together_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many = ["--samples", "8", "--resolution", "4096"]
    assert main(["reconstruct", "x.jpg", "--out", str(tmp_path), *many]) == USAGE
    assert "too many" in capsys.readouterr().err


def parsed(*arguments: str) -> JobOptions:
    parser = argparse.ArgumentParser()
    add_option_arguments(parser)
    return options_of(parser.parse_args(arguments))


@pytest.mark.parametrize("name", JOB_OPTIONS)
def test_every_option_of_a_job_has_its_argument_and_its_help(name: str) -> None:
    option, flag = JOB_OPTIONS[name], flag_of(name)
    assert parsed() == JobOptions()
    value = other_value(option)
    given = [flag] if isinstance(option, Flag) else [flag, str(value)]
    assert parsed(*given) == JobOptions(**{name: value})
    parser = argparse.ArgumentParser()
    add_option_arguments(parser, name)
    assert " ".join(option.help.lower().split()) in " ".join(parser.format_help().lower().split())


def test_the_yardstick_is_taken_but_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert parsed("--quality", "baseline").quality == "baseline"
    for arguments in (["--help"], ["x.jpg", "--out", "o", "--quality", "best"]):
        with pytest.raises(SystemExit):
            main(["reconstruct", *arguments])
        shown = "".join(capsys.readouterr())
        assert "standard" in shown
        assert "baseline" not in shown


def test_a_path_that_the_system_refuses_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"anything")
    too_long = tmp_path / ("x" * 300)
    assert main(["reconstruct", str(too_long), "--out", str(tmp_path)]) == PHOTO
    assert main(["reconstruct", str(photo), "--out", str(too_long)]) == OUTPUT
    assert capsys.readouterr().err.count("\n") == 2


def test_an_unexpected_failure_is_one_line_and_ends_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def explode(path: Path) -> bytes:
        raise ZeroDivisionError("by chance")

    monkeypatch.setattr("backend.cli._read_photo_file", explode)
    assert main(["reconstruct", "x.jpg", "--out", str(tmp_path)]) == INTERNAL
    error = capsys.readouterr().err
    assert "internal error: ZeroDivisionError: by chance" in error
    assert "Traceback" not in error


def test_ctrl_c_ends_with_130(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(path: Path) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr("backend.cli._read_photo_file", interrupted)
    assert main(["reconstruct", "x.jpg", "--out", str(tmp_path)]) == CANCELLED


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("no_face", PHOTO),
        ("photo_truncated", PHOTO),
        ("too_little_skin", PHOTO),
        ("bad_face_index", USAGE),
        ("quality_unavailable", USAGE),
        ("disk_full", OUTPUT),
        ("model_unavailable", INSTALLATION),
        ("something_new", INTERNAL),
        ("cannot_listen", SERVICE),
    ],
)
def test_every_kind_of_error_has_its_exit_code(code: str, expected: int) -> None:
    assert exit_code(RelightifyError(code, "It failed.")) == expected
    assert exit_code(JobCancelled()) == CANCELLED


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_the_progress_bar_draws_on_one_line_of_a_terminal_and_ends_it() -> None:
    terminal = Terminal()
    bar = ProgressBar(terminal)
    bar.show("fit", 0.25)
    bar("unwrap", 0.5, None)
    bar.close()
    drawn = terminal.getvalue()
    assert drawn.count("\n") == 1
    assert drawn.endswith("\n")
    assert "25% fitting the head" in drawn
    assert "[############............]  50% unwrapping" in drawn


def test_the_progress_bar_writes_a_line_per_stage_into_a_file() -> None:
    stream = io.StringIO()
    bar = ProgressBar(stream)
    for fraction in (0.1, 0.2, 0.3):
        bar.show("fit", fraction)
    bar.show("done", 1.0)
    bar.close()
    assert stream.getvalue() == " 10% fitting the head\n100% done\n"


def test_a_quiet_progress_bar_writes_nothing() -> None:
    terminal = Terminal()
    bar = ProgressBar(terminal, quiet=True)
    bar.show("fit", 0.5)
    bar.close()
    assert terminal.getvalue() == ""


def test_the_doctor_reports_a_broken_part_and_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def _check_widget() -> Finding:
        raise RelightifyError("widget_broken", "The widget is broken.", "Buy a new one.")

    def _check_fine() -> Finding:
        return Finding("fine", "ok", "all well")

    monkeypatch.setattr("backend.doctor.CHECKS", (_check_widget, _check_fine))
    broken, fine = examine()
    assert (broken.name, broken.status, broken.mend) == ("widget", "missing", "Buy a new one.")
    assert fine.status == "ok"


CRASHING_DOCTOR = """
import os, sys
print('{"name": "first", "status": "ok", "detail": "fine"}', flush=True)
if sys.argv[1] == "0":
    os.write(2, b"the driver is too old\\n")
    os.abort()
print('{"name": "third", "status": "ok", "detail": "fine"}', flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="other systems tell crashes by numbers")
def test_the_doctor_survives_a_library_that_crashes_and_tells_its_last_words(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def _check_widget() -> Finding:
        raise AssertionError("checks run in processes apart")

    monkeypatch.setattr("backend.doctor.CHECKS", (_check_widget,) * 4)
    monkeypatch.setattr("backend.doctor.examine_apart", partial(examine_apart, (sys.executable, "-c", CRASHING_DOCTOR)))
    assert run(argparse.Namespace(json=True)) == INSTALLATION
    told = capfd.readouterr()
    findings = json.loads(told.out)
    assert [finding["name"] for finding in findings] == ["first", "widget", "first", "third"]
    assert "SIGABRT" in findings[1]["detail"]
    assert "the driver is too old" in findings[1]["detail"]
    assert "the driver is too old" in told.err, "all of it is kept for the log"


def test_the_doctor_finds_what_every_installation_has() -> None:
    light = [check for check in CHECKS if check.__name__ in ("_check_python", "_check_libraries", "_check_embree")]
    assert len(light) == 3
    assert [check().status for check in light] == ["ok"] * 3


@pytest.mark.parametrize("content", ["", "nonsense", "[[1]]", '{"format": 1}', '[{"handle": "chin"}]'])
def test_landmarks_that_are_none_end_with_two_and_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    photo, landmarks = tmp_path / "photo.jpg", tmp_path / "landmarks.json"
    photo.write_bytes(b"photo")
    landmarks.write_text(content)
    command = ["reconstruct", str(photo), "--out", str(tmp_path / "out"), "--landmarks", str(landmarks)]
    assert main(command) == USAGE
    assert capsys.readouterr().err.count("\n") == 1
    assert main([*command[:-1], str(tmp_path / "missing.json")]) == USAGE


def test_landmarks_are_read_from_the_description_of_a_head(tmp_path: Path) -> None:
    path = tmp_path / "reconstruction.json"
    path.write_text('{"format": 1, "corrections": [{"handle": "chin", "pixel": [4, 5.5]}]}')
    assert read_landmarks_file(path) == Corrections((Correction((4, 5.5), handle="chin"),))
