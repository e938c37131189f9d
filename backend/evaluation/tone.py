"""The table `tone`: error of the diffuse albedo by skin tone, so that dark skin is served as well as fair skin."""

from __future__ import annotations

import argparse

import numpy as np

from backend.evaluation.metrics import typology_angle
from backend.evaluation.reflectance import Measured, add_arguments, measure
from backend.evaluation.tables import Row, Table, conditions_of, mean_of, priors_of, verdict, write_table

__all__ = ["add_arguments", "run"]

DARKEST, MIDDLE, LIGHTEST = "darkest third", "middle third", "lightest third"
LIMIT = 1.3
PROTOCOL = """The pictures of the table `reflectance`, sorted by the individual typology angle of the true albedo
(Chardon 1991; above 55 degrees very light, below -30 dark) and cut into thirds. `A_d error` is the root mean square
error of the diffuse albedo on the face, sRGB values; `tone error` is the CIE76 difference of the median skin colours.
"""


def run(options: argparse.Namespace) -> int:
    """Measure, sort by tone and write the table.

    Raises:
        RelightifyError: as `relightify evaluate reflectance`.
    """
    measured, failures = measure(options, "tone")
    rows = thirds(measured)
    write_table(Table("tone", "Skin tone", PROTOCOL, rows, _verdicts(rows), failures), options.out)
    return 0


def thirds(measured: list[Measured]) -> list[Row]:
    """A row per picture and prior; its condition is the third that the picture's true tone falls into."""
    angles = {(m.row.condition, m.row.subject): typology_angle(m.tone_srgb) for m in measured}
    ordered = sorted(angles, key=lambda key: angles[key])
    place = {key: (3 * index) // max(len(ordered), 1) for index, key in enumerate(ordered)}
    rows = []
    for m in measured:
        key = (m.row.condition, m.row.subject)
        figures = {"A_d error": m.error, "tone error": m.tone_error, "ITA": angles[key]}
        rows.append(Row(m.row.prior, (DARKEST, MIDDLE, LIGHTEST)[place[key]], " ".join(key), figures))
    order = (DARKEST, MIDDLE, LIGHTEST)
    return sorted(rows, key=lambda row: order.index(row.condition))


def _verdicts(rows: list[Row]) -> list[str]:
    sentences = []
    if {DARKEST, LIGHTEST} - set(conditions_of(rows)):
        return ["too few people for thirds"]
    for prior in priors_of(rows):
        dark, light = (mean_of(rows, prior, c, "A_d error") for c in (DARKEST, LIGHTEST))
        ratio = dark / light if light > 0 else np.inf
        text = f"{prior}: A_d error {dark:.4f} in the darkest third, {light:.4f} in the lightest: {ratio:.2f} times"
        sentences.append(verdict(f"{text} (limit {LIMIT})", ratio <= LIMIT))
    return sentences
