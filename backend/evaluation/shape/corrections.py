"""The table `corrections`: whether the head follows a hand, and nothing else moves.

A folder of portraits has an `index.json` with `id` and `split`; people of the training split are taken, as numbers of
the solve were chosen on them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from backend.asset_files import SOURCES
from backend.evaluation.parameters import HandSettings
from backend.evaluation.shape.fit_figures import shaded_head
from backend.evaluation.tables import Row, Table, mean_of, verdict, write_figure, write_table
from backend.head.correction.corrections import Corrector
from backend.head.correction.handles import HANDLES, HeadPoints
from backend.head.fitting import fit_head
from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel
from backend.photo.landmark_table import CHIN_TIP
from backend.photo.view import View, find_view
from backend.pipeline import Pipeline
from backend.progress import Progress
from shared.corrections import Correction, Corrections
from shared.errors import RelightifyError

PORTRAITS = SOURCES / "portraits"
DRAG, CHIN = "one handle dragged, the others near and far", "wrongly detected chin"
SOLVED, WRONG, ONE, TWO = "solve", "as detected", "one drag", "two drags"
PROTOCOL = """{count} portraits, 1350 px high or more, of people in the training split. *{drag}*: every handle that the
photo shows is dragged by 10 px in a direction drawn at random, while {pinned} are pinned where they are. `moved_px`:
how far the projected point goes that way; `pinned_px`: the farthest that a pinned point moves; `far_px`: the farthest
of the other handles more than {far:.0f} mm away; `stretch_mm`: the farthest that a vertex of the skin moves in
head space; `ms`: of
the solve, two threads at most. *{chin}*: the detector's landmarks within {near:.0f} mm of the chin's tip are shifted by
{shift:.0%} of the distance of the outer eye corners, down and to the side, fading out, and the photo is fitted with
them. Then the handle of chin and jaw that is farthest from where the fit of the true landmarks shows it is dragged
there, and another one.
`chin_mm`, `worst_mm`: mean and largest distance between the vertices of that fit and those of the true landmarks'
within {near:.0f} mm of the chin, after the landmarks beyond {rest:.0f} mm have been laid upon each other (a similarity,
as one photo does not tell size from distance).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate corrections`."""
    parser.add_argument("--portraits", type=Path, default=PORTRAITS, metavar="DIR", help="a folder with index.json")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where table and figures go")
    parser.add_argument("--limit", type=int, default=10, metavar="N", help="so many photos; default: %(default)s")


def run(options: argparse.Namespace) -> int:
    """Drag the handles of every photo; write table and figures.

    Raises:
        RelightifyError: `no_photos`.
    """
    photos = training_portraits(options.portraits, options.limit)
    if not photos:
        raise RelightifyError("no_photos", "There are no photographs to measure.", "Name a folder: --portraits.")
    pipeline, settings = Pipeline("cpu"), HandSettings()
    corrector = Corrector.of(pipeline.model, pipeline.parameters.head)
    rows: list[Row] = []
    failures: dict[str, str] = {}
    for number, (name, path) in enumerate(photos):
        try:
            view = find_view(path.read_bytes(), pipeline.detector, None, pipeline.segmenter, pipeline.parameters.photo)
            fit = fitted(pipeline, view)
        except RelightifyError as error:
            failures[name] = error.message
            continue
        rows += drags(corrector, fit, name, np.random.default_rng(number), settings)
        chin, heads = chin_repair(pipeline, corrector, view, fit, name, settings)
        rows += chin
        write_figure(options.out / "corrections" / f"{name.replace('/', '_')}.png", [heads], ["true", WRONG, ONE, TWO])
        print(_line(rows, name), flush=True)
    text = PROTOCOL.format(
        count=len(photos), drag=DRAG, chin=CHIN, pinned=", ".join(settings.pinned), far=1000 * settings.far_m,
        near=1000 * settings.near_m, rest=1000 * settings.rest_m, shift=settings.shift,
    )  # fmt: skip
    write_table(Table("corrections", "Corrections by hand", text, rows, verdicts(rows), failures), options.out)
    return 0


def training_portraits(folder: Path, limit: int) -> list[tuple[str, Path]]:
    """(id, path) of photographs of training people, evenly over the index, neutral and smiling by turns."""
    people = [p["id"] for p in json.loads((folder / "index.json").read_text()) if p["split"] == "train"]
    chosen = [people[round(k)] for k in np.linspace(0, len(people) - 1, min(limit, len(people)))]
    found = []
    for number, person in enumerate(chosen):
        wanted = [folder / f"{person}_{how}.jpg" for how in ("neutral", "smiling")]
        there = [path for path in (reversed(wanted) if number % 2 else wanted) if path.is_file()]
        found += [(str(there[0].relative_to(folder).with_suffix("")), there[0])] if there else []
    return found


def fitted(pipeline: Pipeline, view: View) -> HeadFit:
    """The fit of a photo."""
    return fit_head(
        pipeline.model,
        [view],
        pipeline.rasteriser,
        Progress(),
        albedo_prior=pipeline.albedo,
        settings=pipeline.parameters.head,
    )


def drags(
    corrector: Corrector, fit: HeadFit, name: str, random: np.random.Generator, settings: HandSettings
) -> list[Row]:
    """Each handle dragged by itself, the pinned ones held."""
    model = corrector.model
    begun = corrector.begin(fit)
    handles, seen = begun.handles, begun.seen
    before, points = fit.vertices(model), handles.on(fit.vertices(model))
    pixels = fit.camera.project(points)
    skin = np.unique(model.triangles("skin"))
    rows = []
    for handle in np.flatnonzero(seen):
        pinned = [HANDLES.index(n) for n in settings.pinned if n != HANDLES[handle]]
        angle = random.uniform(0, 2 * np.pi)
        direction = np.array([np.cos(angle), np.sin(angle)])
        wanted = {n: pixels[n] for n in pinned} | {int(handle): pixels[handle] + settings.drag_px * direction}
        started = time.perf_counter()
        done = begun.corrected(corrections_of(wanted))
        seconds = time.perf_counter() - started
        after = done.vertices(model)
        moved = done.camera.project(handles.on(after)) - pixels
        far = np.linalg.norm(points - points[handle], axis=1) > settings.far_m
        far &= seen & ~np.isin(np.arange(len(far)), pinned)
        there = (after - before)[skin]
        values = {
            "moved_px": float(moved[handle] @ direction),
            "pinned_px": float(np.linalg.norm(moved[pinned], axis=1).max()),
            "far_px": float(np.linalg.norm(moved[far], axis=1).max()),
            "stretch_mm": 1000 * float(np.linalg.norm(there, axis=1).max()),
            "ms": 1000 * seconds,
        }
        rows.append(Row(SOLVED, DRAG, f"{name} {HANDLES[handle]}", values))
    return rows


def corrections_of(wanted: dict[int, np.ndarray]) -> Corrections:
    """Corrections of handles, by their numbers, to pixels."""
    return Corrections(
        tuple(Correction((float(x), float(y)), handle=HANDLES[handle]) for handle, (x, y) in wanted.items())
    )


def chin_repair(
    pipeline: Pipeline, corrector: Corrector, view: View, true: HeadFit, name: str, settings: HandSettings
) -> tuple[list[Row], list[np.ndarray]]:
    """A chin that is detected wrongly, and mended by two drags; rows, and the heads as pictures."""
    model = pipeline.model
    face, scale = view.face, true.iod_px
    points = model.landmarks(true.vertices(model))
    near = np.linalg.norm(points - points[CHIN_TIP], axis=1) / settings.near_m
    shift = scale * settings.shift * np.array([0.6, 0.8]) * np.clip(2 - 2 * near, 0, 1)[:, None]
    wrong = fitted(pipeline, replace(view, face=replace(face, landmarks_px=face.landmarks_px + shift)))
    begun = corrector.begin(wrong)
    handles, seen = begun.handles, begun.seen & np.isin(HANDLES, settings.chin)
    where = _pixels(model, true, corrector.begin(true).handles)
    wanted: dict[int, np.ndarray] = {}
    steps = {WRONG: wrong}
    for step in (ONE, TWO):
        now = next(reversed(steps.values()))
        off = np.linalg.norm(_pixels(model, now, handles) - where, axis=1)
        worst = int(np.argmax(np.where(seen, off, 0)))
        wanted[worst] = where[worst]
        steps[step] = begun.corrected(corrections_of(wanted))
    rows = [Row(step, CHIN, name, chin_errors(model, true, fit, settings)) for step, fit in steps.items()]
    pictures = [_picture(model, fit, true) for fit in (true, *steps.values())]
    return rows, pictures


def chin_errors(model: HeadModel, true: HeadFit, found: HeadFit, settings: HandSettings) -> dict[str, float]:
    """Distances between two heads about the chin, the one moved onto the other by the rest of the face."""
    heads = true.vertices(model), found.vertices(model)
    landmarks = [model.landmarks(head) for head in heads]
    tip = landmarks[0][CHIN_TIP]
    rest = np.linalg.norm(landmarks[0] - tip, axis=1) > settings.rest_m
    skin = np.unique(model.triangles("skin"))
    chin = skin[np.linalg.norm(heads[0][skin] - tip, axis=1) < settings.near_m]
    moved = laid_upon(heads[1][chin], landmarks[1][rest], landmarks[0][rest])
    error = 1000 * np.linalg.norm(moved - heads[0][chin], axis=1)
    return {"chin_mm": float(error.mean()), "worst_mm": float(error.max())}


def laid_upon(points: np.ndarray, own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Points [n, 3] moved by the similarity that takes the points `own` [m, 3] nearest to `other` (Umeyama 1991)."""
    a, b = own - own.mean(axis=0), other - other.mean(axis=0)
    rotation = Rotation.align_vectors(b, a)[0]
    scale = float(np.sum(b * rotation.apply(a)) / np.sum(a**2))
    return scale * rotation.apply(points - own.mean(axis=0)) + other.mean(axis=0)


def _pixels(model: HeadModel, fit: HeadFit, handles: HeadPoints) -> np.ndarray:
    return fit.camera.project(handles.on(fit.vertices(model)))


def _picture(model: HeadModel, fit: HeadFit, true: HeadFit) -> np.ndarray:
    """The head in clay as the photo's camera sees it, float [h, w, 3]."""
    camera = fit.camera.scaled(480 / true.camera.height)
    return shaded_head(model, fit.vertices(model), camera)[0] / 255


def verdicts(rows: Sequence[Row]) -> list[str]:
    """What must be reached."""
    dragged = [row.values for row in rows if row.condition == DRAG]
    mended = [row.values for row in rows if row.prior == TWO]
    least = min(values["moved_px"] for values in dragged)
    most = max(values["pinned_px"] for values in dragged)
    slowest = float(np.percentile([values["ms"] for values in dragged], 95))
    worst = max(values["chin_mm"] for values in mended)
    return [
        verdict(f"a handle that is dragged by 10 px moves by 9 at least: {least:.2f}", least >= 9),
        verdict(f"no pinned point moves by more than 1.5 px: {most:.2f}", most <= 1.5),
        verdict(f"a solve takes at most 60 ms (95 of 100): {slowest:.0f} ms", slowest <= 60),
        verdict(f"two drags mend a chin to 1.5 mm: {worst:.2f} mm in the worst photo", worst <= 1.5),
    ]


def _line(rows: Sequence[Row], name: str) -> str:
    own = [row for row in rows if row.subject.split()[0] == name]
    dragged = [row.values for row in own if row.condition == DRAG]
    chin = {step: mean_of(own, step, CHIN, "chin_mm") for step in (WRONG, ONE, TWO)}
    return (
        f"{name}: moved {min(v['moved_px'] for v in dragged):.2f}, pinned {max(v['pinned_px'] for v in dragged):.2f}, "
        f"far {max(v['far_px'] for v in dragged):.2f} px, stretch {max(v['stretch_mm'] for v in dragged):.1f} mm, "
        f"{np.median([v['ms'] for v in dragged]):.0f} ms; chin "
        + ", ".join(f"{mm:.2f} mm {step}" for step, mm in chin.items())
    )
