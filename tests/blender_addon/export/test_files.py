"""Writing exports: complete or not at all."""

from __future__ import annotations

import errno
import json
import struct
from pathlib import Path
from urllib.parse import quote

import pytest

from blender_addon.export.files import checked_target, is_whole, publish, staging_folder, write_error
from shared.errors import RelightifyError


def test_everything_is_moved_beside_the_target_and_nothing_else_is_left(tmp_path: Path) -> None:
    target = tmp_path / "Ada.fbx"
    with staging_folder(target) as staging:
        out = staging / "out"
        (out / "Ada_textures").mkdir(parents=True)
        (out / "Ada.fbx").write_bytes(b"new")
        (out / "Ada_textures" / "a.png").write_bytes(b"png")
        files = publish(out, target)
    assert files == (target, tmp_path / "Ada_textures" / "a.png")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["Ada.fbx", "Ada_textures"]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EACCES, "read_only"),
        (errno.EROFS, "read_only"),
        (errno.EIO, "cannot_write"),
    ],
)
def test_what_the_system_says_becomes_a_sentence_with_a_hint(tmp_path: Path, number: int, code: str) -> None:

    def fail_half_way() -> None:
        with staging_folder(tmp_path / "Ada.fbx") as staging:
            (staging / "half").write_bytes(b"half")
            raise OSError(number, "no")

    with pytest.raises(RelightifyError) as caught:
        fail_half_way()
    assert caught.value.code == code
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")
    assert not list(tmp_path.iterdir())


def test_error_names_the_folder(tmp_path: Path) -> None:
    assert str(tmp_path) in write_error(PermissionError(errno.EACCES, "no"), tmp_path / "Ada.glb").message


@pytest.mark.parametrize(
    ("name", "suffix", "written"),
    [
        ("Ada", ".glb", "Ada.glb"),
        ("Ada.glb", ".glb", "Ada.glb"),
        ("Ada.GLB", ".fbx", "Ada.fbx"),
        ("Ada v1.2", ".usdc", "Ada v1.2.usdc"),
    ],
)
def test_suffix_follows_the_format(tmp_path: Path, name: str, suffix: str, written: str) -> None:
    assert checked_target(str(tmp_path / name), suffix) == tmp_path / written


@pytest.mark.parametrize(
    ("name", "code"), [("", "no_file_name"), ("sub/", "no_file_name"), ("file/Ada", "cannot_write")]
)
def test_paths_that_cannot_be_written_are_errors(tmp_path: Path, name: str, code: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RelightifyError) as caught:
        checked_target(f"{tmp_path}/{name}" if name else "", ".glb")
    assert caught.value.code == code


def test_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    assert checked_target(str(tmp_path / "takes" / "new" / "Ada"), ".glb").parent.is_dir()


def test_folder_of_the_files_name_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "Ada.glb").mkdir()
    with pytest.raises(RelightifyError) as caught:
        checked_target(str(tmp_path / "Ada"), ".glb")
    assert caught.value.code == "is_folder"


def test_truncated_files_are_noticed(tmp_path: Path) -> None:
    whole = b"glTF" + struct.pack("<II", 2, 20) + bytes(8)
    path = tmp_path / "Ada.glb"
    path.write_bytes(whole)
    assert is_whole(path)
    path.write_bytes(whole[:-4])
    assert not is_whole(path)
    for name, data in (("a.fbx", b"Kaydara FBX Binary  \0..."), ("a.usdz", b"PK"), ("a.gltf", b"{"), ("a.usdc", b"")):
        (tmp_path / name).write_bytes(data)
        assert not is_whole(tmp_path / name)
    assert not is_whole(tmp_path / "missing.glb")


@pytest.mark.parametrize("name", ["Ada", "Ada vorn 100%", "Köpfe #1"])
def test_gltf_is_whole_with_its_buffer_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    path, buffer = tmp_path / f"{name}.gltf", tmp_path / f"{name}.bin"
    path.write_text(json.dumps({"buffers": [{"uri": quote(buffer.name), "byteLength": 8}]}), encoding="utf-8")
    assert not is_whole(path)
    buffer.write_bytes(bytes(8))
    assert is_whole(path)
