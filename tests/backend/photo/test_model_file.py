"""The landmark model file is fetched once, verified, and never half written."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from backend.photo import model_file
from backend.photo.model_file import SourceFailed, face_landmarker_path
from shared.errors import RelightifyError

GOOD = b"the model"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RELIGHTIFY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(model_file, "SHA256", hashlib.sha256(GOOD).hexdigest())
    return tmp_path / "cache"


def fails() -> bytes:
    raise SourceFailed("No route to the host.")


def must_not_be_asked() -> bytes:
    raise AssertionError("fetched although the cache has the file")


def test_the_next_source_is_asked_when_one_fails_or_is_corrupt(cache: Path) -> None:
    path = face_landmarker_path((fails, lambda: b"garbage", lambda: GOOD))
    assert path == cache / "face_landmarker.task"
    assert path.read_bytes() == GOOD


def test_the_cache_is_used_and_a_damaged_file_is_fetched_again(cache: Path) -> None:
    path = face_landmarker_path((lambda: GOOD,))
    assert face_landmarker_path((must_not_be_asked,)) == path
    path.write_bytes(GOOD[:4])
    assert face_landmarker_path((lambda: GOOD,)).read_bytes() == GOOD
    assert [p.name for p in cache.iterdir()] == ["face_landmarker.task"]


def test_being_offline_says_why_and_where_to_put_the_file(cache: Path) -> None:
    with pytest.raises(RelightifyError, match="No route to the host") as caught:
        face_landmarker_path((fails,))
    assert caught.value.code == "model_unavailable"
    assert str(cache) in caught.value.hint


def test_a_wrong_checksum_is_an_error_and_leaves_no_file(cache: Path) -> None:
    with pytest.raises(RelightifyError) as caught:
        face_landmarker_path((lambda: b"garbage",))
    assert caught.value.code == "model_corrupt"
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_an_error(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(RelightifyError) as caught:
        face_landmarker_path((lambda: GOOD,))
    assert caught.value.code == "cache_unwritable"
    assert "RELIGHTIFY_CACHE" in caught.value.hint
