"""The table `draws`: whether fair draws are worth choosing from, as completions of photos and as samples from noise."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from backend.delight.delighting import DelightedTexture
from backend.evaluation import metrics
from backend.evaluation.completion import around_face, hide
from backend.evaluation.distribution.fair_draws import (
    DrawsCompletions,
    DrawsSkins,
    LinearDraws,
    SampleDraws,
    StreamDraws,
    encoded,
    network_in,
)
from backend.evaluation.distribution.from_noise import CONDITION, REAL, Reality, Yardstick
from backend.evaluation.distribution.oracle import oracle_completion
from backend.evaluation.distribution.scores import energy_score, mean_distance
from backend.evaluation.distribution.skin_statistics import MAP_NAMES, sigma_of_width, small_log
from backend.evaluation.kept_records import read_rows, write_rows
from backend.evaluation.parameters import DrawSettings, HidingSettings, SkinStatisticsSettings
from backend.evaluation.skin.pseudo_truth import PortraitTruth, truths_of
from backend.evaluation.subjects import (
    RESOLUTION,
    Subject,
    add_portraits_argument,
    heldout_records,
    portraits_folder,
    prepare,
    training_records,
    visible_from,
)
from backend.evaluation.tables import Row, Table, verdict, write_figure, write_table
from backend.imaging.filters import masked_blur
from backend.pipeline import Pipeline
from backend.prior.diffusion.shipped import ASSET
from backend.prior.diffusion.weights import MAPS, load_autoencoder
from backend.prior.linear.factor_model import load_coarse_prior
from backend.prior.linear.prior import LinearPrior
from backend.progress import Progress
from backend.texture.maps import SkinMaps
from backend.texture.regions import face_regions
from backend.training.skin.pack import PACK, load_pack
from shared.errors import RelightifyError

log = logging.getLogger(__name__)
KEPT = "draws_rows.jsonl"
SAMPLED = ("draft", "standard")
LINEAR, NETWORK, STREAM, EXPECTATION, ORACLE = "linear prior", "network", "training stream", "draft", "oracle"
PROTOCOL = """Fair draws (temperature 1) of every prior. Photos as in the table `completion`: what a camera at the yaw
would not see is hidden, and {completions} completions are drawn from pure noise ({steps} steps of `mcg_ddim` for
networks; factors and noise from the posterior for the linear prior), joined to what is seen, without made detail. On
hidden texels, in sRGB values times 100: `energy` is the energy score (Gneiting and Raftery 2007; less is better),
`energy, broad` the same of what is broader than {broad_mm:.0f} mm, `spread` the root mean square difference of two
draws. `best of {best_of}`, `of the mean` and `usual` are PSNR in dB. `draft` is the linear prior's expectation,
`samples of` a quality are what it makes beside its likeliest completion, `oracle` is the linear model fitted to the
hidden texels themselves: what is there to be won with it.
"""
FROM_NOISE = """{samples} samples from noise each, against unwrapped photos and pseudo-ground truth of people who are in
no prior, all where one of these people is seen. `blotch`: energy of structures of {fine_mm:.0f} to {broad_mm:.0f} mm at
the usual texel of plain skin over that of real maps, `fine`: of what is finer (T and A_d in log colour). `distance`:
squared maximum mean discrepancy of the auto-encoders' latents, with the standard error of a bootstrap by person and the
p of a permutation test; `equal tone` without each map's mean, `of T` of the texture alone. `light`: share of log T -
log A_d that an order-2 light on the mean head explains (that of the real maps is made by dividing such a light out).
`novelty`: nearest training skin over the nearest of equally many that no training saw. The others describe T: see
`backend/evaluation/distribution/skin_statistics.py`. `training stream`: what a prior that has learnt all would draw.
"""


@dataclass(frozen=True)
class HiddenPart:
    """One photo with a part hidden: what is seen, the truth sRGB [R, R, 3], the texels that count, and all of it."""

    delit: DelightedTexture
    whole: DelightedTexture
    truth: np.ndarray
    hidden: np.ndarray
    known: np.ndarray

    @property
    def texels_per_mm(self) -> float:
        """Density of the texels."""
        return self.delit.skin.regions.texels_per_mm


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate draws`."""
    add_portraits_argument(parser)
    settings = DrawSettings()
    parser.add_argument(
        "--weights", type=Path, action="append", default=[], metavar="DIR", help="a candidate network; may be repeated"
    )
    parser.add_argument(
        "--coarse", type=Path, action="append", default=[], metavar="FILE", help="a candidate linear prior"
    )
    parser.add_argument(
        "--photos",
        type=Path,
        default=None,
        metavar="DIR",
        help="further photographs, whose textures T is compared with",
    )
    parser.add_argument(
        "--people", choices=("heldout", "train"), default="heldout", help="on whom; numbers are chosen on train alone"
    )
    parser.add_argument("--only", choices=("noise", "completions"), default=None, help="one half of the table")
    parser.add_argument("--samples", type=int, default=settings.samples, help="from noise, default: %(default)s")
    parser.add_argument("--steps", type=int, default=settings.steps, help="of the sampler, default: %(default)s")


def run(options: argparse.Namespace) -> int:
    """Measure all priors; write both tables and sheets of samples and completions.

    Whose completions were measured is written down, and read back where the folder has it: a run that was stopped goes
    on, with the same options.

    Raises:
        RelightifyError: a folder lacks what is needed.
    """
    settings = replace(DrawSettings(), samples=options.samples, steps=options.steps)
    pipeline = Pipeline("cpu")
    assert pipeline.coarse is not None, "the linear prior ships"
    folder = portraits_folder(options)
    records = heldout_records(folder) if options.people == "heldout" else training_records(folder)
    records = records[:: max(1, len(records) // options.limit)][: options.limit] if options.limit else records
    linear = {LINEAR: LinearDraws(pipeline.coarse)}
    linear |= {path.stem: LinearDraws(load_coarse_prior(path)) for path in options.coarse}
    networks = {NETWORK: network_in(ASSET, pipeline.coarse, pipeline.device, settings.steps)}
    networks |= {
        path.name: network_in(path, pipeline.coarse, pipeline.device, settings.steps) for path in options.weights
    }
    people, failures = {}, {}
    kept = read_rows(options.out / KEPT)
    # Samples from noise are compared with everybody.
    done = {row.subject for row in kept} if options.only == "completions" else set()
    for record in records:
        if record["id"] in done:
            continue
        path = folder / f"{record['id']}_neutral.jpg"
        try:
            people[record["id"]] = prepare(pipeline, record["id"], path.read_bytes())
        except (RelightifyError, FileNotFoundError) as error:
            failures[record["id"]] = str(error)
    if options.only != "completions":
        truths = truths_of(records, folder, pipeline.model, pipeline.uv_space(RESOLUTION))
        reality = _reality(pipeline, people, truths, options)
        stream = {STREAM: StreamDraws(pipeline.model)}
        _measure_samples(reality, {**linear, **networks, **stream}, settings, options.out, failures)
    if options.only != "noise":
        samples = {f"samples of {quality}": SampleDraws(pipeline.priors[quality]) for quality in SAMPLED}
        drawers = {**linear, **networks, **samples}
        _measure_completions(pipeline, people, drawers, settings, options.out, failures, kept)
    return 0


def _reality(
    pipeline: Pipeline, people: Mapping[str, Subject], truths: Sequence[PortraitTruth], options: argparse.Namespace
) -> Reality:
    """Real maps of the people, and the training's skins, unless the people are of the training."""
    space, statistics = pipeline.uv_space(RESOLUTION), SkinStatisticsSettings()
    maps = {}
    for truth in truths:
        if truth.name in people:
            partial = people[truth.name].partial
            both = np.minimum(partial.visibility, truth.truth.visibility)
            maps[truth.name] = replace(truth.truth, texture_srgb=partial.texture_srgb, visibility=both)
    photos = []
    for path in sorted(p for p in (options.photos.iterdir() if options.photos else ()) if p.is_file()):
        try:
            partial = prepare(pipeline, path.name, path.read_bytes()).partial
        except RelightifyError as error:
            log.warning("%s: %s", path.name, error.message)
            continue
        photos.append((partial.texture_srgb, partial.visibility))
    training = None
    if options.people == "heldout":
        skins = load_pack(PACK).albedo_srgb
        training = np.stack([small_log(skin / np.float32(255), statistics.novelty_side) for skin in skins])
    encoders = {name: load_autoencoder(ASSET, name) for name in MAPS}
    normals = space.normals(pipeline.model.mean)
    return Reality(maps, photos, training, encoders, face_regions(pipeline.model, space), normals)


def _measure_samples(
    reality: Reality,
    drawers: Mapping[str, DrawsSkins],
    settings: DrawSettings,
    out: Path,
    failures: dict[str, str],
) -> None:
    yardstick = Yardstick(reality, settings)
    rows = [yardstick.real_row()]
    _sheet(out / "draws" / "real.png", list(reality.people.values()))
    for name, drawer in drawers.items():
        samples = list(drawer.from_noise(range(settings.samples)))
        _sheet(out / "draws" / f"from_noise_{name.replace(' ', '_')}.png", samples)
        rows += yardstick.rows(name, samples)
        log.info("%s: %d samples", name, len(samples))
    fine_mm, broad_mm = SkinStatisticsSettings().blotch_mm
    protocol = FROM_NOISE.format(samples=settings.samples, fine_mm=fine_mm, broad_mm=broad_mm)
    table = Table("draws_from_noise", "Draws from noise", protocol, rows, noise_verdicts(rows), failures)
    write_table(table, out)


def _sheet(path: Path, skins: Sequence[SkinMaps], across: int = 4) -> None:
    """T and A_d side by side, several skins a row; what is not known is dark."""
    pairs = [(s.texture_srgb * s.visibility[..., None], s.diffuse_albedo_srgb * s.visibility[..., None]) for s in skins]
    while len(pairs) % across:
        nothing = np.zeros_like(pairs[0][0])
        pairs.append((nothing, nothing))
    grid = [[image for pair in pairs[k : k + across] for image in pair] for k in range(0, len(pairs), across)]
    write_figure(path, grid, ["T", "A_d"] * across, 256)


def _measure_completions(
    pipeline: Pipeline,
    people: Mapping[str, Subject],
    drawers: Mapping[str, DrawsCompletions],
    settings: DrawSettings,
    out: Path,
    failures: dict[str, str],
    kept: Sequence[Row],
) -> None:
    """Everybody who is not in `kept`, the rows of a run that was stopped; each is written down."""
    protocol = PROTOCOL.format(**{name: getattr(settings, name) for name in settings.__dataclass_fields__})
    rows = list(kept)
    done = {row.subject for row in kept}
    for name, subject in people.items():
        if name in done:
            continue
        measured: list[Row] = []
        for yaw in settings.yaws:
            part = _hidden_part(pipeline, subject, yaw)
            if part is None:
                continue
            found = _completions(pipeline, part, drawers, settings)
            measured += [
                Row(prior, f"yaw {yaw}", name, completion_figures(d, part, settings)) for prior, d in found.items()
            ]
            shown = [[part.delit.partial.texture_srgb, *draws[: settings.best_of]] for draws in found.values()]
            width = max(map(len, shown))
            shown = [[*row, *[np.zeros_like(part.truth)] * (width - len(row))] for row in shown]
            path = out / "draws" / f"{name.replace('/', '_')}_{yaw}.png"
            write_figure(path, shown, ["given", *[f"draw {k + 1}" for k in range(width - 1)]], 256)
        rows += measured
        write_rows(measured, out / KEPT)
        write_table(Table("draws", "Draws", protocol, rows, completion_verdicts(rows), failures), out)
        log.info("%s done", name)


def _hidden_part(
    pipeline: Pipeline, subject: Subject, yaw: int, settings: HidingSettings = HidingSettings()
) -> HiddenPart | None:
    """What is to be completed; None where next to nothing is hidden, or too little is left."""
    near_face = around_face(face_regions(subject.skin.model, subject.skin.uv_space), settings)
    hidden = hide(subject.partial, visible_from(pipeline, subject.skin, yaw), near_face, settings)
    if hidden.hidden.sum() < settings.fewest_texels:
        return None
    try:
        delit = replace(subject, partial=hidden.partial).delit()
    except RelightifyError as error:
        log.warning("%s, yaw %d: %s", subject.name, yaw, error.message)
        return None
    return HiddenPart(delit, subject.delit(), subject.partial.texture_srgb, hidden.hidden, hidden.known)


def _completions(
    pipeline: Pipeline, part: HiddenPart, drawers: Mapping[str, DrawsCompletions], settings: DrawSettings
) -> dict[str, np.ndarray]:
    """Completed textures sRGB [K, R, R, 3] by contender; of those that do not draw K is 1."""
    coarse = pipeline.coarse
    assert coarse is not None
    (expected,) = LinearPrior(coarse).complete(part.delit, [0], Progress())
    found = {
        EXPECTATION: encoded(expected.log_texture)[None],
        ORACLE: encoded(oracle_completion(coarse, part.delit, part.whole))[None],
    }
    for name, drawer in drawers.items():
        drawn = drawer.completions(part.delit, range(settings.completions))
        found[name] = np.stack([encoded(log_texture) for log_texture in drawn])
    return found


def completion_figures(draws: np.ndarray, part: HiddenPart, settings: DrawSettings) -> dict[str, float]:
    """Energy scores, spread (times 100) and PSNR of draws sRGB [K, R, R, 3] on the hidden texels."""
    sigma = sigma_of_width(settings.broad_mm) * part.texels_per_mm
    known = part.known.astype(np.float32)
    ours, truth = draws[:, part.hidden], part.truth[part.hidden]
    broad = np.stack([masked_blur(d, known, sigma)[part.hidden] for d in draws])
    broad_truth = masked_blur(part.truth, known, sigma)[part.hidden]
    each = [metrics.psnr(d, part.truth, part.hidden) for d in draws]
    return {
        "energy": 100 * energy_score(ours, truth),
        "energy, broad": 100 * energy_score(broad, broad_truth),
        "spread": 100 * mean_distance(ours),
        f"best of {settings.best_of}": max(each[: settings.best_of]),
        "of the mean": metrics.psnr(draws.mean(0), part.truth, part.hidden),
        "usual": float(np.mean(each)),
    }


def completion_verdicts(rows: Sequence[Row]) -> list[str]:
    """Who draws better than whom, paired over people."""
    candidates = [p for p in dict.fromkeys(r.prior for r in rows) if p not in (EXPECTATION, ORACLE, LINEAR)]
    sentences = []
    for name in candidates:
        rivals = [LINEAR] if name == NETWORK else [LINEAR, NETWORK]
        for rival in rivals:
            for yaw in dict.fromkeys(r.condition for r in rows):
                for figure in ("energy", "energy, broad"):
                    gain, error = paired(rows, name, rival, yaw, figure)
                    text = (
                        f"{yaw}: {figure} of {name} less that of {rival} {gain:+.2f} ± {error:.2f}, below by 2 errors"
                    )
                    sentences.append(verdict(text, gain < -2 * error))
    return sentences


def paired(rows: Sequence[Row], name: str, rival: str, condition: str, figure: str) -> tuple[float, float]:
    """Mean difference of a figure of two contenders over subjects that both have, and its standard error."""
    own, other = (
        {r.subject: r.values[figure] for r in rows if r.prior == who and r.condition == condition}
        for who in (name, rival)
    )
    differences = np.array([own[s] - other[s] for s in own if s in other])
    if len(differences) < 2:
        return float(differences.mean()) if len(differences) else float("nan"), float("nan")
    return float(differences.mean()), float(differences.std(ddof=1) / np.sqrt(len(differences)))


def noise_verdicts(rows: Sequence[Row]) -> list[str]:
    """Whether blotches are right, and the distance a third of the network's that ships."""
    low, high = DrawSettings().right
    found = {row.prior: row.values for row in rows if row.condition == CONDITION and row.prior != REAL}
    sentences = []
    for name, values in found.items():
        figures = {m: values[f"blotch {m}"] for m in MAP_NAMES}
        told = ", ".join(f"{m} {v:.2f}" for m, v in figures.items())
        right = all(low <= v <= high for v in figures.values())
        sentences.append(verdict(f"{name}: blotch index {told}, within {low} to {high}", right))
        if NETWORK in found and name not in (NETWORK, LINEAR, STREAM):
            own, today = values["distance"], found[NETWORK]["distance"]
            text = f"{name}: distance {own:.3f}, at most a third of today's {today:.3f}"
            sentences.append(verdict(text, own <= today / 3))
    return sentences
