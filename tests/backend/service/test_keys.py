"""Keys that outlive a server."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from backend.service.keys import kept_keys, new_keys
from shared.errors import RelightifyError


def test_kept_keys_are_the_same_at_each_start_and_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "keys.json"
    keys = kept_keys(path)
    assert kept_keys(path) == keys
    assert os.name != "posix" or stat.S_IMODE(path.stat().st_mode) == 0o600


def test_new_keys_differ_and_do_not_get_into_logs() -> None:
    keys = new_keys()
    assert keys != new_keys()
    assert keys.server_secret not in repr(keys)
    assert keys.client_secret not in repr(keys)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"server_public": 3}'])
def test_a_damaged_key_file_is_an_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    kept_keys(path)
    path.write_text(content)
    with pytest.raises(RelightifyError) as caught:
        kept_keys(path)
    assert caught.value.code == "bad_keys"


def test_keys_that_do_not_belong_together_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys = kept_keys(path)
    path.write_text(path.read_text().replace(keys.server_secret, keys.client_secret))
    with pytest.raises(RelightifyError) as caught:
        kept_keys(path)
    assert caught.value.code == "bad_keys"


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    kept_keys(path)
    path.chmod(0o644)
    with pytest.raises(RelightifyError) as caught:
        kept_keys(path)
    assert caught.value.code == "connection_exposed"
