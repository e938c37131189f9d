"""The table `samplers`: the samplers over the same model, all maps decoded (the paper's tables 3 and 4, figure 11)."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from backend.delight.delighting import DelightedTexture
from backend.detail.options import DetailOptions
from backend.evaluation.kept_records import read_rows, write_rows
from backend.evaluation.skin.reflectance import CYCLES, PORTRAITS, Case, add_picture_arguments, cases, compare
from backend.evaluation.subjects import prepare
from backend.evaluation.tables import Row, Table, write_figure, write_table
from backend.pipeline import Pipeline, finished_maps
from backend.prior.diffusion.presets import PAPER
from backend.prior.diffusion.prior import DiffusionPrior
from backend.prior.diffusion.sampler_options import SAMPLER_NAMES, SamplerOptions
from backend.progress import Progress, Stopwatch
from backend.texture.maps import SkinMaps
from backend.texture.regions import face_regions
from shared.errors import RelightifyError
from shared.options import REFLECTANCES

log = logging.getLogger(__name__)

PAPER_STEPS, PAPER_DDIM_STEPS = 1000, 200
FIGURES = ("A_d", "A_s", "N", "A_d SSIM", "A_s SSIM", "N SSIM", "A_d of equal tone")
PLAIN, HALF, POSTERIOR = "plain", "plain half", "posterior"
# By A_d in the paper's table 4, best first.
PAPERS_ORDER = (f"mcg, {PLAIN}", f"mcg_ddim, {PLAIN}", "score_sde", "repaint")
PROTOCOL = """{subjects} held-out people, a picture each: CG heads rendered by Cycles and portraits by turns, truth as
in the table `reflectance`. Every sampler from pure noise, one fair draw with the seed 0, A_d, A_s and N decoded from
z_0, nothing joined; the photo's marks of the skin are laid over T and A_d, as a job does; {steps} steps for score_sde,
repaint (each {resamplings} times) and mcg, {ddim} for mcg_ddim. `plain` is the normalised gradient step with zeta = 1
on the gradient of the squared norm, which eq. 9d and MCG print, `plain half` the gradient of the norm itself, which
MCG's code for inpainting takes, `posterior` the step as the posterior wants it. PSNR in dB and SSIM on the face;
seconds are those of sampling alone, by the clock and of the processor. The paper's figures (other people, light-stage
truth; A_d, A_s, N in dB): score_sde 20.80 / 26.69 / 26.86, repaint 20.08 / 26.65 / 27.27, mcg 22.47 / 27.17 / 26.69,
mcg_ddim 21.94 / 26.88 / 26.45.
"""


@dataclass(frozen=True)
class StepTimes:
    """When a stage reported; to be called as a progress callback.

    Args:
        stage: that is listened to.
        seconds: by the clock and of the processor, filled while it runs.
    """

    stage: str
    seconds: list[tuple[float, float]] = field(default_factory=list)

    def __call__(self, stage: str, fraction: float, preview: np.ndarray | None) -> None:
        if stage == self.stage:
            self.seconds.append((time.perf_counter(), time.process_time()))

    def sampling(self, steps: int) -> tuple[float, float]:
        """Seconds of so many steps, each of which reported, before a last report that all is done.

        Returns:
            by the clock, and of the processor.
        """
        (clock, busy), (last_clock, last_busy) = self.seconds[-1 - steps], self.seconds[-2]
        share = steps / max(steps - 1, 1)
        return (last_clock - clock) * share, (last_busy - busy) * share


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate samplers`."""
    add_picture_arguments(parser)
    parser.add_argument("--subjects", type=int, default=6, metavar="N", help="people, default: %(default)s")
    parser.add_argument("--steps", type=int, default=PAPER_STEPS, help="of score_sde, repaint and mcg")
    parser.add_argument("--ddim-steps", type=int, default=PAPER_DDIM_STEPS, help="of mcg_ddim")
    parser.add_argument("--resamplings", type=int, default=SamplerOptions().resamplings, help="of repaint")


def run(options: argparse.Namespace) -> int:
    """Measure every sampler on every picture; write the table and a figure a picture.

    The slowest sampler comes last, and each measurement is written down: a run that was stopped has whole columns, and
    started again with the same folder and options it goes on.

    Raises:
        RelightifyError: ``quality_unavailable``, or a folder lacks what is needed.
    """
    pipeline = Pipeline("auto")
    high = pipeline.prior("high")
    assert isinstance(high, DiffusionPrior)
    schedule = high.load().denoiser.schedule
    regions = face_regions(pipeline.model, pipeline.uv_space(512))
    stored = options.out / "samplers_rows.jsonl"
    rows = read_rows(stored)
    failures: dict[str, str] = {}
    prepared: dict[str, tuple[Case, DelightedTexture]] = {}
    for case in by_turns(list(cases(options, pipeline)), options.subjects):
        try:
            prepared[_subject(case)] = case, prepare(pipeline, case.name, case.picture.read_bytes()).delit()
        except RelightifyError as error:
            failures[_subject(case)] = error.message
    protocol = PROTOCOL.format(
        subjects=options.subjects, steps=options.steps, resamplings=options.resamplings, ddim=options.ddim_steps
    )
    for name, chosen in samplers(options):
        prior = DiffusionPrior(high.coarse, high.load, dict.fromkeys(REFLECTANCES, replace(PAPER, options=chosen)))
        for subject, (case, delit) in prepared.items():
            if any((row.prior, row.subject) == (name, subject) for row in rows):
                continue
            times = StepTimes("complete")
            watch = Stopwatch(Progress(times))
            calm = DetailOptions(strength=0.0)
            maps = next(finished_maps(prior, delit, [0], calm, watch, reflectance="prior"))
            jumps = len(schedule.pairs(chosen.steps, schedule.noise_step))
            rounds = chosen.resamplings if chosen.name == "repaint" else 1
            # The last of repaint's steps is not drawn again.
            seconds, busy = times.sampling((jumps - 1) * rounds + 1)
            row = compare(name, case, maps, regions).row
            figures = {key: row.values[key] for key in FIGURES} | {"seconds": seconds, "processor": busy}
            rows.append(replace(row, condition="all", subject=subject, values=figures))
            write_rows(rows[-1:], stored)
            figure = options.out / "samplers" / f"{subject} {name}.png".replace("/", "_").replace(" ", "_")
            write_figure(figure, [_tiles(case.truth), _tiles(maps)], ["T", "A_d", "A_s", "N"])
            write_table(Table("samplers", "Samplers", protocol, rows, verdicts(rows), failures), options.out)
            log.info("%s, %s: %.0f s", subject, name, busy)
    return 0


def _subject(case: Case) -> str:
    return f"{case.condition} {case.name}"


def by_turns(found: Sequence[Case], count: int) -> list[Case]:
    """The first picture of each of so many people, CG heads and portraits by turns."""
    firsts: dict[tuple[str, str], Case] = {}
    for case in found:
        firsts.setdefault((case.condition, case.name.split(" ")[0]), case)
    kinds = [[case for (kind, _), case in firsts.items() if kind == wanted] for wanted in (CYCLES, PORTRAITS)]
    ordered = [kind[k] for k in range(max(map(len, kinds), default=0)) for kind in kinds if k < len(kind)]
    return ordered[:count]


def samplers(options: argparse.Namespace) -> list[tuple[str, SamplerOptions]]:
    """Name and options of all four, those with a gradient with several lengths of its step; the slowest come last."""
    found = []
    for name in SAMPLER_NAMES:
        steps = options.ddim_steps if name == "mcg_ddim" else options.steps
        chosen = SamplerOptions(name, steps=steps, resamplings=options.resamplings)
        if name in ("score_sde", "repaint"):
            found.append((name, chosen))
            continue
        plain = replace(chosen, step_size="residual", zeta=1.0)
        found += [(f"{name}, {PLAIN}", plain), (f"{name}, {POSTERIOR}", chosen)]
        if name == "mcg_ddim":  # of the other it would take minutes more
            found.append((f"{name}, {HALF}", replace(plain, zeta=0.5)))
    return sorted(found, key=lambda sampler: passes(sampler[1]))


def passes(options: SamplerOptions) -> int:
    """How often the network is passed, forwards or backwards."""
    if options.name == "score_sde":
        return options.steps
    if options.name == "repaint":
        return options.steps * options.resamplings
    return options.steps * (2 if options.step_size == "residual" else 1 + options.solves)


def verdicts(rows: Sequence[Row]) -> list[str]:
    """What each sampler gains over the paper's default, paired over people, and whether the paper's order holds."""
    base = f"mcg_ddim, {PLAIN}"
    usual = {row.subject: row.values for row in rows if row.prior == base}
    sentences = []
    for name in dict.fromkeys(row.prior for row in rows if row.prior != base):
        own = [row for row in rows if row.prior == name and row.subject in usual]
        parts = []
        for figure in ("A_d", "A_s", "N"):
            gains = np.array([row.values[figure] - usual[row.subject][figure] for row in own])
            error = gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else float("nan")
            parts.append(f"{figure} {gains.mean() if len(gains) else float('nan'):+.2f} ± {error:.2f}")
        sentences.append(f"{name} less {base}, dB: {', '.join(parts)}")
    means = {n: np.mean([r.values["A_d"] for r in rows if r.prior == n]) for n in dict.fromkeys(r.prior for r in rows)}
    order = sorted((n for n in PAPERS_ORDER if n in means), key=lambda n: -means[n])
    holds = "holds" if tuple(order) == PAPERS_ORDER else "does not hold"
    return [*sentences, f"the paper's order by A_d {holds} here: {', '.join(order)}"]


def _tiles(maps: SkinMaps) -> list[np.ndarray]:
    gray = np.repeat(maps.specular_albedo[..., None], 3, -1)
    return [maps.texture_srgb, maps.diffuse_albedo_srgb, gray, maps.normal * 0.5 + 0.5]
