"""Tables of measurements: rows by prior, condition and subject; Markdown of the means, JSON of everything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np


@dataclass(frozen=True)
class Row:
    """One measurement.

    Args:
        prior: the prior, or the method it is compared with.
        condition: what was asked of it, such as `yaw 30`.
        subject: who.
        values: figures by name; NaN where there is nothing to measure.
    """

    prior: str
    condition: str
    subject: str
    values: dict[str, float]


@dataclass(frozen=True)
class Table:
    """A table with the words that go with it.

    Args:
        name: of the files.
        title: heading.
        protocol: what was measured on what, in plain sentences.
        rows: all measurements.
        verdicts: sentences on the limits that must be reached.
        failures: subjects that could not be measured, and why.
    """

    name: str
    title: str
    protocol: str
    rows: Sequence[Row]
    verdicts: Sequence[str] = ()
    failures: dict[str, str] | None = None


def means(rows: Sequence[Row]) -> list[Row]:
    """Mean over subjects of every figure, a row for each prior and condition in their first order."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.condition, row.prior), []).append(row)
    result = []
    for (condition, prior), members in groups.items():
        names = list(dict.fromkeys(n for m in members for n in m.values))
        columns = {n: np.array([m.values.get(n, np.nan) for m in members]) for n in names}
        mean = {n: float(v[~np.isnan(v)].mean()) if (~np.isnan(v)).any() else float("nan") for n, v in columns.items()}
        result.append(Row(prior, condition, f"{len(members)} subjects", mean))
    return result


def mean_of(rows: Sequence[Row], prior: str, condition: str, value: str) -> float:
    """One figure of `means`; NaN where there is none."""
    for row in means(rows):
        if row.prior == prior and row.condition == condition:
            return row.values.get(value, float("nan"))
    return float("nan")


@dataclass(frozen=True)
class Gain:
    """A mean difference of paired figures.

    Args:
        mean: of the differences; NaN where nothing was measured.
        error: the mean's standard error.
        count: of pairs.
        changed: share of the pairs that differ at all.
    """

    mean: float
    error: float
    count: int
    changed: float

    def __str__(self) -> str:
        return f"{self.mean:+.3f} ± {self.error:.3f} (n = {self.count})"


def gain_of(differences: np.ndarray) -> Gain:
    """The mean of differences [n] with its standard error; NaN do not count."""
    values = differences[~np.isnan(differences)]
    if not len(values):
        return Gain(float("nan"), float("nan"), 0, 0.0)
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    return Gain(float(values.mean()), error, len(values), float(np.mean(np.abs(values) > 1e-6)))


def gain_over_people(
    rows: Sequence[Row],
    value: str,
    method: str,
    other: str,
    condition: str | None = None,
) -> Gain:
    """How much larger a figure is by one method than by another, paired, each person counting once.

    Pictures of one person are not independent, so their differences are averaged before the standard error is taken.

    Args:
        rows: whose subjects are `person` or `person picture`.
        value: name of the figure.
        method: whose figure counts positive; `other` is subtracted.
        condition: None takes all.
    """
    chosen = [r for r in rows if condition is None or r.condition == condition]
    subtracted = {(r.condition, r.subject): r.values[value] for r in chosen if r.prior == other}
    people: dict[str, list[float]] = {}
    for row in chosen:
        if row.prior == method and (row.condition, row.subject) in subtracted:
            difference = row.values[value] - subtracted[row.condition, row.subject]
            people.setdefault(row.subject.split()[0], []).append(difference)
    return gain_of(np.array([np.mean(differences) for differences in people.values()]))


def priors_of(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(r.prior for r in rows))


def conditions_of(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(r.condition for r in rows))


def verdict(text: str, reached: bool) -> str:
    """A sentence with its outcome."""
    return f"{'reached' if reached else 'MISSED'}: {text}"


def as_markdown(table: Table) -> str:
    """Heading, protocol, verdicts, means, then every subject."""
    lines = [f"# {table.title}", "", table.protocol, ""]
    lines += [f"- {sentence}" for sentence in table.verdicts]
    lines += ["", "## Means", "", *_grid(means(table.rows))]
    lines += ["", "## Each subject", "", *_grid(table.rows)]
    if table.failures:
        lines += ["", "## Not measured", "", *(f"- {name}: {why}" for name, why in table.failures.items())]
    return "\n".join(lines) + "\n"


def _grid(rows: Sequence[Row]) -> list[str]:
    names = list(dict.fromkeys(n for row in rows for n in row.values))
    lines = [f"| condition | prior | subject | {' | '.join(names)} |", "| " + "--- | " * (3 + len(names))]
    for row in rows:
        figures = (_figure(row.values.get(n, float("nan"))) for n in names)
        lines.append(f"| {row.condition} | {row.prior} | {row.subject} | {' | '.join(figures)} |")
    return lines


def _figure(value: float) -> str:
    if np.isnan(value):
        return "-"
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}" if abs(value) < 1000 else f"{value:.0f}"


def write_table(table: Table, out: Path) -> None:
    """Write `<name>.md` and `<name>.json` into a folder and print the verdicts and means."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{table.name}.md").write_text(as_markdown(table))
    (out / f"{table.name}.json").write_text(json.dumps(as_json(table), indent=1) + "\n")
    print("\n".join([*table.verdicts, "", *_grid(means(table.rows))]), flush=True)


def as_json(table: Table) -> dict:
    """Everything of a table; what could not be measured is null."""

    def plain(rows: Sequence[Row]) -> list[dict]:
        return [
            {
                "prior": r.prior,
                "condition": r.condition,
                "subject": r.subject,
                **{n: None if np.isnan(v) else round(float(v), 5) for n, v in r.values.items()},
            }
            for r in rows
        ]

    return {
        "table": table.name,
        "protocol": table.protocol,
        "verdicts": list(table.verdicts),
        "means": plain(means(table.rows)),
        "rows": plain(table.rows),
        "failures": table.failures or {},
    }


def write_figure(path: Path, tiles: Sequence[Sequence[np.ndarray]], labels: Sequence[str], side: int = 224) -> None:
    """A grid of images float [H, W, 3] in [0, 1] as PNG, one list of tiles a row, labels over the columns."""
    bar = np.full((18, side * len(labels), 3), 255, np.uint8)
    for column, label in enumerate(labels):
        place = (column * side + 4, 13)
        cv2.putText(bar, label, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    rows = [bar]
    for row in tiles:
        resized = [cv2.resize(t.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA) for t in row]
        rows.append(np.round(255 * np.clip(np.concatenate(resized, axis=1), 0, 1)).astype(np.uint8))
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.concatenate(rows)[..., ::-1])
