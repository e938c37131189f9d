"""The table `ablation`: what each heuristic gains in the other tables, with its standard error.

Numbers and heuristics are chosen on training people (`--people train`, the default), never on those that the other
tables report on.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from backend.delight.delighting import DelightedTexture, delight
from backend.detail.options import DetailOptions
from backend.detail.stage import add_detail
from backend.evaluation import metrics
from backend.evaluation.cg_heads import VIEWS, Pictures, check_heads, photographed
from backend.evaluation.completion import around_face, hide
from backend.evaluation.parameters import HidingSettings
from backend.evaluation.skin.pseudo_truth import truths_of
from backend.evaluation.skin.reflectance import CYCLES, HEADS, PORTRAITS, Case, compare
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
from backend.evaluation.tables import Gain, gain_of, write_figure
from backend.parameters import Parameters, replaced
from backend.photo.white_cue import white_cue
from backend.pipeline import Pipeline
from backend.prior.interface import CompletedMaps
from backend.prior.linear.prior import LinearPrior
from backend.progress import Progress
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.regions import FaceRegions, face_regions
from shared.errors import RelightifyError

log = logging.getLogger(__name__)

ALL = "all heuristics"
MEASURES = ("A_d", "A_d of equal tone", "A_s", "N")
HIDDEN = "hidden"
TEXTURE = ("delight.trust.", "delight.skin_tone.", "prior.rings.", "prior.joining.", "prior.estimate.")
CALM = DetailOptions(strength=0.0)
PICTURES = Pictures(VIEWS[1:], samples=12)
PROTOCOL = """The quality draft at 512 x 512, without made detail, which is random: with all heuristics, and without
each in turn. A gain is the mean over pictures of the PSNR with the heuristic less that without it, in dB, plus or minus
its standard error: positive where the heuristic helps. `Cycles` and `portraits` are measured as in the table
`reflectance` on the face, `hidden` as in the table `completion`: texels of portraits that a camera at yaw 60 would not
see, for what may change them. In brackets the share of the pictures whose figure changes at all.
"""


@dataclass(frozen=True)
class Heuristic:
    """What can be left out: a field of `Parameters` by its path, and its value where it is."""

    name: str
    path: str
    without: Any = False

    @property
    def texture(self) -> bool:
        """Whether it changes more of the completed texture than the prior's estimate of it."""
        return self.path.startswith(TEXTURE)


HEURISTICS = (
    Heuristic("soften_bright", "delight.highlights.soften_bright"),
    Heuristic("limit_bright", "delight.highlights.limit_bright"),
    Heuristic("local light", "prior.local_light.removed"),
    Heuristic("highlights", "delight.highlights.removed"),
    Heuristic("trust: hairline", "delight.trust.hairline"),
    Heuristic("trust: roughness", "delight.trust.roughness"),
    Heuristic("trust: slivers", "delight.trust.slivers"),
    Heuristic("white cue", "delight.skin_tone.white_cue"),
    Heuristic("residual shading", "prior.residual_shading.removed"),
    Heuristic("without rings", "prior.rings.removed"),
    Heuristic("dark nostrils", "prior.nostrils.darkened"),
    Heuristic("even sides of the estimate", "prior.estimate.even_sides"),
    Heuristic("less mirrored detail", "prior.joining.mirrored_detail", 1.0),
    Heuristic("mirroring", "prior.joining.fill.mirrored"),
    Heuristic("spots not mirrored", "prior.joining.fill.spots_left_out"),
    Heuristic("creases", "detail.creases.found"),
    Heuristic("detail: hairline", "detail.hair.hairline"),
    Heuristic("detail: hair of brows and beard", "detail.hair.grown"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate ablation`."""
    add_portraits_argument(parser)
    parser.add_argument("--heads", type=Path, default=None, metavar="DIR", help="CG heads: a folder with index.json")
    parser.add_argument(
        "--blender-python", type=Path, default=None, metavar="FILE", help="a Python with Blender's module, to render"
    )
    parser.add_argument("--people", choices=("train", "heldout"), default="train", help="default: train, to choose by")
    parser.add_argument("--portrait-count", type=int, default=16, metavar="N", help="portraits, default: 16")
    parser.add_argument("--head-count", type=int, default=8, metavar="N", help="CG heads, default: 8")


def run(options: argparse.Namespace) -> int:
    """Measure every picture with and without each heuristic; figures are written as they come, and read back.

    Raises:
        RelightifyError: a folder lacks what is needed, or Blender is not there.
    """
    options.out.mkdir(parents=True, exist_ok=True)
    stored = options.out / "ablation_rows.jsonl"
    rows = [json.loads(line) for line in stored.read_text().splitlines()] if stored.exists() else []
    done = {(row["condition"], row["subject"]) for row in rows}
    pipeline = Pipeline("cpu")
    if pipeline.coarse is None:
        raise RelightifyError("quality_unavailable", "The quality draft is not available here.", "Install its weights.")
    regions = face_regions(pipeline.model, pipeline.uv_space(RESOLUTION))
    for case in _cases(options, pipeline):
        if (case.condition, case.name) in done:
            continue
        try:
            subject = prepare(pipeline, case.name, case.picture.read_bytes())
        except RelightifyError as error:
            log.warning("%s %s: %s", case.condition, case.name, error.message)
            continue
        found = list(_measured(pipeline, subject, case, regions, options.out / "ablation"))
        with stored.open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in found)
        rows += found
        (options.out / "ablation.md").write_text(as_markdown(rows, options.people))
        log.info("%s %s done", case.condition, case.name)
    print(as_markdown(rows, options.people), flush=True)
    return 0


def _cases(options: argparse.Namespace, pipeline: Pipeline) -> Iterator[Case]:
    """Pictures with their truth, of people all over the index; portraits and heads by turns."""
    records = training_records if options.people == "train" else heldout_records
    space, folder, heads = pipeline.uv_space(RESOLUTION), portraits_folder(options), options.heads or HEADS
    check_heads(heads)
    people = spread(records(folder), options.portrait_count)
    for person in truths_of(people, folder, pipeline.model, space):
        yield Case(PORTRAITS, person.name, person.photo, person.truth)
    for record in spread(records(heads), options.head_count):
        (head,) = photographed(heads, [record], pipeline.model, space, options.blender_python, PICTURES)
        for view, picture in head.pictures.items():
            yield Case(CYCLES, f"{head.name} {view}", picture, head.truth)


def spread(records: Sequence[dict], count: int) -> list[dict]:
    """So many records, evenly from first to last."""
    step = max(1.0, len(records) / max(count, 1))
    return [records[int(step * (k + 0.5))] for k in range(min(count, len(records)))]


def _measured(
    pipeline: Pipeline, subject: Subject, case: Case, regions: FaceRegions, figures: Path
) -> Iterator[dict[str, Any]]:
    """A row for each heuristic left out, the first with all of them."""
    white = white_cue(subject.view.photo, subject.view.face.landmarks_px)
    truth, task = subject.partial.texture_srgb, None
    whole = _Again(pipeline, subject, white)
    if case.condition == PORTRAITS:
        task = hide(subject.partial, visible_from(pipeline, subject.skin, 60), around_face(regions))
    partial = None if task is None else _Again(pipeline, replace(subject, partial=task.partial), white)
    usual: SkinMaps | None = None
    for heuristic, parameters in variants():
        name = heuristic.name if heuristic else ALL
        maps = whole.maps(parameters)
        if usual is None:
            usual = maps
        values = {k: v for k, v in compare("draft", case, maps, regions).row.values.items() if k in MEASURES}
        shown = heuristic is None or heuristic.texture
        if shown and partial is not None and task is not None and task.hidden.sum() >= HidingSettings().fewest_texels:
            values[HIDDEN] = metrics.psnr(partial.maps(parameters).texture_srgb, truth, task.hidden)
        largest = float(np.abs(maps.diffuse_albedo_srgb - usual.diffuse_albedo_srgb).mean(-1)[regions.face > 0.5].max())
        if largest > 0.02:
            label = f"{name}_{case.condition}_{case.name}.png".replace("/", "_").replace(" ", "_").replace(":", "")
            write_figure(
                figures / label,
                [[case.truth.diffuse_albedo_srgb, usual.diffuse_albedo_srgb, maps.diffuse_albedo_srgb]],
                ["truth", "with", "without"],
                side=448,
            )
        yield {"heuristic": name, "condition": case.condition, "subject": case.name, "changed": largest, **values}


def variants() -> Iterator[tuple[Heuristic | None, Parameters]]:
    """All heuristics, then all but one of them, with that one."""
    yield None, Parameters()
    for heuristic in HEURISTICS:
        yield heuristic, replaced(Parameters(), heuristic.path, heuristic.without)


class _Again:
    """One texture taken through delighting, completion and detail by many parameters; what they share is kept."""

    def __init__(self, pipeline: Pipeline, subject: Subject, white: Any) -> None:
        self.pipeline, self.subject, self.white = pipeline, subject, white
        self._delit: dict[Any, DelightedTexture] = {}
        self._completed: dict[Any, CompletedMaps] = {}

    def maps(self, parameters: Parameters) -> SkinMaps:
        """The finished maps."""
        assert self.pipeline.coarse is not None
        partial: PartialTexture = self.subject.partial
        before, stages = parameters.delight, (parameters.delight, parameters.prior)
        if before not in self._delit:
            self._delit[before] = delight(partial, self.subject.skin, self.white, parameters=before)
        delit = self._delit[before]
        if stages not in self._completed:
            prior = LinearPrior(self.pipeline.coarse, parameters.prior)
            self._completed[stages] = next(prior.complete(delit, [0], Progress()))
        return add_detail(self._completed[stages], delit, 0, CALM, parameters.detail)


def gains(rows: Sequence[dict[str, Any]]) -> dict[str, dict[tuple[str, str], Gain]]:
    """What each heuristic gains, by (condition, measure), paired over pictures."""
    usual = {(row["condition"], row["subject"]): row for row in rows if row["heuristic"] == ALL}
    result: dict[str, dict[tuple[str, str], Gain]] = {}
    for heuristic in HEURISTICS:
        own = [row for row in rows if row["heuristic"] == heuristic.name]
        columns = {
            (c, m): np.array([usual[c, r["subject"]][m] - r[m] for r in own if r["condition"] == c and m in r])
            for c, m in _columns(rows)
        }
        result[heuristic.name] = {key: gain_of(values) for key, values in columns.items()}
    return result


def _columns(rows: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((row["condition"], m) for row in rows for m in (*MEASURES, HIDDEN) if m in row))


def as_markdown(rows: Sequence[dict[str, Any]], people: str) -> str:
    """Protocol, the figures with all heuristics, and the gains."""
    columns = _columns(rows)
    usual = [row for row in rows if row["heuristic"] == ALL]
    counts = {c: sum(row["condition"] == c for row in usual) for c in dict.fromkeys(c for c, _ in columns)}
    pictures = ", ".join(f"{n} {c}" for c, n in counts.items())
    whole = [np.nanmean([row[m] for row in usual if row["condition"] == c and m in row]) for c, m in columns]
    lines = ["# Ablation", "", PROTOCOL, f"People: {people}; pictures: {pictures}.", ""]
    lines.append(f"| without | {' | '.join(f'{c} {m}' for c, m in columns)} |")
    lines.append("|" + " --- |" * (len(columns) + 1))
    lines.append(f"| nothing: PSNR, dB | {' | '.join(f'{value:.2f}' for value in whole)} |")
    for name, by_column in gains(rows).items():
        lines.append(f"| {name} | {' | '.join(_cell(by_column[key]) for key in columns)} |")
    return "\n".join(lines) + "\n"


def _cell(gain: Gain) -> str:
    if gain.count == 0:
        return "-"
    if gain.changed == 0:
        return "0"
    return f"{gain.mean:+.3f} ± {gain.error:.3f} ({gain.changed:.0%})"
