"""A batch from the command line: what is kept, what is taken up again, and that one head costs no other."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from backend.batch import command
from backend.batch.command import Counter, add_arguments, duration, run_with
from backend.batch.ledger import Ledger
from backend.batch.local import run_here
from backend.batch.outcome import HeadOutcome
from backend.batch.photos import Head
from backend.batch.runners import BatchTask, Reader
from shared.errors import RelightifyError
from tests.backend.batch.workers import echo


class HereAndNow:
    """Does all work in this process; ends by itself after so many heads, as somebody pressing Ctrl C would."""

    def __init__(self, most: int = 1000) -> None:
        self.most = most
        self.done: list[str] = []

    def __call__(self, heads: Sequence[Head], read: Reader, task: BatchTask) -> Iterator[tuple[Head, HeadOutcome]]:
        for head in heads:
            if len(self.done) == self.most:
                raise KeyboardInterrupt
            self.done.append(head.name)
            yield head, echo(read(head), task.options, task.device)


@pytest.fixture(autouse=True)
def no_blender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "can_render", lambda named: False)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, data in (("a.jpg", b"one"), ("b.jpg", b"bad"), ("c.jpg", b"three"), ("d.jpg", b"four")):
        (folder / name).write_bytes(data)
    return folder


def parsed(*arguments: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([str(a) for a in arguments])


def rows(out: Path) -> dict[str, dict[str, str]]:
    with (out / "batch.csv").open(newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def test_bad_photos_are_rows_and_the_rest_is_made(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run_with(HereAndNow(), parsed(photos, "--out", out, "--quiet")) == 3
    table = rows(out)
    assert [table[n]["state"] for n in "abcd"] == ["done", "failed", "done", "done"]
    assert (table["b"]["code"], table["b"]["message"]) == ("no_face", "No face was found in the photo.")
    assert (out / "c" / "reconstruction.json").read_bytes() == b"three"
    assert not (out / "b").exists()
    page = (out / "index.html").read_text()
    assert "4 heads, 1 failed" in page
    assert 'src="contact/a.jpg"' in page
    assert "No face was found" in page


def test_a_run_goes_on_where_the_last_one_stopped(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run_with(HereAndNow(2), parsed(photos, "--out", out, "--quiet"))
    assert set(rows(out)) == {"a", "b"}
    runner = HereAndNow()
    run_with(runner, parsed(photos, "--out", out))
    assert runner.done == ["c", "d"]
    said = capsys.readouterr().err.splitlines()[0]
    assert said == "1 of 4 heads are there already. 1 could not be made; --again tries them once more."
    for change, again in (
        (lambda: None, []),
        (lambda: (photos / "c.jpg").write_bytes(b"new"), ["c"]),
        (lambda: (out / "a" / "reconstruction.json").unlink(), ["a"]),
    ):
        change()
        runner = HereAndNow()
        run_with(runner, parsed(photos, "--out", out, "--quiet"))
        assert runner.done == again
    runner = HereAndNow()
    run_with(runner, parsed(photos, "--out", out, "--quiet", "--again"))
    assert runner.done == ["b"]
    runner = HereAndNow()
    run_with(runner, parsed(photos, "--out", out, "--quiet", "--quality", "draft"))
    assert runner.done == ["a", "b", "c", "d"]


def test_a_photo_that_has_gone_costs_no_other(photos: Path, tmp_path: Path) -> None:
    out, listed = tmp_path / "out", tmp_path / "list.txt"
    listed.write_text("photos/a.jpg\nphotos/c.jpg\n")
    (photos / "a.jpg").chmod(0)

    def unreadable(heads: Sequence[Head], read: Reader, task: BatchTask) -> Iterator[tuple[Head, HeadOutcome]]:
        heads[0].photos[0].unlink()
        yield from run_here(heads, read, task, echo)

    assert run_with(unreadable, parsed(listed, "--out", out, "--quiet")) == 3
    assert [rows(out)[n]["code"] for n in "ac"] == ["photo_not_found", ""]


def test_someone_elses_table_is_not_overwritten(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "batch.csv").write_text("city,people\nParis,2000000\n")
    with pytest.raises(RelightifyError) as raised:
        run_with(HereAndNow(), parsed(photos, "--out", tmp_path, "--quiet"))
    assert raised.value.code == "cannot_write"
    assert (tmp_path / "batch.csv").read_text().startswith("city")


def test_names_with_markup_are_only_text_in_the_sheet(tmp_path: Path) -> None:
    photo = tmp_path / "<b>&.jpg"
    photo.write_bytes(b"bad")
    run_with(HereAndNow(), parsed(photo, "--out", tmp_path / "out", "--quiet"))
    page = (tmp_path / "out" / "index.html").read_text()
    assert "&lt;b&gt;&amp;.jpg" in page
    assert "<b>&" not in page


def test_names_that_are_no_text_or_long_or_taken_are_made_like_others(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    names = (
        b"latin\xe4.jpg",
        b"contact.jpg",
        b"index.html.jpg",
        b"batch.csv.jpg",
        b"a|b.jpg",
        b"con.jpg",
        b"two\nlines.jpg",
    )
    names = (*names, ("写" * 80 + ".jpg").encode())
    for name in names:
        with open(bytes(photos) + b"/" + name, "wb") as file:
            file.write(name)
    for expected in (list(range(len(names))), []):
        runner = HereAndNow()
        run_with(runner, parsed(photos, "--out", out, "--quiet"))
        assert len(runner.done) == len(expected)
    made = [path.parent for path in out.rglob("reconstruction.json")]
    assert sorted((folder / "reconstruction.json").read_bytes() for folder in made) == sorted(names)
    assert not {folder.name.casefold() for folder in made} & {"contact", "index.html", "batch.csv", "con"}
    page = (out / "index.html").read_text()
    assert "8 heads</h1>" in page
    assert "<p>a|b.jpg</p>" in page
    assert page.count("<img") == len(names)


def test_a_head_that_the_disk_had_no_room_for_is_tried_again(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise RelightifyError("disk_full", "There is not enough space.", "")

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(command, "write_strip", full)
        with pytest.raises(RelightifyError, match="not enough space"):
            run_with(HereAndNow(), parsed(photos, "--out", out, "--quiet"))
    runner = HereAndNow()
    run_with(runner, parsed(photos, "--out", out, "--quiet"))
    assert runner.done == ["a", "b", "c", "d"]


def test_a_run_that_is_stopped_leaves_a_sheet_of_what_there_is(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_with(HereAndNow(2), parsed(photos, "--out", tmp_path / "out", "--quiet"))
    assert "2 heads, 1 failed" in (tmp_path / "out" / "index.html").read_text()


def test_a_folder_of_one_person_keeps_its_head_when_a_photo_joins(tmp_path: Path) -> None:
    folder, out = tmp_path / "photos" / "ada", tmp_path / "out"
    folder.mkdir(parents=True)
    for name in ("1.jpg", "2.jpg"):
        (folder / name).write_bytes(name.encode())
        run_with(HereAndNow(), parsed(folder.parent, "--out", out, "--quiet", "--group", "folder"))
        (row,) = rows(out).values()
        assert row["name"] == "ada"
    assert row["photos"] == f"{folder / '1.jpg'}|{folder / '2.jpg'}"


@pytest.mark.slow
def test_a_worker_that_dies_or_hangs_costs_only_its_head(photos: Path, tmp_path: Path) -> None:
    (photos / "b.jpg").write_bytes(b"die")
    (photos / "c.jpg").write_bytes(f"once {tmp_path / 'mark'}".encode())
    (photos / "e.jpg").write_bytes(b"hang")
    out = tmp_path / "out"
    options = parsed(photos, "--out", out, "--quiet", "--jobs", 2, "--minutes", 0.15)
    assert run_with(partial(run_here, do=echo), options) == 3
    table = rows(out)
    assert {name: row["code"] for name, row in table.items()} == {
        "a": "", "b": "worker_died", "c": "", "d": "", "e": "worker_died"
    }  # fmt: skip
    assert "twice" in table["b"]["message"]
    assert "minutes" in table["e"]["message"]


def test_the_sheet_is_there_though_blender_fails(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RelightifyError("render_failed", "Blender did not render.", "See its output.")

    monkeypatch.setattr(command, "can_render", lambda named: True)
    monkeypatch.setattr(command, "render_heads", fails)
    with pytest.raises(RelightifyError, match="did not render"):
        run_with(HereAndNow(), parsed(photos, "--out", tmp_path / "out", "--quiet"))
    assert "4 heads, 1 failed" in (tmp_path / "out" / "index.html").read_text()


def test_time_left_is_told_in_words() -> None:
    now = [0.0]
    counter = Counter(3, clock=lambda: now[0])
    counter.count, now[0] = 1, 60.0
    assert counter.line("ada", "") == "[1/3, 2 min left] ada"
    counter.count = 3
    assert counter.line("ada", "No face.") == "[3/3] ada: No face."
    assert [duration(s) for s in (40, 720, 11100)] == ["40 s", "12 min", "3 h 05 min"]


def test_the_table_survives_being_read_back(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_with(HereAndNow(), parsed(photos, "--out", out, "--quiet"))
    before = (out / "batch.csv").read_bytes()
    ledger = Ledger(out)
    (entry,) = ledger.of([f"{photos / 'a.jpg'}"])
    ledger.add(entry)
    assert (out / "batch.csv").read_bytes() == before
    assert entry.warnings == "soft"
