"""The zip's wheels: one of each dependency for every Python, msgpack's a pure one for all."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import msgpack
import pytest
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

from release import wheels
from release.wheels import LATER_PYTHONS, PYTHON_VERSIONS, BuildError, dependency_wheels, pure_wheel

LINUX = ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"]


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    """The installed msgpack as a wheel, so that this needs no network."""
    installed = metadata.distribution("msgpack")
    wheel = tmp_path / f"msgpack-{installed.version}-cp311-cp311-manylinux2014_x86_64.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in installed.files or ():
            if ".." not in file.parts and file.suffix not in (".pyc", ""):
                archive.write(str(file.locate()), str(file))
        archive.writestr(f"msgpack-{installed.version}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: false\n")
        archive.writestr("msgpack/_cmsgpack.cpython-311.so", b"compiled")
    return wheel


def test_pure_wheel_packs_and_unpacks_without_compiled_modules(compiled: Path, tmp_path: Path) -> None:
    pure = pure_wheel(compiled, ["3.16", "3.9"], tmp_path / "pure")
    code = (
        f"import sys; sys.path.insert(0, {str(pure)!r}); import msgpack\n"
        "assert msgpack.__file__.startswith(sys.path[0]), msgpack.__file__\n"
        "assert msgpack.Packer.__module__ == 'msgpack.fallback'\n"
        "content = {'a': [1, 2.5, None, True], 'b': b'bytes', 'c': {'deep': 'text'}}\n"
        "sys.stdout.buffer.write(msgpack.packb(content, use_bin_type=True))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, check=True)
    assert msgpack.unpackb(done.stdout) == {"a": [1, 2.5, None, True], "b": b"bytes", "c": {"deep": "text"}}


def test_pure_wheel_names_its_pythons_and_every_file_it_holds(compiled: Path, tmp_path: Path) -> None:
    pure = pure_wheel(compiled, ["3.16", "3.9"], tmp_path / "pure")
    assert pure.name.endswith("-py39.py316-none-any.whl")
    with zipfile.ZipFile(pure) as archive:
        names = set(archive.namelist())
        (info,) = {name.partition("/")[0] for name in names if ".dist-info/" in name}
        about = archive.read(f"{info}/WHEEL").decode()
        recorded = {line.split(",")[0] for line in archive.read(f"{info}/RECORD").decode().splitlines()}
    assert recorded == names
    assert not [name for name in names if name.endswith((".so", ".pyd"))]
    assert "Root-Is-Purelib: true" in about
    assert "Tag: py316-none-any" in about
    assert pure.read_bytes() == pure_wheel(compiled, ["3.9", "3.16"], tmp_path / "again").read_bytes()


@pytest.fixture
def index(compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Stands for pip and its index: which wheels there are by Python; pyzmq's for 3.12 serves later ones."""
    there = {version: [f"pyzmq-27.3.0-cp{version.replace('.', '')}-x.whl"] for version in PYTHON_VERSIONS}

    def download(requirements: Sequence[str], folder: Path, tags: object, version: str) -> None:
        (name,) = (requirement.partition("==")[0] for requirement in requirements)
        found = [wheel for wheel in there[version] if wheel.startswith(f"{name}-")]
        if not found:
            raise BuildError(f"pip download failed:\nERROR: No matching distribution found for {name}")
        folder.mkdir(parents=True, exist_ok=True)
        for wheel in found:
            (folder / wheel).write_bytes(compiled.read_bytes())

    monkeypatch.setattr(wheels, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(wheels, "download", download)
    return there


def test_one_pure_msgpack_serves_every_python(index: dict[str, list[str]]) -> None:
    index["3.11"].append("msgpack-1.2.4-cp311-cp311-x.whl")
    names = [wheel.name for wheel in dependency_wheels("linux-x64")]
    (msgpacks,) = [name for name in names if name.startswith("msgpack")]
    assert msgpacks.endswith("-py311.py312.py313.py314.py315.py316.py317-none-any.whl")
    assert names == [wheel.name for wheel in dependency_wheels("linux-x64", offline=True)], "kept"


def test_platform_without_a_wheel_is_an_error(index: dict[str, list[str]]) -> None:
    with pytest.raises(BuildError, match="No matching distribution found for msgpack"):
        dependency_wheels("linux-x64")
    with pytest.raises(BuildError, match="run without --offline"):
        dependency_wheels("macos-x64", offline=True)


def test_dead_network_is_not_taken_for_a_missing_wheel(
    index: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(requirements: Sequence[str], *rest: object) -> None:
        raise BuildError("pip download failed:\nNewConnectionError")

    monkeypatch.setattr(wheels, "download", download)
    with pytest.raises(BuildError, match="NewConnectionError"):
        dependency_wheels("linux-x64")


def test_every_python_finds_exactly_one_wheel_of_each(compiled: Path) -> None:
    """By the rules of packaging; `tests/blender` asks Blender's own."""
    if not (wheels.CACHE / "linux-x64" / "msgpack-cp311" / "requirement.txt").is_file():
        pytest.skip("the wheels have not been fetched: python build_addon.py --no-backend")
    names = [wheel.name for wheel in dependency_wheels("linux-x64", offline=True)]
    for version in (*PYTHON_VERSIONS, *LATER_PYTHONS):
        python = tuple(map(int, version.split(".")))
        tags = {*cpython_tags(python, platforms=LINUX), *compatible_tags(python, platforms=LINUX)}
        fitting = [str(parse_wheel_filename(name)[0]) for name in names if parse_wheel_filename(name)[3] & tags]
        assert sorted(fitting) == ["msgpack", "pyzmq"], version


@pytest.mark.slow
def test_protocol_holds_with_a_pure_msgpack() -> None:
    """Which Blender gets."""
    check = "import msgpack; assert msgpack.Packer.__module__ == 'msgpack.fallback'"
    environment = {**os.environ, "MSGPACK_PUREPYTHON": "1"}
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", check], env=environment, check=True)
    files = ["tests/shared/test_protocol.py", "tests/shared/test_malformed_messages.py"]
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
    subprocess.run(tests, env=environment, cwd=root, check=True)
