"""The table `confidence`: whether fits know how far from the truth they are, in the poses that they find hard."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from backend.evaluation.cg_options import add_heads_arguments, chosen_records
from backend.evaluation.shape.posed_heads import HeadStudio, KnownHead, Pose, true_errors_mm
from backend.evaluation.tables import Row, Table, conditions_of, mean_of, verdict, write_figure, write_table
from backend.head.confidence import CAUSES, UNKNOWN_LENS
from backend.head.confidence_words import confidence_warnings, unsure_parts
from backend.head.face_parts import PARTS, FaceParts, face_parts
from backend.head.fitting import fit_head
from backend.head.head_fit import HeadFit
from backend.photo.face_detector import choose_face
from backend.photo.reading import Photo
from backend.photo.view import View
from backend.pipeline import Pipeline
from backend.progress import Progress
from shared.errors import RelightifyError

MEAN, FIT, EXPECTED = "mean head", "fit", "expected"
PROTOCOL = """Heads whose shape is known, {side} x {side}, by our own renderer under Blender's studio light, bald,
before grey: the library's heads (`scanned`), whose nearest heads of the model were moved onto the true faces, and
people as the prior expects them in the same skins (`drawn`). Millimetres by part of the face, the whole face being
aligned, scale included. `fit`: the true error. `expected`: what the fit says of itself. `unsure`: share of fits in
which the user is told of a part.
"""


@dataclass(frozen=True)
class ErrorSample:
    """A fit to learn from: its true errors [parts], Laplace's [parts], and the amounts of the causes."""

    true: np.ndarray
    chance: np.ndarray
    amounts: np.ndarray


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate confidence`."""
    add_heads_arguments(parser)
    parser.add_argument(
        "--shapes", choices=("scanned", "drawn", "both"), default="both", help="whose shapes; default: %(default)s"
    )


def run(options: argparse.Namespace) -> int:
    """Fit every head in every pose; write the table, and of training people what can be learnt from it.

    Raises:
        RelightifyError: `no_heads`.
    """
    folder, records = chosen_records(options)
    pipeline = Pipeline("cpu")
    studio, parts = HeadStudio(pipeline, folder), face_parts(pipeline.model)
    rows: list[Row] = []
    samples: list[ErrorSample] = []
    failures: dict[str, str] = {}
    for head in _heads(studio, records, options.shapes):
        shown = []
        for name, pose, image in studio.pictures(head):
            shown.append(image / 255)
            try:
                fit = _fitted(pipeline, pose, image)
            except RelightifyError as error:
                failures[f"{head.name} {name}"] = error.message
                continue
            made, sample = _measured(pipeline, parts, head, name, fit)
            rows += made
            samples.append(sample)
            print(f"{head.name} {name}: {_line(made)} {' '.join(confidence_warnings(fit))}", flush=True)
        write_figure(options.out / "confidence" / f"{head.name}.png", [shown], [""] * len(shown))
    if options.people == "train" and samples:
        print(learnt(samples), flush=True)
    protocol = PROTOCOL.format(side=studio.settings.side_px)
    write_table(Table("confidence", "How sure fits are", protocol, rows, verdicts(rows), failures), options.out)
    return 0


def _heads(studio: HeadStudio, records: list[dict], shapes: str) -> Iterator[KnownHead]:
    for record in records:
        if shapes != "drawn":
            yield studio.scanned(record)
        if shapes != "scanned":
            yield studio.drawn(record)


def _fitted(pipeline: Pipeline, pose: Pose, image: np.ndarray) -> HeadFit:
    photo = Photo(image, pose.focal_35mm if pose.told else None)
    view = View(photo, choose_face(pipeline.detector.detect(photo), None))
    settings = pipeline.parameters.head
    return fit_head(pipeline.model, [view], pipeline.rasteriser, Progress(), pipeline.albedo, settings=settings)


def _measured(
    pipeline: Pipeline, parts: FaceParts, head: KnownHead, name: str, fit: HeadFit
) -> tuple[list[Row], ErrorSample]:
    """The rows of a fit, and what is learnt from it."""
    model, found = pipeline.model, fit.confidence
    assert found is not None  # `fit_head` always says it
    neutral = head.neutral(model)
    true = true_errors_mm(model, parts, neutral, fit.neutral_vertices(model))
    values = {
        MEAN: true_errors_mm(model, parts, neutral, model.mean),
        FIT: true,
        EXPECTED: {**found.expected_mm, "face": _over_face(parts, found.expected_mm)},
    }
    named = unsure_parts(found)
    told = {f"{part} unsure": float(part in named) for part in PARTS}
    condition = f"{name}, {'drawn' if head.name.endswith('drawn') else 'scanned'}"
    rows = [
        Row(what, condition, head.name, {**each, **(told if what == EXPECTED else {})}) for what, each in values.items()
    ]
    sample = ErrorSample(
        np.array([true[part] for part in PARTS]),
        np.array([found.chance_mm[part] for part in PARTS]),
        np.array([found.causes[cause] for cause in CAUSES]),
    )
    return rows, sample


def _over_face(parts: FaceParts, values: Mapping[str, float]) -> float:
    return float(np.average([values[part] for part in PARTS], weights=np.bincount(parts.part, parts.area, len(PARTS))))


def learnt(samples: Sequence[ErrorSample]) -> str:
    """What `ConfidenceSettings` would be by these fits, as text: non-negative least squares on the squared errors.

    Each square counts over what is expected of it, found anew a few times, since large errors scatter more. Both cheeks
    have the same figures.
    """
    chance2 = np.array([s.chance**2 for s in samples])
    true2 = np.array([s.true**2 for s in samples])
    amounts2 = np.array([s.amounts**2 for s in samples])
    count = len(PARTS)
    design = np.zeros((len(samples) * count, 1 + count * len(CAUSES)))
    design[:, 0] = chance2.ravel()
    for part in range(count):
        own = PARTS.index("right cheek") if PARTS[part] == "left cheek" else part
        design[part::count, 1 + own + count * np.arange(len(CAUSES))] = amounts2
    weight = np.ones(len(design))
    found = np.zeros(design.shape[1])
    for _ in range(5):
        found, _ = nnls(design * weight[:, None], true2.ravel() * weight)
        weight = 1 / np.maximum(design @ found, 0.05)
    table = np.sqrt(found[1:].reshape(len(CAUSES), count))
    table[:, PARTS.index("left cheek")] = table[:, PARTS.index("right cheek")]
    lens = CAUSES.index(UNKNOWN_LENS)
    usual = np.sqrt(found[0] * chance2.mean(axis=0) + table[lens] ** 2)
    lines = [f"chance = {np.sqrt(found[0]):.2f}", f"usual_mm = {np.round(usual, 2).tolist()}"]
    lines.append(f"systematic_mm, by part: {', '.join(PARTS)}")
    return "\n".join([*lines, *(f"{c}: {np.round(row, 2).tolist()}" for c, row in zip(CAUSES, table, strict=True))])


def verdicts(rows: Sequence[Row]) -> list[str]:
    """By condition, the true error beside the expected one, and how they go together over all parts and fits."""
    sentences = []
    for condition in conditions_of(rows):
        true, expected = (mean_of(rows, what, condition, "face") for what in (FIT, EXPECTED))
        text = f"{condition}: {true:.2f} mm, expected {expected:.2f}"
        sentences.append(verdict(text, 1 / 1.5 < true / expected < 1.5))
    return [*sentences, *_ranked(rows)]


def _ranked(rows: Sequence[Row]) -> list[str]:
    """Whether parts that are said to be unsure are those that are wrong."""
    said = {(r.condition, r.subject): r.values for r in rows if r.prior == EXPECTED}
    unsure, sure = [], []
    for row in rows:
        if row.prior == FIT:
            named = said[row.condition, row.subject]
            for part in PARTS:
                (unsure if named[f"{part} unsure"] else sure).append(row.values[part])
    if not unsure or not sure:
        return []
    far, near = float(np.mean(unsure)), float(np.mean(sure))
    text = f"parts called unsure are {far:.2f} mm off ({len(unsure)}), the others {near:.2f} ({len(sure)})"
    return [verdict(text, far > near)]


def _line(rows: Sequence[Row]) -> str:
    return ", ".join(f"{row.prior} {row.values['face']:.2f}" for row in rows)
