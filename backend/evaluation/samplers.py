"""The table `samplers`: the four samplers over the same model, on the pictures of `reflectance` (paper, sec. 4.6)."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Iterator
from dataclasses import replace

from backend.evaluation.reflectance import add_arguments as add_reflectance_arguments
from backend.evaluation.reflectance import cases, compare
from backend.evaluation.subjects import prepare
from backend.evaluation.tables import Row, Table, write_table
from backend.pipeline import Pipeline
from backend.prior.diffusion.presets import SamplingPreset
from backend.prior.diffusion.prior import DiffusionPrior
from backend.prior.diffusion.sampling import SAMPLER_NAMES, SamplerOptions
from backend.texture.regions import face_regions
from shared.errors import RelightifyError
from shared.options import REFLECTANCES

log = logging.getLogger(__name__)

PAPER_STEPS, PAPER_DDIM_STEPS = 1000, 200
PROTOCOL = """As the table `reflectance` (its people, its truth), every sampler from noise; {steps} steps for score_sde,
repaint (each {resamplings} times) and mcg, {ddim} for mcg_ddim. Seconds are those of the whole completion, fit and
unwrapping aside. The paper's figures (other people, light-stage truth; A_d, A_s, N in dB): score_sde 20.80 / 26.69 /
26.86, repaint 20.08 / 26.65 / 27.27, mcg 22.47 / 27.17 / 26.69, mcg_ddim 21.94 / 26.88 / 26.45.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate samplers`."""
    add_reflectance_arguments(parser)
    parser.add_argument("--steps", type=int, default=PAPER_STEPS, help="of score_sde, repaint and mcg")
    parser.add_argument("--ddim-steps", type=int, default=PAPER_DDIM_STEPS, help="of mcg_ddim")
    parser.add_argument("--resamplings", type=int, default=SamplerOptions().resamplings, help="of repaint")


def run(options: argparse.Namespace) -> int:
    """Measure every sampler on every picture; write the table.

    Raises:
        RelightifyError: ``quality_unavailable``, or a folder lacks what is needed.
    """
    pipeline = Pipeline("auto")
    high = pipeline.prior("high")
    assert isinstance(high, DiffusionPrior)
    regions = face_regions(pipeline.model, pipeline.uv_space(512))
    rows: list[Row] = []
    failures: dict[str, str] = {}
    for case in cases(options, pipeline):
        try:
            subject = prepare(pipeline, case.name, case.picture.read_bytes())
        except RelightifyError as error:
            failures[f"{case.condition} {case.name}"] = error.message
            continue
        for chosen in samplers(options):
            prior = DiffusionPrior(high.coarse, high.load, dict.fromkeys(REFLECTANCES, SamplingPreset(chosen, None)))
            started = time.perf_counter()
            maps = subject.completed(prior)
            seconds = time.perf_counter() - started
            row = compare(chosen.name, case, maps, regions).row
            rows.append(replace(row, values={**row.values, "seconds": seconds}))
            log.info("%s %s, %s: %.0f s", case.condition, case.name, chosen.name, seconds)
    protocol = PROTOCOL.format(steps=options.steps, resamplings=options.resamplings, ddim=options.ddim_steps)
    write_table(Table("samplers", "Samplers", protocol, rows, (), failures), options.out)
    return 0


def samplers(options: argparse.Namespace) -> Iterator[SamplerOptions]:
    """All four, with the steps asked for."""
    for name in SAMPLER_NAMES:
        steps = options.ddim_steps if name == "mcg_ddim" else options.steps
        yield SamplerOptions(name, steps=steps, resamplings=options.resamplings)
