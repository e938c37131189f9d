"""The table `completion`: parts of real skin are hidden, completed, and compared with what was there.

A held-out portrait is fitted and unwrapped; then what a camera at yaw 0, 30, 60 or 90 degrees would not see of the head
is taken out of the texture, and every prior has to complete it. The photo's own texels are the truth.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np

from backend.detail.options import DetailOptions
from backend.evaluation import metrics
from backend.evaluation.kept_records import read_rows, write_rows
from backend.evaluation.parameters import HidingSettings
from backend.evaluation.subjects import (
    Subject,
    add_portraits_argument,
    neutral_photos,
    portraits_folder,
    prepare,
    visible_from,
)
from backend.evaluation.tables import Row, Table, mean_of, priors_of, verdict, write_figure, write_table
from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.imaging.filters import masked_blur
from backend.imaging.membrane import extend
from backend.pipeline import Pipeline
from backend.prior.interface import Prior
from backend.texture.maps import PartialTexture
from backend.texture.regions import FaceRegions, face_regions
from backend.texture.uv_space import mirror
from shared.errors import RelightifyError

log = logging.getLogger(__name__)

YAWS = (0, 30, 60, 90)
JUDGED_YAWS = (30, 60, 90)
SAMPLED = {"standard", "high"}
LEAST_SEEN = 38.0
MIRRORING, FILL = "mirroring", "classical fill"
CEILING, PORES_MM = "truth without pores", 1.25
SMOOTH_OF, SMOOTH = "standard", "standard, no made detail"
PROTOCOL = """Neutral portraits of people who are in no prior, at 512 x 512. Known texels, on the face and 12 mm around
it, were seen in the photo; hidden ones are known but not seen from a camera at the yaw. PSNR and SSIM of the completed,
still shaded texture (sRGB), on hidden and on all known texels. `mirroring` takes the other half of the face where that
was seen and a harmonic membrane elsewhere; `classical fill` is a harmonic membrane everywhere. A frontal photo hides
next to nothing from yaw 0: see `share`. `PSNR seen`: on the known texels that were given. `truth without pores` is the
truth blurred by 1.25 mm: what could be reached without knowing where the hidden pores lie.
The paper's table 1 (26.00 / 24.73 / 24.65 / 20.58 dB at 0 to 90 degrees) cannot be set beside it: its whole textures,
of other people, come from other photographs than its truth, while here what is known is given.
"""


@dataclass(frozen=True)
class Task:
    """One texture with a part hidden: `partial` is what may be seen, `known` and `hidden` bool [R, R]."""

    partial: PartialTexture
    known: np.ndarray
    hidden: np.ndarray


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate completion`."""
    add_portraits_argument(parser)
    parser.add_argument("--quality", action="append", metavar="NAME", help="only this prior; may be repeated")


def run(options: argparse.Namespace, settings: HidingSettings = HidingSettings()) -> int:
    """Complete every test portrait from every yaw by every prior; write table and figures.

    Whoever was measured is written down, and read back where the folder has it: a run that was stopped goes on, with
    the same options.

    Raises:
        RelightifyError: `no_photos`, `quality_unavailable`.
    """
    pipeline = Pipeline("cpu")
    priors = {name: pipeline.prior(name) for name in options.quality or pipeline.priors}
    stored = options.out / "completion_rows.jsonl"
    rows = read_rows(stored)
    done = {row.subject for row in rows}
    failures: dict[str, str] = {}
    for name, path in neutral_photos(portraits_folder(options), options.limit):
        if name in done:
            continue
        try:
            subject = prepare(pipeline, name, path.read_bytes())
        except RelightifyError as error:
            failures[name] = error.message
            continue
        figure, measured = _measure(pipeline, priors, subject, settings)
        rows += measured
        write_rows(measured, stored)
        columns = ["photo", "given", MIRRORING, FILL, *priors]
        write_figure(options.out / "completion" / f"{name.replace('/', '_')}.png", figure, columns)
        log.info("%s done", name)
    write_table(Table("completion", "Completion", PROTOCOL, rows, _verdicts(rows), failures), options.out)
    return 0


def _measure(
    pipeline: Pipeline, priors: Mapping[str, Prior], subject: Subject, settings: HidingSettings
) -> tuple[list[list[np.ndarray]], list[Row]]:
    """Tiles of the figure, a row of it for each yaw, and the measurements of one subject."""
    truth = subject.partial.texture_srgb
    near_face = around_face(face_regions(subject.skin.model, subject.skin.uv_space), settings)
    tiles, rows = [], []
    for yaw in YAWS:
        task = hide(subject.partial, visible_from(pipeline, subject.skin, yaw), near_face, settings)
        share = float(task.hidden.sum() / max(task.known.sum(), 1))
        counted = task.hidden if task.hidden.sum() >= settings.fewest_texels else np.zeros_like(task.hidden)
        results = {
            MIRRORING: mirroring(task.partial, subject.skin.uv_space.mask),
            FILL: classical_fill(task.partial, subject.skin.uv_space.mask),
        }
        for name, prior in priors.items():
            try:
                results[name] = replace(subject, partial=task.partial).completed(prior).texture_srgb
            except RelightifyError as error:
                log.warning("%s, yaw %d, %s: %s", subject.name, yaw, name, error.message)
        if SMOOTH_OF in results:
            calm = DetailOptions(strength=0.0)
            hidden = replace(subject, partial=task.partial)
            results[SMOOTH] = hidden.completed(priors[SMOOTH_OF], calm).texture_srgb
        pores = PORES_MM * face_regions(subject.skin.model, subject.skin.uv_space).texels_per_mm
        results[CEILING] = masked_blur(truth, task.known.astype(np.float32), pores)
        for name, image in results.items():
            figures = {
                "PSNR hidden": metrics.psnr(image, truth, counted),
                "SSIM hidden": metrics.ssim(image, truth, counted, task.known),
                "PSNR known": metrics.psnr(image, truth, task.known),
                "SSIM known": metrics.ssim(image, truth, task.known, task.known),
                "PSNR seen": metrics.psnr(image, truth, task.known & (task.partial.visibility > settings.known)),
                "share": share,
            }
            rows.append(Row(name, f"yaw {yaw}", subject.name, figures))
        shown = [truth, task.partial.texture_srgb]
        shown += [results.get(name, 0 * truth) for name in (MIRRORING, FILL, *priors)]
        tiles.append(shown)
    return tiles, rows


def around_face(regions: FaceRegions, settings: HidingSettings = HidingSettings()) -> np.ndarray:
    """bool [R, R]: the face and a little around it. Further down it is collars that are taken for skin."""
    distance = cv2.distanceTransform((regions.face < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    return distance <= settings.around_mm * regions.texels_per_mm


def hide(
    partial: PartialTexture, visible: np.ndarray, counted: np.ndarray, settings: HidingSettings = HidingSettings()
) -> Task:
    """Take what is not `visible` [R, R] out of a partial texture; only `counted` texels [R, R] will be compared."""
    seen = np.minimum(partial.visibility, visible)
    known = (partial.visibility > settings.known) & counted
    given = PartialTexture(partial.texture_srgb * (seen > 0)[..., None], seen)
    return Task(given, known, known & (visible < settings.hidden))


def classical_fill(partial: PartialTexture, island: np.ndarray) -> np.ndarray:
    """The seen colours continued by a harmonic membrane (Laplace's equation), sRGB [R, R, 3]."""
    linear = srgb_to_linear(partial.texture_srgb).astype(np.float32)
    # The softly seen border is mixed with what lies behind it.
    firm = cv2.erode((partial.visibility > 0.5).astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.float32)
    filled = extend(linear, 100 * firm, island, np.inf)
    weight = np.clip(partial.visibility * firm, 0, 1)[..., None]
    return linear_to_srgb(np.clip(filled + weight * (linear - filled), 0, 1)).astype(np.float32)


def mirroring(partial: PartialTexture, island: np.ndarray) -> np.ndarray:
    """The other half of the face where that was seen, the membrane of `classical_fill` elsewhere, sRGB [R, R, 3]."""
    other = mirror(partial.visibility) * (1 - partial.visibility)
    combined = partial.texture_srgb + (mirror(partial.texture_srgb) - partial.texture_srgb) * other[..., None]
    return classical_fill(PartialTexture(combined, np.maximum(partial.visibility, other)), island)


def _verdicts(rows: list[Row]) -> list[str]:
    if "draft" not in priors_of(rows):
        return ["the prior draft is not installed"]
    sampled = sorted(SAMPLED & set(priors_of(rows)))
    sentences = []
    for yaw in JUDGED_YAWS:
        for value in ("PSNR hidden", "SSIM hidden"):
            others = {m: mean_of(rows, m, f"yaw {yaw}", value) for m in (MIRRORING, FILL)}
            for name in ("draft", *sampled):
                own = mean_of(rows, name, f"yaw {yaw}", value)
                text = ", ".join(f"{m} {v:.3f}" for m, v in others.items())
                sentences.append(verdict(f"yaw {yaw}, {value}: {name} {own:.3f}, {text}", own > max(others.values())))
                if name == "draft":
                    others[name] = own
    for name in sampled:
        seen = float(np.mean([mean_of(rows, name, f"yaw {yaw}", "PSNR seen") for yaw in YAWS]))
        sentences.append(verdict(f"{name}: seen texels {seen:.1f} dB, at least {LEAST_SEEN:.0f}", seen >= LEAST_SEEN))
    return sentences
