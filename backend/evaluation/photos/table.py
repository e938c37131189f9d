"""The table `photos`: a row for each photo of a folder, and a contact sheet of what became of it.

A photo that is refused, or that fails in a way that it should not, is a row like the others.
"""

from __future__ import annotations

import argparse
import csv
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from backend.batch.photos import find_photos
from backend.evaluation.head_renders import Studio
from backend.evaluation.parameters import HeadRenderSettings
from backend.evaluation.photos.contact_sheet import in_words, write_sheet, write_strip
from backend.evaluation.photos.measured import Laboratory, PhotoOutcome
from backend.pipeline import Pipeline
from shared.errors import RelightifyError

_log = logging.getLogger(__name__)
CSV_NAME = "photos.csv"
COLUMNS = (
    *(
        "file",
        "code",
        "message",
        "covered",
        "warnings",
        "seen",
        "made",
        "detail made",
        "marked",
        "marks kept",
        "painted kept",
    ),
    *("landmark error", "tone", "ITA", "seconds"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate photos`."""
    parser.add_argument(
        "--photos", nargs="+", required=True, metavar="DIR", help="folders, image files, patterns, lists"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where table and contact sheet go")
    parser.add_argument("--quality", default="draft", metavar="NAME", help="which prior completes, default: draft")
    parser.add_argument("--resolution", type=int, default=1024, metavar="N", help="texels of the maps, default: 1024")
    parser.add_argument(
        "--untouched", type=Path, default=None, metavar="FILE", help="the photo that the others were painted on"
    )


def run(options: argparse.Namespace) -> int:
    """Reconstruct every photo, write table and sheet after each, and print a line for it.

    Raises:
        RelightifyError: ``photo_not_found``, there is no photo; ``quality_unavailable``; ``cannot_write``; the
            untouched photo cannot be used.
    """
    photos = find_photos(options.photos)
    pipeline = Pipeline("cpu")
    pipeline.prior(options.quality)
    settings = replace(HeadRenderSettings(), texels=options.resolution)
    studio = Studio(pipeline.model, pipeline.rasteriser, pipeline.uv_space(settings.texels), settings)
    laboratory = Laboratory(pipeline, studio, options.quality)
    outcomes: list[PhotoOutcome] = []
    try:
        if options.untouched is not None:
            _, untouched = laboratory.reconstructed(options.untouched.read_bytes())
            laboratory = replace(laboratory, untouched=untouched)
        options.out.mkdir(parents=True, exist_ok=True)
        for name, path in zip(names_of(photos), photos, strict=True):
            outcome = laboratory.outcome(name, path.read_bytes())
            write_strip(options.out, outcome)
            # Only the strip needs the pictures.
            outcomes.append(replace(outcome, tiles=()))
            write_csv(options.out / CSV_NAME, outcomes)
            write_sheet(options.out, outcomes)
            print(line_of(outcome), flush=True)
    except OSError as error:
        raise RelightifyError(
            "cannot_write", f"{error.filename} cannot be read or written: {error.strerror}.", "Name another folder."
        ) from error
    return 0


def names_of(photos: Sequence[Path]) -> list[str]:
    """A name for each photo: the file's, with its folders where two would be the same."""
    names = [photo.name for photo in photos]
    return [
        name if names.count(name) == 1 else "_".join(photo.parts[1:]) for name, photo in zip(names, photos, strict=True)
    ]


def line_of(outcome: PhotoOutcome) -> str:
    """What is printed of a photo."""
    if outcome.figures is None:
        return f"{outcome.name}: {outcome.code}: {outcome.message}"
    return "\n  ".join([f"{outcome.name}: {in_words(outcome)}", *outcome.warnings])


def write_csv(path: Path, outcomes: Sequence[PhotoOutcome]) -> None:
    """Write the table, whole each time.

    Raises:
        OSError: it cannot be written.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(row_of(outcome) for outcome in outcomes)


def row_of(outcome: PhotoOutcome) -> dict[str, str]:
    """A photo as a row: texts by `COLUMNS`; what could not be measured is left out."""
    row = {
        "file": outcome.name,
        "code": outcome.code,
        "message": outcome.message,
        "covered": ", ".join(f"{name} {share:.0%}" for name, share in outcome.covered),
        "warnings": " ".join(outcome.warnings),
        "seconds": f"{outcome.seconds:.1f}",
    }
    figures = outcome.figures
    if figures is not None:
        row["tone"] = "#{:02x}{:02x}{:02x}".format(*figures.tone_srgb)
        numbers = {
            "seen": figures.seen,
            "made": figures.made,
            "detail made": figures.detail_made,
            "marked": figures.marked,
            "marks kept": figures.marks_kept,
            "painted kept": figures.painted_kept,
            "landmark error": figures.landmark_error,
            "ITA": figures.typology_angle,
        }
        row |= {name: f"{value:.4g}" for name, value in numbers.items() if not np.isnan(value)}
    return row
