"""The table `reflectance`: diffuse and specular albedo and normals against known maps, on pictures of test people.

Two kinds of truth: CG heads rendered by Cycles, whose maps are known exactly and carried into our texture space by a
dense registration; and the pseudo-ground truth of test portraits, made as the training data is.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend.asset_files import SOURCES
from backend.evaluation import metrics
from backend.evaluation.cg_heads import cg_heads
from backend.evaluation.kept_records import read_back, write_down
from backend.evaluation.skin.contenders import FLAT, INFERRED, MEAN, contenders
from backend.evaluation.skin.pseudo_truth import portrait_truths
from backend.evaluation.subjects import RESOLUTION, add_portraits_argument, portraits_folder, prepare
from backend.evaluation.tables import Row, Table, conditions_of, mean_of, priors_of, verdict, write_figure, write_table
from backend.pipeline import Pipeline
from backend.texture.maps import SkinMaps
from backend.texture.regions import FaceRegions, face_regions, plain_skin
from shared.errors import RelightifyError

log = logging.getLogger(__name__)

HEADS = SOURCES / "valid_heads"
CYCLES, PORTRAITS = "Cycles", "portraits"
LEAST_PSNR = 20.0
PROTOCOL = """People who are in no prior, at 512 x 512. `Cycles`: CG heads of known maps rendered by Blender under
three lights (an exposure at which a white card shows 0.9), maps carried over by a dense registration of the two head
topologies; their specular albedo is not theirs but the assumed regional means that were rendered, and only two of the
four heads of the sources have relief in their normal maps. `portraits`: pseudo-ground truth of held-out portraits,
made as the training data is, on seen texels. PSNR in dB over known texels of the face (A_d, A_s, and N encoded to [0,
1]) and over all known skin; SSIM over the face. A_s is circular: its truth is assumed as the maps are. `inferred` are
A_d, A_s and N with `reflectance = prior`, the others what the photo shows with its light taken off; with `draft` it is
the linear prior's expectation, with `standard` a refinement of the maps of `draft`, the photo's A_d in them, with
`high` the paper's chain, N = 200 from noise. `mean map` is the linear prior's mean, `flat normals` are (0, 0, 1). The
paper's figures (other people, light-stage truth): 22.47 / 27.17 / 26.69 dB.
"""


@dataclass(frozen=True)
class Measured:
    """One picture, one prior: the row, and what the table of tones needs."""

    row: Row
    tone_srgb: np.ndarray
    error: float
    tone_error: float


@dataclass(frozen=True)
class Case:
    """A picture with its truth."""

    condition: str
    name: str
    picture: Path
    truth: SkinMaps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate reflectance`, which the table `tone` has too."""
    add_picture_arguments(parser)
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="COLUMN",
        help='leave out, such as "high, inferred", which takes minutes a picture; may be repeated',
    )


def add_picture_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cases`."""
    add_portraits_argument(parser)
    parser.add_argument("--only", choices=(CYCLES, PORTRAITS), default=None, help="one of the two kinds of pictures")
    parser.add_argument("--heads", type=Path, default=None, metavar="DIR", help="CG heads: a folder with index.json")
    parser.add_argument(
        "--blender-python", type=Path, default=None, metavar="FILE", help="a Python with Blender's module, to render"
    )


def run(options: argparse.Namespace) -> int:
    """Measure every prior on every picture; write table and figures.

    Raises:
        RelightifyError: a folder lacks what is needed, or Blender is not there.
    """
    measured, failures = measure(options)
    write(measured, failures, options.out)
    return 0


def write(measured: list[Measured], failures: dict[str, str], out: Path) -> None:
    """Write the table to `out`."""
    rows = [m.row for m in measured]
    write_table(Table("reflectance", "Reflectance", PROTOCOL, rows, _verdicts(rows), failures), out)


def measure(options: argparse.Namespace) -> tuple[list[Measured], dict[str, str]]:
    """All measurements, and what could not be measured; a figure per picture goes to the folder `reflectance`.

    Each picture is written down once it is measured, and read back where the folder has it: a run that was stopped goes
    on, and columns that it was without are added.
    """
    pipeline = Pipeline("cpu")
    regions = face_regions(pipeline.model, pipeline.uv_space(RESOLUTION))
    stored = options.out / "reflectance_rows.jsonl"
    results = measured_before(stored)
    done = {(m.row.condition, m.row.subject, m.row.prior) for m in results}
    failures: dict[str, str] = {}
    compared = contenders(pipeline, options.without)
    for case in cases(options, pipeline):
        wanted = [c for c in compared if (case.condition, case.name, c.name) not in done]
        if not wanted:
            continue
        try:
            subject = prepare(pipeline, case.name, case.picture.read_bytes())
        except RelightifyError as error:
            failures[f"{case.condition} {case.name}"] = error.message
            continue
        shown, found = [_tiles(case.truth, case.truth)], []
        for contender in wanted:
            maps = subject.completed(contender.prior, reflectance=contender.reflectance)
            found.append(compare(contender.name, case, maps, regions))
            shown.append(_tiles(maps, case.truth))
        results += found
        write_down(map(as_record, found), stored)
        write(results, failures, options.out)
        label = f"{case.condition}_{case.name.replace('/', '_').replace(' ', '_')}.png"
        write_figure(options.out / "reflectance" / label, shown, ["A_d", "A_s", "N", "error of A_d x 4"])
        log.info("%s %s done", case.condition, case.name)
    return results, failures


def as_record(measured: Measured) -> dict[str, Any]:
    """A measurement as `measured_before` reads it."""
    return {**asdict(measured), "tone_srgb": measured.tone_srgb.tolist()}


def measured_before(stored: Path) -> list[Measured]:
    """What a run that was stopped has measured; nothing where there is no file."""
    return [Measured(**{**m, "row": Row(**m["row"]), "tone_srgb": np.array(m["tone_srgb"])}) for m in read_back(stored)]


def cases(options: argparse.Namespace, pipeline: Pipeline) -> Iterator[Case]:
    """Every picture that there is a truth for."""
    space = pipeline.uv_space(RESOLUTION)
    if options.only != PORTRAITS:
        heads = options.heads or HEADS
        for head in cg_heads(heads, pipeline.model, space, options.blender_python, options.limit):
            for view, picture in head.pictures.items():
                yield Case(CYCLES, f"{head.name} {view}", picture, head.truth)
    if options.only == CYCLES:
        return
    for person in portrait_truths(portraits_folder(options), pipeline.model, space, options.limit):
        yield Case(PORTRAITS, person.name, person.photo, person.truth)


def compare(prior: str, case: Case, maps: SkinMaps, regions: FaceRegions) -> Measured:
    """The figures of one prior's maps against the truth."""
    truth = case.truth
    known = truth.visibility > 0.5
    face = known & (regions.face > 0.5)
    plain = face & (plain_skin(regions) > 0.5)
    own, real = maps.diffuse_albedo_srgb, truth.diffuse_albedo_srgb
    normal, true_normal = maps.normal * 0.5 + 0.5, truth.normal * 0.5 + 0.5
    flat = np.full_like(normal, 0.5) + np.array([0, 0, 0.5], np.float32)
    figures = {
        "A_d": metrics.psnr(own, real, face),
        "A_s": metrics.psnr(maps.specular_albedo, truth.specular_albedo, face),
        "N": metrics.psnr(normal, true_normal, face),
        "A_d SSIM": metrics.ssim(own, real, face, known),
        "A_s SSIM": metrics.ssim(maps.specular_albedo, truth.specular_albedo, face, known),
        "N SSIM": metrics.ssim(normal, true_normal, face, known),
        FLAT: metrics.psnr(flat, true_normal, face),
        "A_d of equal tone": metrics.psnr(own + _tone(real, plain) - _tone(own, plain), real, face),
        "A_d all skin": metrics.psnr(own, real, known),
        "A_s all skin": metrics.psnr(maps.specular_albedo, truth.specular_albedo, known),
        "N all skin": metrics.psnr(normal, true_normal, known),
    }
    tone_error = float(np.linalg.norm(metrics.lab(_tone(own, plain)) - metrics.lab(_tone(real, plain))))
    return Measured(
        Row(prior, case.condition, case.name, figures), _tone(real, plain), metrics.rmse(own, real, face), tone_error
    )


def _tone(image: np.ndarray, plain: np.ndarray) -> np.ndarray:
    """Median colour [3] of plain skin."""
    return np.median(image[plain], axis=0)


def _tiles(maps: SkinMaps, truth: SkinMaps) -> list[np.ndarray]:
    known = truth.visibility[..., None]
    error = np.abs(maps.diffuse_albedo_srgb - truth.diffuse_albedo_srgb)
    gray = np.repeat(maps.specular_albedo[..., None], 3, -1)
    return [maps.diffuse_albedo_srgb, gray, maps.normal * 0.5 + 0.5, 4 * error * known]


def _verdicts(rows: list[Row]) -> list[str]:
    if "draft" not in priors_of(rows):
        return ["the prior draft is not installed"]
    sentences = []
    for condition in conditions_of(rows):
        albedo = mean_of(rows, "draft", condition, "A_d")
        sentences.append(verdict(f"{condition}: A_d {albedo:.2f} dB, at least {LEAST_PSNR:.0f}", albedo >= LEAST_PSNR))
        for value in ("A_d", "N"):
            own, other = (mean_of(rows, p, condition, value) for p in ("draft", "baseline"))
            sentences.append(verdict(f"{condition}: {value} of draft {own:.2f}, of baseline {other:.2f}", own > other))
        normal, flat = mean_of(rows, "draft", condition, "N"), mean_of(rows, "draft", condition, FLAT)
        sentences.append(verdict(f"{condition}: N of draft {normal:.2f}, flat {flat:.2f}", normal > flat))
        sentences.append(f"{condition}: A_s is not judged, since its truth is assumed as the maps are")
        for name in (p for p in priors_of(rows) if p.endswith(INFERRED)):
            sentences += _verdicts_of_inferred(rows, name, condition)
    return sentences


def _verdicts_of_inferred(rows: list[Row], name: str, condition: str) -> list[str]:
    """A prior's own reflectance beside the photo's, the linear prior's and what knows nothing of the photo."""
    equal = "A_d of equal tone"
    own, photo, linear, mean = (
        mean_of(rows, p, condition, equal) for p in (name, name.removesuffix(INFERRED), f"draft{INFERRED}", MEAN)
    )
    normal, flat = mean_of(rows, name, condition, "N"), mean_of(rows, name, condition, FLAT)
    start = f"{condition}: {name},"
    return [
        verdict(f"{start} {equal} {own:.2f}, of the photo's {photo:.2f}, at most 0.5 less", own >= photo - 0.5),
        verdict(f"{start} {equal} {own:.2f}, of the linear prior's {linear:.2f}", own >= linear),
        verdict(f"{start} {equal} {own:.2f}, of the mean map {mean:.2f}", own > mean),
        verdict(f"{start} N {normal:.2f}, flat {flat:.2f}", normal > flat),
    ]
