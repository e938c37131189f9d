"""The table `fit`: the head fit over portraits of people that training never saw, and over any photographs.

A folder of portraits has an `index.json` with `id` and `split`; its people whose split is not `train` are taken:
`<id>_neutral.jpg` and `<id>_smiling.jpg` where they are there. A folder `distance` in it holds photographs of one
person whose names give the distance in centimetres: their identities must agree.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from backend.asset_files import SOURCES
from backend.evaluation.shape.fit_figures import contact_sheet, fit_figure
from backend.head.confidence_words import photographed_how
from backend.head.fitting import fit_head
from backend.head.head_fit import HeadFit
from backend.head.model import ASSET, HeadModel, load_head_model
from backend.photo.face_detector import Face, FaceDetector, choose_face
from backend.photo.files.exif_tags import FILM_DIAGONAL_MM
from backend.photo.reading import Photo, read_photo
from backend.photo.view import View
from backend.progress import Progress
from backend.rendering.rasteriser import EmbreeRasteriser
from shared.errors import RelightifyError

log = logging.getLogger(__name__)

PORTRAITS = SOURCES / "portraits"
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".tif", ".tiff")
MEAN_LIMIT, WORST_LIMIT, DISTANCE_LIMIT_MM = 0.025, 0.05, 3.0


@dataclass(frozen=True)
class FitRow:
    """One photo.

    Args:
        id: file name relative to its folder, without suffix.
        landmark_error: mean over all 478 landmarks, divided by the distance of the outer eye corners.
        landmark_error_pupils: the same divided by the distance of the irises (stricter).
        photometric_before, photometric_after: mean difference on the skin, sRGB values.
        focal_35mm: equivalent focal length; focal_known says whether the file gave it.
        distance_m: camera to the point between the eyes.
        identity_rms, identity_max: of p_s, in standard deviations.
        seconds: of the fit alone.
        how: what is most unusual about how the person was photographed, see `confidence_words.photographed_how`.
        expected_mm: what the fit says of its error, the mean of the parts of the face.
    """

    id: str
    landmark_error: float
    landmark_error_pupils: float
    photometric_before: float
    photometric_after: float
    focal_35mm: float
    focal_known: bool
    distance_m: float
    identity_rms: float
    identity_max: float
    seconds: float
    how: str
    expected_mm: float


@dataclass(frozen=True)
class FittedPhoto:
    """A photo with its face and fit."""

    row: FitRow
    photo: Photo
    face: Face
    fit: HeadFit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate fit`."""
    parser.add_argument("--portraits", type=Path, default=None, metavar="DIR", help="a folder with index.json")
    parser.add_argument("--photos", type=Path, default=None, metavar="DIR", help="a folder of photographs")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where tables and figures go")
    parser.add_argument("--model", type=Path, default=ASSET, metavar="NPZ", help="another head model")
    parser.add_argument("--limit", type=int, default=None, metavar="N", help="at most so many photos of each folder")


def run(options: argparse.Namespace) -> int:
    """Fit every photo and write fit.json, fit.md, one figure a photo and a contact sheet.

    Raises:
        RelightifyError: `no_photos`, nothing to measure.
    """
    portraits = options.portraits or (PORTRAITS if PORTRAITS.is_dir() and options.photos is None else None)
    photos = []
    if portraits is not None:
        photos += heldout_portraits(portraits)[: options.limit]
    if options.photos is not None:
        photos += [(p.stem, p) for p in sorted(options.photos.iterdir()) if p.suffix.lower() in SUFFIXES][
            : options.limit
        ]
    if not photos:
        raise RelightifyError(
            "no_photos", "There are no photographs to measure.", "Name folders: --portraits, --photos."
        )
    options.out.mkdir(parents=True, exist_ok=True)
    fitter = Fitter(options.model)
    rows, failures, thumbnails = [], {}, []
    for name, path in photos:
        try:
            done = fitter.fit(name, path)
        except RelightifyError as error:
            failures[name] = str(error)
            log.warning("%s: %s", name, error)
            continue
        rows.append(done.row)
        thumbnails.append(_write_figure(fitter.model, done, options.out))
        print(_line(done.row), flush=True)
    distances = None
    if portraits is not None and (portraits / "distance").is_dir():
        distances = distance_test(fitter, portraits / "distance", options.out)
    if thumbnails:
        _write_image(options.out / "contact_sheet.png", contact_sheet(thumbnails))
    result = {"summary": summary(rows), "photos": [asdict(r) for r in rows], "failures": failures}
    result["distance"] = distances
    (options.out / "fit.json").write_text(json.dumps(result, indent=1))
    (options.out / "fit.md").write_text(as_markdown(rows, failures, distances))
    print("\n".join(figures(rows, failures, distances)))
    return 0


def heldout_portraits(folder: Path) -> list[tuple[str, Path]]:
    """(id, path) of the photographs of all people in index.json whose split is not `train`, in order."""
    people = json.loads((folder / "index.json").read_text())
    found = []
    for person in people:
        if person["split"] == "train":
            continue
        for expression in ("neutral", "smiling"):
            path = folder / f"{person['id']}_{expression}.jpg"
            if path.is_file():
                found.append((f"{person['id']}_{expression}", path))
    return found


class Fitter:
    """Holds what stays warm between photos."""

    def __init__(self, model_path: Path = ASSET) -> None:
        self.model: HeadModel = load_head_model(model_path)
        self.detector = FaceDetector()
        self.rasteriser = EmbreeRasteriser()

    def fit(self, name: str, path: Path) -> FittedPhoto:
        """Read, detect and fit one photo.

        Raises:
            RelightifyError: the photo or its face cannot be used.
        """
        photo = read_photo(path.read_bytes())
        face = choose_face(self.detector.detect(photo), None)
        start = time.perf_counter()
        fit = fit_head(self.model, [View(photo, face)], self.rasteriser, Progress())
        return FittedPhoto(as_row(name, photo, face, fit, time.perf_counter() - start), photo, face, fit)


def as_row(name: str, photo: Photo, face: Face, fit: HeadFit, seconds: float) -> FitRow:
    """The figures of one fit."""
    diagonal, found = float(np.hypot(photo.width, photo.height)), fit.confidence
    assert found is not None  # `fit_head` always says it
    return FitRow(
        id=name,
        landmark_error=fit.view.landmark_error,
        landmark_error_pupils=fit.view.landmark_error * fit.iod_px / face.interocular_px,
        photometric_before=fit.view.photometric_before,
        photometric_after=fit.view.photometric_after,
        focal_35mm=fit.camera.focal_px / diagonal * FILM_DIAGONAL_MM,
        focal_known=fit.view.focal_known,
        distance_m=fit.distance,
        identity_rms=float(np.sqrt(np.mean(fit.identity**2))),
        identity_max=float(np.abs(fit.identity).max()),
        seconds=seconds,
        how=photographed_how(found),
        expected_mm=float(np.mean(list(found.expected_mm.values()))),
    )


def distance_test(fitter: Fitter, folder: Path, out: Path) -> dict:
    """Fit photographs of one person from several distances and compare the identities.

    Args:
        fitter: the models.
        folder: photographs named by their distance, such as `30cm.jpg`.
        out: where the figures go.

    Returns:
        rows, the mean and largest of the pairs' mean vertex differences (neutral heads, all vertices, as they lie in
        head space) in mm, and whether the estimated distances have the order of the names.
    """
    named = sorted((int(found[0]), p) for p in folder.iterdir() if (found := re.findall(r"\d+", p.stem)))
    fitted = [fitter.fit(f"distance/{path.stem}", path) for _, path in named]
    for done in fitted:
        _write_figure(fitter.model, done, out)
    heads = [done.fit.neutral_vertices(fitter.model) for done in fitted]
    pairs = {
        f"{fitted[i].row.id} - {fitted[j].row.id}": 1000 * float(np.linalg.norm(heads[i] - heads[j], axis=1).mean())
        for i in range(len(heads))
        for j in range(i)
    }
    estimated = [done.row.distance_m for done in fitted]
    return {
        "photos": [asdict(done.row) for done in fitted],
        "pairs_mm": pairs,
        "worst_mm": max(pairs.values(), default=0.0),
        "in_order": estimated == sorted(estimated),
    }


def summary(rows: list[FitRow]) -> dict:
    """Mean and worst of each figure over the photos."""
    if not rows:
        return {"photos": 0}
    names = [f for f in FitRow.__annotations__ if f not in ("id", "focal_known", "how")]
    values = {n: np.array([getattr(r, n) for r in rows]) for n in names}
    refined = float(np.mean(values["photometric_after"] <= values["photometric_before"]))
    return {
        "photos": len(rows),
        "mean": {n: float(v.mean()) for n, v in values.items()},
        "worst": {n: float(v.max()) for n, v in values.items()},
        "photometric_not_worse": refined,
    }


def by_class(rows: list[FitRow]) -> list[str]:
    """A line for each way of being photographed: how many, landmark and photometric error, and what fits expect."""
    lines = []
    for how in dict.fromkeys(row.how for row in rows):
        own = [row for row in rows if row.how == how]
        landmarks, shading, expected = (
            float(np.mean([getattr(row, name) for row in own]))
            for name in ("landmark_error", "photometric_after", "expected_mm")
        )
        text = f"landmarks {landmarks:.2%}, photometric {shading:.4f}, expected error {expected:.2f} mm"
        lines.append(f"- {how}: {len(own)} photos, {text}")
    return lines


def figures(rows: list[FitRow], failures: dict[str, str], distances: dict | None) -> list[str]:
    """The figures that the issue asks for, one a line, with their limits."""
    lines = []
    total = summary(rows)
    if rows:
        mean, worst = total["mean"], total["worst"]
        lines += [
            f"- {total['photos']} photos, {len(failures)} without a fit",
            f"- landmark error over the outer eye corners' distance: mean {mean['landmark_error']:.2%} "
            f"(limit {MEAN_LIMIT:.1%}), worst {worst['landmark_error']:.2%} (limit {WORST_LIMIT:.1%}); "
            f"over the irises' distance: mean {mean['landmark_error_pupils']:.2%}, "
            f"worst {worst['landmark_error_pupils']:.2%}",
            f"- photometric error: {mean['photometric_before']:.4f} before, {mean['photometric_after']:.4f} after the "
            f"refinement; not worse on {total['photometric_not_worse']:.0%} of the photos",
            f"- p_s: rms {mean['identity_rms']:.2f}, largest {worst['identity_max']:.1f}",
            f"- seconds: mean {mean['seconds']:.2f}, worst {worst['seconds']:.2f}",
            *by_class(rows),
        ]
    if distances is not None:
        estimates = ", ".join(f"{r['id']}: {r['distance_m']:.2f} m" for r in distances["photos"])
        lines += [
            f"- one person from several distances: worst mean vertex difference {distances['worst_mm']:.2f} mm "
            f"(limit {DISTANCE_LIMIT_MM:.0f} mm); order {'right' if distances['in_order'] else 'WRONG'} ({estimates})",
        ]
    return lines


def as_markdown(rows: list[FitRow], failures: dict[str, str], distances: dict | None) -> str:
    """The figures and a row for each photo."""
    lines = ["# Fit", "", *figures(rows, failures, distances)]
    lines += ["", "| photo | landmarks | photometric | focal (35 mm) | distance | p_s rms / max | s | how | expected |"]
    lines += ["| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows + [FitRow(**r) for r in (distances or {}).get("photos", [])]:
        lines.append(
            f"| {row.id} | {row.landmark_error:.2%} | {row.photometric_before:.4f} -> {row.photometric_after:.4f} | "
            f"{row.focal_35mm:.0f}{'' if row.focal_known else ' (est.)'} | {row.distance_m:.2f} m | "
            f"{row.identity_rms:.2f} / {row.identity_max:.1f} | {row.seconds:.1f} | {row.how} | "
            f"{row.expected_mm:.2f} mm |"
        )
    lines += ["", *(f"- {name}: {reason}" for name, reason in failures.items())]
    return "\n".join(lines) + "\n"


def _line(row: FitRow) -> str:
    return (
        f"{row.id}: landmarks {row.landmark_error:.2%}, photometric {row.photometric_before:.4f} -> "
        f"{row.photometric_after:.4f}, {row.focal_35mm:.0f} mm, {row.distance_m:.2f} m, {row.seconds:.1f} s"
    )


def _write_figure(model: HeadModel, done: FittedPhoto, out: Path) -> np.ndarray:
    """Write the photo's figure; returns its first two panels for the contact sheet."""
    figure, thumbnail = fit_figure(model, done.photo, done.face, done.fit)
    path = out / "overlays" / f"{done.row.id.replace('/', '_')}.png"
    path.parent.mkdir(exist_ok=True)
    _write_image(path, figure)
    return thumbnail


def _write_image(path: Path, image_srgb: np.ndarray) -> None:
    cv2.imwrite(str(path), cv2.cvtColor(image_srgb, cv2.COLOR_RGB2BGR))
