"""The table `speed`: seconds of every stage and the memory that a job needs, cold and warm."""

from __future__ import annotations

import argparse
import os
import platform

from backend.device import DEVICES
from backend.evaluation.subjects import add_portraits_argument, neutral_photos, portraits_folder
from backend.evaluation.tables import Row, Table, mean_of, priors_of, verdict, write_table
from backend.option_arguments import add_option_arguments
from backend.pipeline import Pipeline
from backend.progress import Progress
from shared.errors import RelightifyError
from shared.options import JobOptions

COLD, WARM = "first job", "warm job"
LIMIT_S = 12.0
PHOTOS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate speed`."""
    add_portraits_argument(parser)
    add_option_arguments(parser, "resolution")
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="default: %(default)s")


def run(options: argparse.Namespace) -> int:
    """Run jobs of every quality and write the table.

    Raises:
        RelightifyError: `no_photos`.
    """
    photos = neutral_photos(portraits_folder(options), options.limit or PHOTOS)
    if not photos:
        raise RelightifyError("no_photos", "There are no test portraits.", "Name a folder: --portraits.")
    rows: list[Row] = []
    for quality in Pipeline(options.device).priors:
        # A new pipeline each: the first job of a quality pays for what it loads.
        pipeline = Pipeline(options.device)
        for number, (name, path) in enumerate([photos[0], *photos]):
            job = JobOptions(quality=quality, resolution=options.resolution)
            done = pipeline.reconstruct(path.read_bytes(), job, Progress())
            figures = {f"{stage} s": seconds for stage, seconds in done.timings.items()}
            figures["total s"] = sum(done.timings.values())
            figures["memory MB"] = (done.peak_memory_bytes or float("nan")) / 1e6
            rows.append(Row(quality, WARM if number else COLD, name, figures))
    protocol = (
        f"Neutral portraits of held-out people at {options.resolution} x {options.resolution} on {pipeline.device}, "
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}. Seconds of each stage; memory is the "
        "process' largest during the job. The paper: 12 s on an RTX 2080 Ti; OSTeC 10 min."
    )
    write_table(Table("speed", "Speed", protocol, rows, _verdicts(rows, options.resolution)), options.out)
    return 0


def _verdicts(rows: list[Row], resolution: int) -> list[str]:
    if "draft" not in priors_of(rows):
        return ["the prior draft is not installed"]
    seconds = mean_of(rows, "draft", WARM, "total s")
    return [verdict(f"a warm draft job at {resolution}: {seconds:.1f} s, at most {LIMIT_S:.0f}", seconds <= LIMIT_S)]
