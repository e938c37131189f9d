"""An offline bundle is looked at ahead of the installation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blender_addon.install.bundle import check_bundle, read_bundle, this_platform
from blender_addon.install.bundle_format import DESCRIPTION
from shared.errors import RelightifyError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "a.whl").write_bytes(b"1234")
    content = {"platform": "linux-x64", "pythons": ["3.11"], "variant": "none", "version": "0.1.0"}
    (tmp_path / DESCRIPTION).write_text(json.dumps({**content, "files": {"wheels/a.whl": 4}}))
    return tmp_path


def test_bundle_that_fits_is_taken(folder: Path) -> None:
    bundle = read_bundle(folder)
    assert (bundle.variant, bundle.pythons) == ("none", ("3.11",))
    check_bundle(bundle, "3.11.9", "linux-x64")


@pytest.mark.parametrize("content", [b"123", None])
def test_half_a_copy_is_said_with_the_file(folder: Path, content: bytes | None) -> None:
    wheel = folder / "wheels" / "a.whl"
    wheel.unlink() if content is None else wheel.write_bytes(content)
    with pytest.raises(RelightifyError, match=r"wheels/a\.whl is missing or cut off") as caught:
        read_bundle(folder)
    assert caught.value.code == "bad_bundle"


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"platform": "linux-x64", "pythons": 3}'])
def test_folder_that_is_no_bundle_is_said(folder: Path, text: str | None) -> None:
    path = folder / DESCRIPTION
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(RelightifyError, match="no offline bundle") as caught:
        read_bundle(folder)
    assert caught.value.code == "bad_bundle"


@pytest.mark.parametrize(
    ("python", "platform", "words"),
    [("3.13.1", "linux-x64", "for Python 3.11, and 3.13"), ("3.11.9", "windows-x64", "for linux-x64, and this is")],
)
def test_bundle_of_another_machine_is_refused(folder: Path, python: str, platform: str, words: str) -> None:
    with pytest.raises(RelightifyError, match=words):
        check_bundle(read_bundle(folder), python, platform)


def test_platforms_are_called_as_blender_calls_them() -> None:
    assert this_platform("linux", "x86_64") == "linux-x64"
    assert this_platform("darwin", "arm64") == "macos-arm64"
    assert this_platform("win32", "AMD64") == "windows-x64"
