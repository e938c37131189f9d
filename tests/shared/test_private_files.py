"""Files of ours are ours alone, nothing is written through a link, and a claim has one holder."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from shared.private_files import Claim, open_private

ROOT = Path(__file__).resolve().parents[2]
posix_only = pytest.mark.skipif(os.name != "posix", reason="links and modes are POSIX")


def write(path: Path, text: bytes, append: bool = False) -> None:
    with os.fdopen(open_private(path, append), "wb") as file:
        file.write(text)


@posix_only
@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("how", ["symlink", "hard link", "dangling link"])
def test_nothing_is_written_through_a_link(tmp_path: Path, how: str, append: bool) -> None:
    precious, path = tmp_path / "precious", tmp_path / "logs" / "serve.log"
    precious.write_text("do not lose this")
    path.parent.mkdir()
    if how == "hard link":
        path.hardlink_to(precious)
    else:
        path.symlink_to(precious if how == "symlink" else tmp_path / "new")
    write(path, b"a line", append)
    assert precious.read_text() == "do not lose this"
    assert not (tmp_path / "new").exists()
    assert path.read_text() == "a line"
    assert not path.is_symlink()


@posix_only
def test_pipe_in_the_place_of_a_log_is_put_out_of_the_way(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log")
    write(tmp_path / "log", b"a line")
    assert (tmp_path / "log").read_bytes() == b"a line"


@posix_only
def test_file_and_folder_are_the_owners_alone_whatever_they_were(tmp_path: Path) -> None:
    path = tmp_path / "new" / "log"
    old = os.umask(0)
    try:
        write(path, b"one")
        path.chmod(0o666)
        write(path, b" two", append=True)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_bytes() == b"one two"
    write(path, b"3")
    assert path.read_bytes() == b"3"


def test_claim_has_one_holder_and_leaves_no_file(tmp_path: Path) -> None:
    first, second = Claim(tmp_path / "lock"), Claim(tmp_path / "lock")
    assert first.take()
    assert first.take(), "who has it keeps it"
    assert not second.take()
    first.release()
    assert second.take()
    second.release()
    assert not list(tmp_path.iterdir())


def test_claim_ends_with_its_process(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from shared.private_files import Claim\n"
        "claim = Claim(Path(sys.argv[1])); print(claim.take(), flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "lock")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"True\n"
        own = Claim(tmp_path / "lock")
        assert not own.take()
        other.kill()
        other.wait()
        assert own.take()
        own.release()
