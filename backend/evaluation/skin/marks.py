"""The table `marks`: which part of marks painted on photographs of training people is told from their light."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from backend.delight.delighting import DelightedTexture
from backend.evaluation.parameters import PaintedMarksSettings
from backend.evaluation.skin.painted_marks import MARKS, PaintedMark, optical_density, painted, share_on_skin
from backend.evaluation.subjects import portraits_folder, prepare
from backend.evaluation.tables import Row, Table, conditions_of, verdict, write_figure, write_table
from backend.imaging.colour import SMALLEST_LINEAR, srgb_to_linear
from backend.pipeline import Pipeline
from shared.errors import RelightifyError

PEOPLE = ("london/001", "london/034", "london/042", "london/062")
PROTOCOL = """Marks painted as pigment on portraits of training people, by which numbers were chosen, 512 texels.
`kept`: part of the painted log change that is in the marks' layer, which the albedo keeps whole, over the texels that
were painted and are seen in both photos, each weighted by the paint on it; more than 1 is what the light around a mark
gave to it. A shadow should have 0.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate marks`."""
    parser.add_argument("--portraits", type=Path, default=None, metavar="DIR", help="a folder with index.json")
    parser.add_argument(
        "--people", default=",".join(PEOPLE), metavar="IDS", help="of training people, parted by commas"
    )
    parser.add_argument("--marks", default=None, metavar="NAMES", help="these alone, parted by semicolons")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where table and figures go")


def run(options: argparse.Namespace) -> int:
    """Paint every mark on every portrait; write table and figures.

    Raises:
        RelightifyError: `no_photos`.
    """
    folder, pipeline = portraits_folder(options), Pipeline("cpu")
    chosen = MARKS if options.marks is None else {name: MARKS[name] for name in options.marks.split("; ")}
    rows: list[Row] = []
    failures: dict[str, str] = {}
    for person in options.people.split(","):
        path = folder / f"{person}_neutral.jpg"
        image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        if image is None:
            raise RelightifyError("no_photos", f"There is no photo {path}.", "Name a folder: --portraits.")
        before = prepare(pipeline, person, _png(image))
        untouched = before.delit()
        shown = []
        for name, mark in chosen.items():
            albedo = untouched.mean_albedo
            picture = painted(mark, image, pipeline.model, before.skin.fit, albedo, pipeline.rasteriser)
            try:
                found = prepare(pipeline, person, _png(picture)).delit()
            except RelightifyError as error:
                failures[f"{person} {name}"] = error.message
                continue
            rows.append(Row("layer", name, person, {"kept": kept_in_layer(found, untouched, mark)}))
            shown.append([found.partial.texture_srgb, _tile(found.log_marks)])
            print(f"{person} {name}: {rows[-1].values['kept']:.2f}", flush=True)
        write_figure(options.out / "marks" / f"{person.replace('/', '_')}.png", shown, ["texture", "marks"])
    write_table(Table("marks", "Marks", PROTOCOL, rows, verdicts(rows), failures), options.out)
    return 0


def kept_in_layer(
    found: DelightedTexture,
    untouched: DelightedTexture,
    mark: PaintedMark,
    settings: PaintedMarksSettings = PaintedMarksSettings(),
) -> float:
    """Part of the painted log change that the layer has gained; NaN where too little of it is seen.

    The paint itself is the instrument: what else differs between two photos of a face, as they are fitted and cleaned
    of noise anew, has nothing to do with it, and would otherwise count as paint that was lost.
    """
    share = share_on_skin(mark, found.skin.model, found.skin.working)
    seen = np.minimum(found.partial.visibility, untouched.partial.visibility) > settings.shown
    inside = seen & (share > settings.painted) & (found.skin.regions.face > 0.5)
    if np.count_nonzero(inside) < settings.fewest_texels:
        return float("nan")
    paint = -share[inside][:, None] * optical_density(mark, untouched.mean_albedo)
    change = (_log(found.partial.texture_srgb) - _log(untouched.partial.texture_srgb))[inside]
    layer = (found.log_marks - untouched.log_marks)[inside]
    return float((layer * paint).sum() / (change * paint).sum())


def _log(texture_srgb: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(srgb_to_linear(texture_srgb), SMALLEST_LINEAR))


def _png(image_srgb: np.ndarray) -> bytes:
    return cv2.imencode(".png", image_srgb[..., ::-1])[1].tobytes()


def _tile(log_marks: np.ndarray) -> np.ndarray:
    return np.clip(0.5 + 0.5 * log_marks, 0, 1)


def verdicts(rows: list[Row]) -> list[str]:
    """Each mark's least and mean part, against what is wanted of it."""
    settings, sentences = PaintedMarksSettings(), []
    for name in conditions_of(rows):
        kept = np.array([row.values["kept"] for row in rows if row.condition == name])
        kept = kept[~np.isnan(kept)]
        if len(kept):
            is_mark = MARKS[name].wanted > 0
            reached = bool(kept.min() >= settings.least if is_mark else kept.max() <= settings.most_of_shadows)
            sentences.append(verdict(f"{name}: {', '.join(f'{k:.2f}' for k in kept)}", reached))
    return sentences
