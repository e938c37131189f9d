"""`relightify batch`: heads of many photos, taken up again where an earlier run stopped."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from backend.batch.cluster import LOCAL, ClusterRunner
from backend.batch.ledger import DONE, FAILED, Ledger, LedgerEntry, digest_of_options, digest_of_photos
from backend.batch.local import run_here
from backend.batch.outcome import HeadOutcome
from backend.batch.photos import Head, find_photos, heads_of
from backend.batch.render import can_render, render_heads
from backend.batch.runners import BatchTask, Runner
from backend.batch.sheet import write_sheet, write_strip
from backend.device import DEVICES
from backend.option_arguments import add_option_arguments, options_of
from backend.output import DESCRIPTION, require_writable, write_packed
from shared.errors import RelightifyError
from shared.options import JOB_OPTIONS
from shared.paths import home_expanded
from shared.photo_files import photo_file_bytes

MINUTES = 30.0
LISTED = "or text files with one of these a line"
NOT_THE_PHOTO = ("disk_full", "cannot_write")
SOME_FAILED = 3  # as a photo that cannot be used, of `relightify reconstruct`


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify batch`."""
    parser.add_argument("photos", nargs="+", metavar="PHOTOS", help=f"image files, folders, patterns, {LISTED}")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the heads and their table")
    parser.add_argument(
        "--group", choices=("photo", "folder"), default="photo", help="what is one person's: %(default)s"
    )
    parser.add_argument("--jobs", type=_count, default=1, metavar="N", help="heads at once, 2 GB each: %(default)s")
    parser.add_argument("--again", action="store_true", help="try photos that failed before once more")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="after which a head is given up: %(default)g")
    parser.add_argument("--ray", metavar="ADDRESS", help=f"work on a Ray cluster; {LOCAL}: one on this machine")
    parser.add_argument(
        "--gpus", type=float, default=0.0, metavar="SHARE", help="of a GPU for each worker of the cluster"
    )
    parser.add_argument("--blender", type=Path, metavar="FILE", help="renders the sheet: Blender, or a Python with bpy")
    add_option_arguments(parser, *(name for name in JOB_OPTIONS if name != "face"))
    parser.set_defaults(face=None)
    parser.add_argument("--device", choices=DEVICES, default="auto", help="default: %(default)s")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be 1 or more")
    return number


def run(options: argparse.Namespace) -> int:
    """Make the heads that are not made yet, then the table and the sheet; 3 where some failed.

    Raises:
        RelightifyError: nothing can be read or written, or there is nobody to do the work.
    """
    runner: Runner = run_here if options.ray is None else ClusterRunner(options.ray, options.gpus)
    return run_with(runner, options)


def run_with(runner: Runner, options: argparse.Namespace) -> int:
    """`run` by any workers."""
    task = BatchTask(options_of(options), options.device, options.jobs, options.minutes)
    folder = home_expanded(options.out).absolute()
    photos, rendering = find_photos(options.photos), can_render(options.blender)
    require_writable(folder, task.options.resolution, task.options.samples)
    folder.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(folder)
    heads = heads_of(photos, options.group == "folder", ledger.names)
    wanted = digest_of_options(task.options)
    contents: dict[Head, str] = {}

    def read(head: Head) -> list[bytes]:
        data = [_bytes_of(path) for path in head.photos]
        contents[head] = digest_of_photos(data)
        return data

    left = [head for head in heads if not _settled(head, ledger, folder, wanted, options.again)]
    if len(left) < len(heads) and not options.quiet:
        print(
            _settled_text(ledger.of({head.key for head in heads} - {head.key for head in left}), heads), file=sys.stderr
        )
    show = Counter(len(left), quiet=options.quiet)
    try:
        for head, outcome in runner(left, read, task):
            code, message = _written(folder, head, outcome)
            entry = LedgerEntry(
                head.name, head.key, FAILED if code else DONE, code, message, " ".join(outcome.warnings),
                round(outcome.seconds, 1), wanted, contents.get(head, ""),
            )  # fmt: skip
            ledger.add(entry)
            show.done(head.name, entry.message)
            if code == "disk_full":
                hint = "Free some space and run the same command: it goes on from here."
                raise RelightifyError("disk_full", "There is not enough space for the next head.", hint)
    except KeyboardInterrupt:
        write_sheet(folder, ledger.of(head.key for head in heads))  # of what there is
        raise
    entries = ledger.of(head.key for head in heads)
    sheet = write_sheet(folder, entries)  # now already, since Blender may fail
    if rendering:
        render_heads(folder, [entry.name for entry in entries if entry.state == DONE], options.blender)
        sheet = write_sheet(folder, entries)
    failures = [entry for entry in entries if entry.state == FAILED]
    print(f"{len(entries) - len(failures)} of {len(entries)} heads are done: {sheet}")
    return SOME_FAILED if failures else 0


def _settled_text(settled: Sequence[LedgerEntry], heads: Sequence[Head]) -> str:
    """What an earlier run has left, for the terminal."""
    failed = sum(entry.state == FAILED for entry in settled)
    there = f"{len(settled) - failed} of {len(heads)} heads are there already."
    return f"{there} {failed} could not be made; --again tries them once more." if failed else there


def _written(folder: Path, head: Head, outcome: HeadOutcome) -> tuple[str, str]:
    """Write a head's files; code and sentences of what went wrong with it, empty where nothing did."""
    if not outcome.code:
        try:
            write_packed(outcome.files, folder / head.name)
            write_strip(folder, head.name, outcome.strip)
        except RelightifyError as error:
            return error.code, str(error)
    return outcome.code, outcome.message


def _settled(head: Head, ledger: Ledger, folder: Path, options: str, again: bool) -> bool:
    """Whether an earlier run has done with a head: the same photos, by the same options, its files still there."""
    (entry,) = ledger.of([head.key]) or (None,)
    if entry is None or entry.options != options:
        return False
    if entry.state == FAILED and (again or entry.code in NOT_THE_PHOTO):
        return False
    if entry.state == DONE and not (folder / head.name / DESCRIPTION).is_file():
        return False
    try:
        return digest_of_photos(_bytes_of(path) for path in head.photos) == entry.content or not entry.content
    except RelightifyError:
        return entry.state == FAILED


def _bytes_of(path: Path) -> bytes:
    try:
        return photo_file_bytes(path)
    except OSError as error:
        raise RelightifyError(
            "photo_not_found", f"The photo {path} cannot be read: {error.strerror}.", "Check the path."
        ) from error


class Counter:
    """Tells how many heads are done and how long the rest will take.

    Args:
        total: heads to make.
        quiet: True tells nothing.
        clock: seconds.
    """

    def __init__(self, total: int, quiet: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self.total, self.quiet, self.clock = total, quiet, clock
        self.count, self.began = 0, clock()

    def done(self, name: str, message: str) -> None:
        """One more; `message` says why it failed, empty where it did not."""
        self.count += 1
        if not self.quiet:
            print(self.line(name, message), file=sys.stderr, flush=True)

    def line(self, name: str, message: str) -> str:
        """The last state in words."""
        left = (self.clock() - self.began) / max(self.count, 1) * (self.total - self.count)
        time_left = f", {duration(left)} left" if self.count < self.total else ""
        return f"[{self.count}/{self.total}{time_left}] {name}{f': {message}' if message else ''}"


def duration(seconds: float) -> str:
    """`40 s`, `12 min` or `3 h 05 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
