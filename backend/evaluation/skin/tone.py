"""The table `tone`: error of the diffuse albedo by skin tone, so that dark skin is served as well as fair skin.

It needs the measurements of the table `reflectance` and nothing else, so it writes that one too.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from backend.evaluation.metrics import typology_angle
from backend.evaluation.skin import reflectance
from backend.evaluation.skin.reflectance import CYCLES, PORTRAITS, Measured, add_arguments
from backend.evaluation.tables import Row, Table, conditions_of, mean_of, priors_of, verdict, write_table

__all__ = ["add_arguments", "run"]

DARKEST, MIDDLE, LIGHTEST = "darkest third", "middle third", "lightest third"
LIMIT = 1.3
PROTOCOL = """The pictures of the table `reflectance`, sorted by the individual typology angle of the true albedo
(Chardon 1991; above 55 degrees very light, below -30 dark) and cut into thirds. `A_d error` is the root mean square
error of the diffuse albedo on the face, sRGB values; `tone error` is the CIE76 difference of the median skin colours.
The two kinds of pictures are not equally hard and differ in tone, so the thirds are compared within each kind too.
"""


def run(options: argparse.Namespace) -> int:
    """Measure as for `reflectance`, and write both tables.

    Raises:
        RelightifyError: as `relightify evaluate reflectance`.
    """
    measured, failures = reflectance.measure(options)
    reflectance.write(measured, failures, options.out)
    rows = thirds(measured)
    write_table(Table("tone", "Skin tone", PROTOCOL, rows, verdicts(rows), failures), options.out)
    return 0


def thirds(measured: list[Measured]) -> list[Row]:
    """A row per picture and prior; its condition is the third that the picture's true tone falls into."""
    rows = []
    for m in measured:
        figures = {"A_d error": m.error, "tone error": m.tone_error, "ITA": typology_angle(m.tone_srgb)}
        rows.append(Row(m.row.prior, "", f"{m.row.condition} {m.row.subject}", figures))
    return sorted_into_thirds(rows)


def sorted_into_thirds(rows: list[Row]) -> list[Row]:
    """The rows from dark to light, each with the third of their pictures that it falls into as its condition."""
    angles = {row.subject: row.values["ITA"] for row in rows}
    ordered = sorted(angles, key=lambda subject: angles[subject])
    order = (DARKEST, MIDDLE, LIGHTEST)
    place = {subject: (3 * index) // len(ordered) for index, subject in enumerate(ordered)}
    return sorted(
        (replace(row, condition=order[place[row.subject]]) for row in rows), key=lambda row: order.index(row.condition)
    )


def verdicts(rows: list[Row]) -> list[str]:
    """Sentences on the limit, over all pictures and over each kind alone."""
    sentences = _compared(rows, "")
    for kind in (CYCLES, PORTRAITS):
        sentences += _compared(sorted_into_thirds([r for r in rows if r.subject.startswith(kind)]), f"{kind} alone, ")
    return sentences


def _compared(rows: list[Row], which: str) -> list[str]:
    sentences = []
    if {DARKEST, LIGHTEST} - set(conditions_of(rows)):
        return [f"{which}too few people for thirds"]
    for prior in priors_of(rows):
        dark, light = (mean_of(rows, prior, c, "A_d error") for c in (DARKEST, LIGHTEST))
        ratio = dark / light if light > 0 else np.inf
        text = f"{prior}: A_d error {dark:.4f} in the darkest third, {light:.4f} in the lightest: {ratio:.2f} times"
        sentences.append(verdict(f"{which}{text} (limit {LIMIT})", ratio <= LIMIT))
    return sentences
