"""The table `speed`: seconds of every stage, of the clock and of the processor; cold, warm, busy, and at other sizes.

Ratios are of jobs of one run, one after the other, so that they mean something on a machine that is shared.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.device import DEVICES
from backend.evaluation.subjects import add_portraits_argument, neutral_photos, portraits_folder
from backend.evaluation.tables import Row, Table, mean_of, verdict, write_table
from backend.option_arguments import add_option_arguments
from backend.pipeline import Pipeline
from backend.progress import Progress
from shared.errors import RelightifyError
from shared.options import JobOptions

COMMAND, FIRST, WARM, BUSY = "from the command line", "first job", "warm job", "warm job beside a load"
TOTAL, PROCESSOR, SHOWN = "total s", "processor s", "first progress s"
PHOTOS = 3
SPINNING = "while True: pass"
# Runs the command with the Python and the modules of this process.
RELIGHTIFY = (sys.executable, "-c", "import sys; from backend.cli import main; sys.exit(main())")


@dataclass(frozen=True)
class Limits:
    """What must be reached on two quiet cores at 1024 px.

    Args:
        warm_s: seconds of a warm job by quality.
        command_s: seconds of `draft` from the command line, models loaded and files written.
        shown_s: seconds until the command shows that it works.
        busy: times as long beside a load.
        larger: times as long at twice the resolution.
    """

    warm_s: tuple[tuple[str, float], ...] = (("draft", 4.0), ("standard", 6.0), ("high", 9.0))
    command_s: float = 8.0
    shown_s: float = 1.5
    busy: float = 2.2
    larger: float = 1.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate speed`."""
    add_portraits_argument(parser)
    add_option_arguments(parser, "resolution")
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="default: %(default)s")
    parser.add_argument("--qualities", nargs="+", metavar="QUALITY", help="default: all")


def run(options: argparse.Namespace) -> int:
    """Run jobs of every quality and write the table.

    Raises:
        RelightifyError: `no_photos`, `quality_unavailable`.
    """
    photos = neutral_photos(portraits_folder(options), options.limit or PHOTOS)
    if not photos:
        raise RelightifyError("no_photos", "There are no test portraits.", "Name a folder: --portraits.")
    size, rows = options.resolution, []
    for quality in options.qualities or Pipeline(options.device).priors:
        rows.append(command_line_row(quality, size, options.device, *photos[0]))
        # A new pipeline each: the first job of a quality pays for what it loads.
        pipeline = Pipeline(options.device)
        rows += _jobs(pipeline, quality, size, FIRST, photos[:1])
        for photo in photos:
            # What is compared comes at once after what it is compared with.
            rows += _jobs(pipeline, quality, size, WARM, [photo])
            with full_load():
                rows += _jobs(pipeline, quality, size, BUSY, [photo])
        rows += _jobs(pipeline, quality, 2 * size, at_size(2 * size), photos)
    protocol = (
        f"Neutral portraits of held-out people at {size} x {size} on {options.device}, {os.cpu_count()} cores, "
        f"{platform.machine()}, {platform.system()}. Seconds of each stage; `{PROCESSOR}` are of all threads together; "
        "memory is the process' largest during the job. The load is a busy program a core. "
        "The paper, sampling alone: 12 s on an RTX 2080 Ti; OSTeC 10 min."
    )
    write_table(Table("speed", "Speed", protocol, rows, verdicts(rows, size)), options.out)
    return 0


@contextlib.contextmanager
def full_load() -> Iterator[None]:
    """Keep as many other programs busy as there are cores, as a rendering beside a job does."""
    programs = [subprocess.Popen([sys.executable, "-c", SPINNING]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def at_size(resolution: int) -> str:
    """The condition of a warm job with maps of another size."""
    return f"{WARM} at {resolution}"


def verdicts(rows: list[Row], resolution: int, limits: Limits = Limits()) -> list[str]:
    """What of the limits is kept; those in seconds are for two quiet cores and 1024 px."""
    said = []
    for quality in dict.fromkeys(row.prior for row in rows):
        warm = mean_of(rows, quality, WARM, TOTAL)
        for most in (seconds for name, seconds in limits.warm_s if name == quality):
            said.append(verdict(f"{quality}: a warm job {warm:.1f} s, at most {most}", warm <= most))
        larger = at_size(2 * resolution)
        for name, condition, most in (("beside a load", BUSY, limits.busy), ("larger", larger, limits.larger)):
            ratio = mean_of(rows, quality, condition, TOTAL) / warm
            said.append(verdict(f"{quality}: {name} {ratio:.2f} times as long, at most {most}", ratio <= most))
    cold, shown = (mean_of(rows, "draft", COMMAND, figure) for figure in (TOTAL, SHOWN))
    said.append(verdict(f"draft {COMMAND}: {cold:.1f} s, at most {limits.command_s}", cold <= limits.command_s))
    said.append(verdict(f"first progress after {shown:.1f} s, at most {limits.shown_s}", shown <= limits.shown_s))
    return said


def _jobs(
    pipeline: Pipeline, quality: str, resolution: int, condition: str, photos: list[tuple[str, Path]]
) -> Iterator[Row]:
    for name, path in photos:
        done = pipeline.reconstruct(path.read_bytes(), JobOptions(quality=quality, resolution=resolution), Progress())
        figures = {f"{stage} s": seconds for stage, seconds in done.timings.items()}
        figures[TOTAL] = sum(done.timings.values())
        figures[PROCESSOR] = sum(done.processor_timings.values())
        figures["memory MB"] = (done.peak_memory_bytes or float("nan")) / 1e6
        yield Row(quality, condition, name, figures)


def command_line_row(quality: str, resolution: int, device: str, name: str, photo: Path) -> Row:
    """A job by the command in a process of its own: all of it, and the time until it shows that it works.

    Raises:
        subprocess.CalledProcessError: the command failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        asked = ("--quality", quality, "--resolution", str(resolution), "--device", device)
        command = [*RELIGHTIFY, "reconstruct", str(photo), "--out", str(Path(folder) / "head"), *asked]
        started, before = time.perf_counter(), _children_s()
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            assert process.stderr is not None
            process.stderr.readline()
            shown = time.perf_counter() - started
            process.stderr.read()
        if process.returncode != 0:
            raise subprocess.CalledProcessError(process.returncode, command)
        figures = {TOTAL: time.perf_counter() - started, PROCESSOR: _children_s() - before, SHOWN: shown}
    return Row(quality, COMMAND, name, figures)


def _children_s() -> float:
    """Processor seconds of the programs that this one started and that have ended."""
    times = os.times()
    return times.children_user + times.children_system
