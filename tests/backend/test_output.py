"""Where results may go is found out before the job, and whatever was found to work works afterwards."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from backend import output
from backend.output import file_names, require_writable, write_reconstruction
from shared.errors import RelightifyError

NOTHING: Any = None


@pytest.fixture
def result(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that a reconstruction writes; nothing is reconstructed."""
    names = ["reconstruction.json", "normal.png", "displacement.png", "sample_2/normal.png"]

    def write(reconstruction: object, model: object, folder: Path) -> None:
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(f"{len(names)} files")

    monkeypatch.setattr("backend.output._write_files", write)
    return names


def write_as_a_job_does(folder: Path) -> set[str]:
    require_writable(folder, 512)
    write_reconstruction(NOTHING, NOTHING, folder)
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def other_disk() -> Iterator[Path]:
    """A folder on another file system than temporary files, as a mount point is."""
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev:
        pytest.skip("there is only one file system")
    with tempfile.TemporaryDirectory(dir=shm) as name:
        yield Path(name)


def test_results_go_onto_another_disk_than_the_one_beside(other_disk: Path, tmp_path: Path, result: list[str]) -> None:
    (tmp_path / "out").symlink_to(other_disk)
    assert write_as_a_job_does(tmp_path / "out") == set(result)


def test_nothing_is_written_beside_the_folder(
    tmp_path: Path, result: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mount point cannot be made here; that its parent is another disk shows by what is written into that."""
    used: list[Path] = []
    make = tempfile.mkdtemp

    def noted(suffix: str | None = None, prefix: str | None = None, dir: str | None = None) -> str:
        used.append(Path(str(dir)))
        return make(suffix, prefix, dir)

    monkeypatch.setattr(tempfile, "mkdtemp", noted)
    write_as_a_job_does(tmp_path / "out")
    assert used
    assert {folder.name for folder in used} == {"out"}


@pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="root may write everywhere")
def test_parent_that_cannot_be_written_does_not_matter(tmp_path: Path, result: list[str]) -> None:
    (tmp_path / "out").mkdir()
    tmp_path.chmod(0o500)
    try:
        assert write_as_a_job_does(tmp_path / "out") == set(result)
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("letters", [200, 250, 255])
def test_folder_may_have_as_long_a_name_as_there_is(tmp_path: Path, result: list[str], letters: int) -> None:
    assert write_as_a_job_does(tmp_path / ("x" * letters)) == set(result)


@pytest.mark.parametrize("name", ["x" * 256, "file/below", "~nosuchuser/out", "normal"])
def test_what_cannot_be_written_is_said_before_the_job(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "normal" / "normal.png").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RelightifyError) as caught:
        require_writable(Path(name), 512)
    assert caught.value.code == "cannot_write"
    assert sorted(tmp_path.rglob("*")) == before


def test_folder_in_which_no_file_can_be_made_is_said_before_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only disk: rights look right, and writing fails all the same."""

    def refuse(path: Path, *arguments: Any) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(RelightifyError) as caught:
        require_writable(tmp_path / "new" / "out", 512)
    assert caught.value.code == "cannot_write"
    assert "Read-only" in caught.value.message
    assert not list(tmp_path.iterdir())


def test_trial_leaves_nothing_behind(tmp_path: Path) -> None:
    require_writable(tmp_path / "deep" / "out", 512)
    assert not list(tmp_path.iterdir())


def test_second_run_leaves_no_file_of_the_first(tmp_path: Path, result: list[str]) -> None:
    assert write_as_a_job_does(tmp_path) == set(result)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "sample_2" / "mine.txt").write_text("mine")
    (tmp_path / "sample_3").mkdir()
    (tmp_path / "sample_3" / "texture.png").write_text("old")
    result[:] = ["reconstruction.json", "normal.png"]
    assert write_as_a_job_does(tmp_path) == {*result, "notes.txt", "sample_2/mine.txt"}
    assert (tmp_path / "normal.png").read_text() == "2 files"
    assert not (tmp_path / "sample_3").exists()


def test_files_that_only_have_such_names_stay_where_no_reconstruction_was(tmp_path: Path, result: list[str]) -> None:
    result[:] = ["reconstruction.json", "normal.png"]
    (tmp_path / "displacement.png").write_text("of another program")
    assert write_as_a_job_does(tmp_path) == {*result, "displacement.png"}


def test_what_a_killed_run_left_is_removed_a_day_later(tmp_path: Path, result: list[str]) -> None:
    for name, age in (("old", 90_000), ("young", 60)):
        partial = tmp_path / f".relightify-{name}.partial"
        partial.mkdir()
        (partial / "mesh.npz").write_text("half")
        then = partial.stat().st_mtime - age
        os.utime(partial, (then, then))
    write_as_a_job_does(tmp_path)
    assert [path.name for path in tmp_path.glob(".relightify-*")] == [".relightify-young.partial"]


def test_every_file_that_may_be_written_has_its_name_listed() -> None:
    names = file_names(2)
    assert {"reconstruction.json", "mesh.npz", "head.obj", "head.mtl", "normal.png"} <= set(names)
    assert "sample_2/displacement.png" in names
    assert not [name for name in names if name.startswith("sample_3")]


def test_version_of_opencv_is_told_whichever_of_its_packages_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"opencv-contrib-python-headless": "5.0"}

    def version(name: str) -> str:
        if name not in installed:
            raise metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(output.metadata, "version", version)
    assert output._versions()["opencv-contrib-python"] == "5.0"
    assert output._versions()["torch"] == "not installed"
    installed["opencv-contrib-python"] = "5.1"
    assert output._versions()["opencv-contrib-python"] == "5.1"
