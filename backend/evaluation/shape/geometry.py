"""The table `geometry`: how near the fitted head comes to the true surface, in the manner of REALY."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from backend.evaluation.cg_heads import TURNED, Pictures, correspondence, render_pictures
from backend.evaluation.cg_options import add_heads_arguments, chosen_records
from backend.evaluation.parameters import OrbitSettings
from backend.evaluation.shape.face_surfaces import REGIONS, best_fit, region_errors, region_mesh, surface_of
from backend.evaluation.shape.fit_figures import shaded_head
from backend.evaluation.subjects import RESOLUTION, orbit_camera
from backend.evaluation.tables import (
    Row,
    Table,
    conditions_of,
    gain_over_people,
    mean_of,
    verdict,
    write_figure,
    write_table,
)
from backend.head.fitting import fit_head
from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel
from backend.head.parameters import HeadFitParameters
from backend.photo.view import View, find_view
from backend.pipeline import Pipeline
from backend.progress import Progress
from shared.errors import RelightifyError

log = logging.getLogger(__name__)

MEAN, LANDMARKS, FIT, FLOOR = "mean head", "landmarks only", "fit", "model's floor"
MEASURES = (*REGIONS, "mean")
FRONT = Pictures()  # of which the first is from the front; the table `reflectance` has them too
PROTOCOL = """CG heads in no prior and not in the head model, rendered by Cycles under a studio light: from the front
at 640 x 640 (48 samples), from yaw 30 and 60 degrees at 512 x 512 (12 samples), denoised. Millimetres from 600 points
of each true region to the surface of the fitted head without its expression, as the true heads have none: the whole
face is aligned first, scale included, then each region rigidly (REALY's protocol without its non-rigid step). `mean
head`: the model's mean. `landmarks only`: the fit without its photometric stage. `model's floor`: the model fitted to
the true surface itself, the same for every picture of a head. Gains are paired, with standard errors over heads.
Published, on REALY's own people and with its non-rigid step (FitDiff, supplement, table 4): 1.28 to 2.39 mm.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate geometry`."""
    add_heads_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Fit every picture and measure every head; write table and figures.

    Raises:
        RelightifyError: `no_heads`, `no_blender`, `render_failed`.
    """
    folder, records = chosen_records(options)
    pipeline = Pipeline("cpu")
    model, space = pipeline.model, pipeline.uv_space(RESOLUTION)
    found = correspondence(folder, model, space)
    mesh = region_mesh(folder, model, space, found)
    pictures: dict[str, dict[str, Path]] = {record["name"]: {} for record in records}
    for how in (FRONT, TURNED):
        for name, views in render_pictures(folder, records, found, model, space, options.blender_python, how).items():
            pictures[name].update(views)
    rows: list[Row] = []
    failures: dict[str, str] = {}
    for record in records:
        name = record["name"]
        truth = mesh.points(name)
        floor = model.shape(best_fit(model, truth))
        same = {m: region_errors(truth, surface_of(model, v)) for m, v in ((MEAN, model.mean), (FLOOR, floor))}
        shown = [_tiles(model, [model.mean, floor])]
        print(f"{name}: {_line(same[MEAN])} mean head; {_line(same[FLOOR])} the model's floor", flush=True)
        for view in (FRONT.views[0], *TURNED.views):
            try:
                photo = find_view(pictures[name][view["name"]].read_bytes(), pipeline.detector, None)
                fits = dict(fitted(pipeline, photo))
            except RelightifyError as error:
                failures[f"{name} {view['name']}"] = error.message
                continue
            heads = {method: fit.neutral_vertices(model) for method, fit in fits.items()}
            errors = {**same, **{m: region_errors(truth, surface_of(model, v)) for m, v in heads.items()}}
            condition, subject = f"yaw {view['yaw']}", f"{name} {view['name']}"
            rows += [Row(m, condition, subject, errors[m]) for m in (MEAN, LANDMARKS, FIT, FLOOR)]
            picture = cv2.resize(photo.photo.image_srgb, (320, 320), interpolation=cv2.INTER_AREA) / 255
            shown.append([picture, *_tiles(model, list(heads.values()))])
            print(f"{subject}: {_line(errors[LANDMARKS])} landmarks; {_line(errors[FIT])} fit", flush=True)
        columns = max(len(line) for line in shown)
        tiles = [line + [np.ones_like(line[0])] * (columns - len(line)) for line in shown]
        write_figure(options.out / "geometry" / f"{name}.png", tiles, ["picture", LANDMARKS, "", FIT, ""][:columns])
    table = Table("geometry", "Geometry", PROTOCOL, rows, verdicts(rows), failures)
    write_table(table, options.out)
    return 0


def fitted(pipeline: Pipeline, view: View) -> Iterator[tuple[str, HeadFit]]:
    """The fit of a photo by landmarks alone, and whole."""
    whole = pipeline.parameters.head
    unrefined = replace(whole, photometric=replace(whole.photometric, rounds=0))
    for name, settings in ((LANDMARKS, unrefined), (FIT, whole)):
        yield name, _fit(pipeline, view, settings)


def _fit(pipeline: Pipeline, view: View, settings: HeadFitParameters) -> HeadFit:
    albedo = pipeline.albedo
    return fit_head(pipeline.model, [view], pipeline.rasteriser, Progress(), albedo_prior=albedo, settings=settings)


def verdicts(rows: Sequence[Row]) -> list[str]:
    """Below the mean head everywhere, and no worse than landmarks: paired over heads, a head's pictures averaged."""
    sentences = []
    for condition in conditions_of(rows):
        for region in MEASURES:
            own, mean = (mean_of(rows, m, condition, region) for m in (FIT, MEAN))
            less = gain_over_people(rows, region, MEAN, FIT, condition)
            sentences.append(verdict(f"{condition}, {region}: {own:.2f} mm, mean head {mean:.2f}: {less}", own < mean))
    for condition in (*conditions_of(rows), None):
        for region in MEASURES:
            less = gain_over_people(rows, region, LANDMARKS, FIT, condition)
            text = f"{condition or 'all yaws'}, {region}: the photometric stage takes {less} mm off"
            sentences.append(verdict(text, less.mean >= -less.error))
    return sentences


def _line(errors: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in errors.items())


def _tiles(model: HeadModel, shapes: list[np.ndarray]) -> list[np.ndarray]:
    """Each head from the front and from 45 degrees, shaded."""
    centre = np.array([0.0, -0.03, 0.0])
    settings = OrbitSettings(side_px=320)
    return [
        shaded_head(model, shape, orbit_camera(centre, yaw, settings))[0] / 255 for shape in shapes for yaw in (0, 45)
    ]
