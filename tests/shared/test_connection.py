"""The connection file: readable by its owner alone, or not used."""

from __future__ import annotations

import errno
import json
import os
import stat
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from shared.connection import Connection, default_connection_path, read_connection, remove_connection, write_connection
from shared.errors import RelightifyError
from shared.paths import CACHE_VARIABLE, cache_folder
from shared.protocol import PROTOCOL_VERSION

CONNECTION = Connection("127.0.0.1", 5555, "s" * 40, "c" * 40, "x" * 40, 123, "2026-01-01T00:00:00+00:00")

posix_only = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


def code_of_reading(path: Path) -> str:
    with pytest.raises(RelightifyError) as caught:
        read_connection(path)
    return caught.value.code


def test_a_written_file_reads_back(tmp_path: Path) -> None:
    write_connection(CONNECTION, tmp_path / "connection.json")
    assert read_connection(tmp_path / "connection.json") == CONNECTION
    assert [path.name for path in tmp_path.iterdir()] == ["connection.json"]


@posix_only
def test_the_file_and_its_folder_are_the_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "new" / "connection.json"
    old = os.umask(0)
    try:
        write_connection(CONNECTION, path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@posix_only
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "connection.json"
    write_connection(CONNECTION, path)
    path.chmod(mode)
    assert code_of_reading(path) == "connection_exposed"


def test_no_file_says_how_to_start_the_backend(tmp_path: Path) -> None:
    with pytest.raises(RelightifyError) as caught:
        read_connection(tmp_path / "none.json")
    assert caught.value.code == "no_connection_file"
    assert "relightify serve" in caught.value.hint


@pytest.mark.parametrize(
    "change",
    [
        {"port": 0},
        {"port": "5555"},
        {"port": 70000},
        {"host": 3},
        {"server_public_key": "short"},
        {"client_secret_key": None},
        {"pid": None},
        {"extra": 1},
        {"protocol": None},
        {"client_secret_key": "\u00e9" * 40},
        {"server_public_key": "~" * 40},
        {"server_public_key": "#" * 40},
        {"pid": 2**70},
        {"pid": -1},
        {"host": "x" * 10_000},
    ],
    ids=str,
)
def test_a_damaged_file_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "connection.json"
    write_connection(CONNECTION, path)
    path.write_text(json.dumps({**asdict(CONNECTION), **change}))
    assert code_of_reading(path) == "connection_file"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 60_000, b'{"pid":' * 9_000])
def test_a_file_that_is_no_json_object_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "connection.json"
    write_connection(CONNECTION, path)
    path.write_bytes(content)
    assert code_of_reading(path) == "connection_file"


@posix_only
def test_file_that_is_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "connection.json"
    os.mkfifo(path, 0o600)
    assert code_of_reading(path) == "connection_file"


def test_a_file_of_another_version_says_so(tmp_path: Path) -> None:
    path = tmp_path / "connection.json"
    write_connection(replace(CONNECTION, protocol=PROTOCOL_VERSION + 1), path)
    assert code_of_reading(path) == "version_mismatch"


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RelightifyError) as caught:
        write_connection(CONNECTION, tmp_path / "file" / "connection.json")
    assert caught.value.code == "connection_file"


def test_only_the_own_file_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "connection.json"
    write_connection(CONNECTION, path)
    remove_connection(replace(CONNECTION, pid=99), path)
    assert path.exists()
    remove_connection(CONNECTION, path)
    assert not path.exists()


def test_secret_keys_do_not_get_into_logs() -> None:
    assert CONNECTION.client_secret_key not in repr(CONNECTION)


def test_an_ipv6_address_makes_a_proper_endpoint() -> None:
    assert replace(CONNECTION, host="::1").endpoint == "tcp://[::1]:5555"


def test_the_cache_folder_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    assert cache_folder("logs") == tmp_path / "cache" / "logs"
    assert default_connection_path().parent == tmp_path / "cache" / "runtime"
    assert (tmp_path / "cache" / "logs").is_dir()


@posix_only
@pytest.mark.parametrize(
    ("number", "said"), [(errno.EROFS, "Read-only file system"), (errno.EPERM, "Operation not permitted")]
)
def test_cache_that_cannot_be_changed_is_called_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    (tmp_path / "runtime").mkdir(mode=0o755)

    def refuse(path: Path, mode: int) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(RelightifyError) as caught:
        default_connection_path()
    assert caught.value.code == "cache_unwritable"
    assert said in caught.value.message
    assert "somebody else" not in caught.value.message


@posix_only
def test_read_only_cache_that_is_the_owners_alone_already_is_good_enough_for_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    (tmp_path / "runtime").mkdir(mode=0o700)
    monkeypatch.setattr(Path, "chmod", lambda path, mode: pytest.fail("it was changed"))
    assert default_connection_path().parent == tmp_path / "runtime"


def test_cache_in_the_home_of_nobody_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, "~nosuchuser/x")
    with pytest.raises(RelightifyError) as caught:
        cache_folder("logs")
    assert caught.value.code == "cache_unwritable"


def test_a_cache_folder_that_cannot_be_made_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(RelightifyError) as caught:
        cache_folder("logs")
    assert caught.value.code == "cache_unwritable"
